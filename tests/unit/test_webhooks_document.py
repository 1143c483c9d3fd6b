"""docs/webhooks.md describes the webhooks that the code sends."""

import json
import re
from pathlib import Path

from calendar_service.store.outbox import ERASED
from calendar_service.web.api.webhook_events import EVENTS
from calendar_service.webhook_sender import TEST, WebhookMessage

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "calendar_service" / "store" / "scripts"
DOCUMENT = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
_TYPE = r"((?:connection|session|webhook)\.[a-z_]+)"


def test_every_type_that_is_sent_is_described_and_no_other() -> None:
    scripts = "".join(path.read_text("utf-8") for path in SCRIPTS.rglob("*.lua"))
    sent = {
        kind
        for call in re.findall(r"enqueue_event\((.*)", scripts)
        for kind in re.findall(f"'{_TYPE}'", call)
    }
    rows = [
        line.split("|")[1]
        for line in DOCUMENT.splitlines()
        if line.startswith(("| `con", "| `ses", "| `webhook"))
    ]
    described = {kind for row in rows for kind in re.findall(f"`{_TYPE}`", row)}
    assert described == sent | {ERASED, TEST}
    assert set(EVENTS) == described
    assert len(sent) == 13


def test_the_example_has_the_shape_of_what_is_sent() -> None:
    example = json.loads(DOCUMENT.partition("```json\n")[2].partition("```")[0])
    sent = json.loads(WebhookMessage("id", "session.failed", 0, example["data"]).body())
    assert sent.keys() == example.keys()
    assert sent["data"] == example["data"]
    fields = DOCUMENT.partition("| field |")[2].partition("\n\n")[0]
    assert set(example["data"]) <= set(re.findall(r"`([a-z_]+)`", fields))
