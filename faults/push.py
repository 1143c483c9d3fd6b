"""Google's notifications as a campaign delivers them, and the ways to the steps of a channel. Must not judge.

The workers' public address is https, where in the town nobody speaks TLS: Google opens channels, what it sends itself
gets lost, and the campaign sends instead, in the order it likes.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from faults.act import Act
from faults.kinds import _where, end_connection, end_everywhere, kind, slot_exists

Message = dict[str, str]
After = Callable[[], object]
SOON = 11
"""Seconds from a notification to the look that it causes, and one more."""


def channel_of(act: Act, agent: str, seconds: float = 8.0) -> dict[str, Any] | None:
    """Return the channel in force of this agent; None if there is none after all."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        index = _facts(act, agent).get("channel_id")
        for channel in act.driver.google_state()["channels"]:
            if channel["id"] == index and channel["alive"]:
                return dict(channel)
        act.town.advance(31)
        time.sleep(0.3)
    return None


def _facts(act: Act, agent: str) -> dict[str, str]:
    with contextlib.closing(act.town.store.client) as client:
        for key in client.scan_iter(f"*:a:acme/{agent}:facts", count=1000):
            return dict(client.hgetall(key))
    return {}


def message(channel: dict[str, Any], number: int, state: str = "exists") -> Message:
    """Return the headers that Google would send."""
    return {
        "X-Goog-Channel-ID": channel["id"],
        "X-Goog-Channel-Token": channel["token"],
        "X-Goog-Resource-ID": channel["resourceId"],
        "X-Goog-Resource-State": state,
        "X-Goog-Message-Number": str(number),
    }


def ring(act: Act, headers: Message) -> int:
    """Deliver to either web process; return how it was answered."""
    return act.driver.call(act.driver.some_web(), "POST", "/google/notifications", headers=headers).status


@kind("F33 notifications shuffled, repeated, forged")
def shuffled(act: Act) -> int:
    """A person acts; messages come in any order and number, some forged: the state is that of a list."""
    agent, session = act.standing()
    channel, where = channel_of(act, agent), _where(act, agent, session)
    if channel is None or where is None:
        return 0
    _forged(act, agent, channel)
    deed, reason = act.chance.choice((("delete", "deleted_in_google"), ("move", "changed_in_google")))
    times = {"start": "2031-02-03T10:00", "end": "2031-02-03T11:00"} if deed == "move" else {}
    act.driver.as_person(agent, act=deed, calendar=where[0], event=where[1], **times)
    genuine = [message(channel, number) for number in range(1, 6)] + [message(channel, 1, "sync")]
    genuine += act.chance.choices(genuine, k=4)
    act.chance.shuffle(genuine)
    for each in genuine:
        ring(act, each)
        act.town.advance(act.chance.choice((0, 0, 3, SOON)))
    _expect(act, agent, session, reason)
    act.driver.surely("put", agent, session)
    return len(genuine)


def _forged(act: Act, agent: str, channel: dict[str, Any]) -> None:
    """Nobody else's word, and none about an unknown channel, makes anybody look."""
    right = message(channel, 7)
    forged = [
        right | {"X-Goog-Channel-Token": "0" * 32},
        right | {"X-Goog-Channel-ID": right["X-Goog-Channel-ID"][:2] + "e" * 32},
        {"X-Goog-Resource-State": "exists"},
    ]
    before = _look_due(act, agent)
    answers = {ring(act, each) for each in act.chance.sample(forged, 3)}
    act.driver.note(
        "expected", agent=agent, law="unanswered", wanted=True, found=answers <= {404, 503, 0}, why="forged"
    )
    after = _look_due(act, agent)
    if before and before > (act.town.now() + 60) * 1000:  # else the daily look may have come between
        act.driver.note(
            "expected", agent=agent, law="too_many_calls", wanted=before, found=after, why="forged"
        )


def _look_due(act: Act, agent: str) -> float | None:
    with contextlib.closing(act.town.store.client) as client:
        for key in client.scan_iter(f"*:a:acme/{agent}:due", count=1000):
            found = client.zscore(key, "change_detection")
            return None if found is None else float(found)
    return None


def _expect(act: Act, agent: str, session: str, reason: str) -> None:
    found, end = "", time.monotonic() + 10
    while found != reason and time.monotonic() < end:
        act.town.advance(SOON)
        time.sleep(0.3)
        found = act.driver.reason(agent, session)
    act.driver.note(
        "expected", agent=agent, law="unnoticed", wanted=reason, found=found, why="a person's act"
    )


@kind("F33 notifications after a disconnect")
def after_disconnect(act: Act) -> int:
    """They are taken, and nothing follows from them."""
    agent = act.mover()
    channel = channel_of(act, agent)
    end_everywhere(act, agent)
    if channel is None:
        return 0
    left = [
        one for one in act.driver.google_state()["channels"] if one["id"] == channel["id"] and one["alive"]
    ]
    act.driver.note("expected", agent=agent, law="token_alive", wanted=[], found=left, why="its channel")
    since = len(act.driver.calls())
    for number in range(3):
        ring(act, message(channel, number))
    act.town.advance(SOON)
    time.sleep(0.6)
    calls = [
        call["path"]
        for call in act.driver.calls()[since:]
        if call["account"] == act.driver.accounts[agent] and call["api_method"] == "calendar.events.list"
    ]
    act.driver.note("expected", agent=agent, law="resurrected", wanted=[], found=calls, why="a late message")
    slot_exists(act, agent)
    return 3


# --- the ways to the named steps ---


def _renewal(act: Act, whom: tuple[str, str]) -> After:
    """The channel is to be renewed now: as if its days were over."""
    with contextlib.closing(act.town.store.client) as client:
        for key in client.scan_iter(f"*:a:acme/{whom[0]}:facts", count=1000):
            shard = key.partition(":")[0]
            client.hset(key, "channel_renew_at", "1")
            client.zadd(key.replace(":facts", ":due"), {"channel": 1})
            client.zadd(f"{shard}:timers", {f"acme/{whom[0]}": 1})
    time.sleep(0.8)
    act.town.advance(31)
    return lambda: channel_of(act, whom[0])


def _look(act: Act, whom: tuple[str, str]) -> After:
    channel = channel_of(act, whom[0])
    if channel:
        ring(act, message(channel, 1))
    act.town.advance(SOON)
    time.sleep(0.6)
    act.town.advance(31)
    return lambda: None


def _errand(act: Act, whom: tuple[str, str]) -> After:
    for web in ("web0", "web1"):
        act.town.link(f"{web}-google", "refuse")
    end_connection(act, whom[0])
    act.town.advance(5)
    time.sleep(0.6)
    act.town.advance(31)
    return lambda: act.driver.state(whom[0])


def _disconnect(act: Act, web: str, whom: tuple[str, str]) -> After:
    act.driver.disconnect(whom[0], web)
    return lambda: (end_connection(act, whom[0]), act.driver.state(whom[0]))


WORKER: dict[str, Callable[[Act, tuple[str, str]], After]] = {
    "channel.after_watch_before_store": _renewal,
    "channel.after_stop_before_store": _renewal,
    "look.after_list_before_store": _look,
    "errand.after_channel_stopped": _errand,
}
WEB: dict[str, Callable[[Act, str, tuple[str, str]], After]] = {"errand.after_channel_stopped": _disconnect}


def prepared(act: Act, name: str) -> tuple[str, str] | None:
    """Return who has a channel, for a step that needs one; None for every other step."""
    if name not in WORKER:
        return None
    agent = act.mover() if name.startswith("errand.") else act.stayer()
    channel_of(act, agent)
    return agent, ""
