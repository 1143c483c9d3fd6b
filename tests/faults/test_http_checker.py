"""The second checker sees by HTTP alone what is lost, doubled, old or wrongly answered, in a real set of processes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from faults import http_checker
from faults.episode import Episode
from faults.measured_episode import quiet_episode

AGENT = "agent-1"


@pytest.fixture(scope="module")
def episode() -> Iterator[Episode]:
    with quiet_episode(20) as episode:
        episode.browser.ensure_connected(AGENT)
        for session in PLANTED:
            for _ in range(2):
                episode.backend.send_until_answered("put", AGENT, session)
        episode.backend.send_until_answered("put", AGENT, "cancelled")
        episode.backend.send_until_answered("cancel", AGENT, "cancelled")
        episode.converge()
        yield episode


def differences(episode: Episode) -> set[tuple[str, str]]:
    """Return session and law of each violation."""
    violations = http_checker.check(episode.http_evidence())
    return {(one.detail.split("|")[1].split(":")[0].split()[0], one.law) for one in violations}


def delete(episode: Episode, session: str) -> None:
    """Let the event be gone, as after a lost write."""
    episode.program.change_event(AGENT, session, {"status": "cancelled"})


def double(episode: Episode, session: str) -> None:
    """Let a second event stand, as after a repeated insert; the journal does not call it a person's copy."""
    episode.program.insert_event(AGENT, session, f"{AGENT}|{session}|2")


def put_back(episode: Episode, session: str) -> None:
    """Let the event show the former version again."""
    episode.program.change_event(AGENT, session, {"summary": f"{AGENT}|{session}|1"})


def move(episode: Episode, session: str) -> None:
    """Let the event lie at another time."""
    times = {name: {"dateTime": f"2041-01-01T0{hour}:00:00Z"} for name, hour in (("start", 1), ("end", 2))}
    episode.program.change_event(AGENT, session, times)


def record_as(episode: Episode, session: str, **fields: Any) -> None:
    """Change the stored record of the session behind the service's back."""
    key = episode.store.key(AGENT, "sessions")
    with episode.store.client() as client:
        record = json.loads(client.hget(key, session))
        client.hset(key, session, json.dumps(record | fields))


def forget_status(episode: Episode, session: str) -> None:
    """Let the service say that the session failed."""
    record_as(episode, session, status="failed")


def revive(episode: Episode, session: str) -> None:
    """Let the service say that a cancelled session is scheduled."""
    record_as(episode, session, status="scheduled")


def silence(episode: Episode, session: str) -> None:
    """Take the session's webhooks from the receiver."""
    episode.webhooks.accepted[:] = [
        one for one in episode.webhooks.accepted if one["data"].get("session") != session
    ]


PLANTED: dict[str, tuple[Callable[[Episode, str], None], set[str]]] = {
    "lost": (delete, {"lost", "wrong_answer"}),
    "doubled": (double, {"duplicate"}),
    "old": (put_back, {"wrong_final"}),
    "moved": (move, {"wrong_final"}),
    "wrong-status": (forget_status, {"wrong_answer"}),
    "untold": (silence, {"wrong_answer"}),
}
"""For each session: what is planted, and the laws that have to be named."""


def test_each_planted_difference_is_named_and_nothing_else(episode: Episode) -> None:
    assert differences(episode) == set()
    for session, (plant, _) in PLANTED.items():
        plant(episode, session)
    revive(episode, "cancelled")
    expected = {(session, law) for session, (_, laws) in PLANTED.items() for law in laws}
    assert differences(episode) == expected | {("cancelled", "wrong_answer")}


def test_a_service_that_does_not_answer_is_no_sound_one(episode: Episode) -> None:
    for web in ("web0", "web1"):
        episode.processes.kill(web)
    with pytest.raises(TimeoutError, match="sessions"):
        episode.http_evidence(tries=1)
