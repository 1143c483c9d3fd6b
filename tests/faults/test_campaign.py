"""A short fault campaign: its verdict, and that it can fail. `make faults` runs a long one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from calendar_service.store import script_loader
from faults import campaign, selfcheck
from faults.checker import LAWS
from faults.defects import DEFECTS, Defect
from faults.paths import PACKAGE, ROOT
from faults.result import CampaignResult
from faults.scenarios import SENTINEL_SCENARIOS, all_scenarios, step_names

SEED = 20
SCENARIOS = (
    "F12 answer to insert lost",
    "F9 event_writer.after_insert (web)",
    "F1 store killed",
    "F16 late write",
    "F9 schedule.after_google_before_settle (worker)",
    "F12 answer lost, cancelled at once",
    "F2 power lost",
    "F11 web killed after Google accepted",
    "F30 cancel against reschedule",
    "F7 store's answers lost",
    "F17 token endpoint in trouble",
    "F20 reconnect before the revocation",
    "F29 callback after disconnect",
    "F9 teardown.before_revoke (web)",
    "F10 erasure at its term",
    "F5 erasure without memory",
    "F24 keys rotated",
    "F28 erased and back",
    "F21 one account, two agents",
    "F37 restored by the runbook",
    "F37 file cut by the server's tool",
)
CAUGHT = "disconnect leaves the grant"


@pytest.fixture(scope="module")
def source() -> Iterator[Path]:
    with campaign.service_copy() as folder:
        yield folder


@pytest.fixture(scope="module")
def result(source: Path) -> CampaignResult:
    return campaign.play_episode(SEED, SCENARIOS, package_root=source)


def test_no_law_is_broken(result: CampaignResult) -> None:
    assert [f"{violation.law}: {violation.detail}" for _, violation in result.violations] == []


def test_the_faults_were_really_injected(result: CampaignResult) -> None:
    played = [name for name in SCENARIOS if result.injected[name]]
    assert len(played) >= len(SCENARIOS) - 3, (result.injected, result.errors)
    assert result.operations["put accepted"] > 50


def test_a_seeded_defect_is_caught(source: Path) -> None:
    defect = next(defect for defect in DEFECTS if defect.name == CAUGHT)
    assert defect.law in selfcheck.broken_laws(defect, SEED, source)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_every_seeded_defect_still_applies_and_is_a_program(defect: Defect, valkey_url: str) -> None:
    """A mistake of grammar stops the service, and would show nothing about the checker."""
    text, file = defect.changed_text(ROOT), Path(defect.file)
    if file.suffix == ".py":
        compile(text, defect.file, "exec")
        return
    if file.parent.name == "lib":
        text = f"#!lua\n-- keys: slot\n-- args: none\n{text}"
    with Redis.from_url(valkey_url) as client:
        client.script_load(script_loader.parse(file.stem, text).text)


def test_the_document_lists_every_seeded_defect_with_the_law_that_it_breaks() -> None:
    document = (ROOT / "docs" / "faults.md").read_text("utf-8")
    rows = {
        row.split(" | ")[0]: row.split(" | ")[1]
        for row in re.findall(r"^\| (.+) \|$", document, re.MULTILINE)
    }
    assert [
        defect.name for defect in DEFECTS if not rows.get(defect.name, "").startswith(f"`{defect.law}`")
    ] == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_seeded_defect_names_a_law_and_scenarios_that_exist(defect: Defect) -> None:
    assert defect.law in LAWS
    assert set(defect.scenarios) <= all_scenarios().keys() | SENTINEL_SCENARIOS.keys()


def test_every_named_step_of_the_service_has_a_scenario() -> None:
    names = " ".join(all_scenarios())
    assert [step for step in step_names(PACKAGE) if step not in names] == []
