"""A newer policy on a real `run`: published, started anew, shown to the agent, agreed to; the sessions go on."""

from pathlib import Path

from tests.e2e.test_main_job_over_http import Backend, connect, ours
from tests.e2e.test_operators_over_http import WHEN, read
from tests.e2e.test_run import command, running
from tests.e2e.test_webhooks_over_http import until
from tests.support.evidence import shows

POLICY = """
extends = "videsk"
[policy]
version = "2"
date = "2026-06-01"
changes = { en = "Rooms are named.", es = "Las salas tienen nombre." }
"""


@shows("SC-5")
def test_after_a_newer_policy_each_agent_agrees_again_and_goes_on(tmp_path: Path) -> None:
    data, overlay = tmp_path / "data", tmp_path / "policy.toml"
    overlay.write_text(POLICY, "utf-8")
    with running(data) as run:
        backend = Backend(run, "api-key")
        connect(run, backend)
        assert backend("PUT", "/agents/ana/sessions/s1", WHEN)[0] == 201
        run.stop()
    with running(data, CALENDAR_OPERATOR=str(overlay)) as run:
        backend = Backend(run, "api-key")
        shown = backend("GET", "/agents/ana/connection")[1]
        assert (shown["state"], shown["action"]["code"]) == ("reconsent_required", "review_consent")
        status, waits = backend("PUT", "/agents/ana/sessions/s2", WHEN)
        assert (status, waits["status"], waits["reason"]) == (202, "waiting", "reconsent_required")
        assert "agents who have to agree again: 1" in command(data, "doctor").stdout

        person = connect(run, backend, seeing="Rooms are named.")
        assert "Connected" in read(person)
        assert backend("GET", "/agents/ana/connection")[1]["state"] == "connected"
        until(lambda: backend("GET", "/agents/ana/sessions/s2")[1]["status"] == "scheduled")
        assert backend("GET", "/agents/ana/sessions/s1?read=google")[1]["html_link"]
        assert len(ours(run)) == 1
        assert "nobody is asked for more" in command(data, "doctor").stdout
