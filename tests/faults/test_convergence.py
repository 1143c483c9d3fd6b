"""An episode converges without moving the clock past what a process is at work on."""

import pytest

from faults.measured_episode import quiet_episode
from faults.scenarios.google import EVENTS

AGENT = "agent-1"


def test_the_clock_stands_while_a_worker_is_at_google(monkeypatch: pytest.MonkeyPatch) -> None:
    with quiet_episode(20) as episode:
        episode.browser.ensure_connected(AGENT)
        episode.converge()
        for name in ("_IDLE", "_IDLE_LEASED"):
            monkeypatch.setattr(f"faults.episode.{name}", 60.0)  # no machine is so slow
        before = episode.clock.offset
        episode.cluster.cut_webs_from_google()
        episode.google.add_fault("POST", EVENTS, {"delay": 1.0}, times=1)
        episode.backend.put(AGENT, "slow")
        assert episode.google.await_call(0, "calendar.events.insert", contains=f"{AGENT}|slow|")
        assert episode.converge() > 0.1
        assert episode.clock.offset == before
        assert episode.google.event_of(AGENT, "slow")
