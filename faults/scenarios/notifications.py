"""Google's notifications: shuffled, repeated, forged, late (F33).

Google opens channels, since the workers' public address is https. Nobody in the cluster speaks TLS, so what the local
Google itself sends is lost, and the scenario delivers the notifications in an order of its own.
"""

import time
from typing import Any

from faults.episode import Episode
from faults.scenarios.disconnects import disconnect_and_tear_down
from faults.scenarios.erasure import record_slot
from faults.scenarios.times import RETRY

Channel = dict[str, Any]
Notification = dict[str, str]
"""The headers of one notification."""
DETECTION = 11
"""Seconds after a notification by which the service looks at the calendar, and one more."""


def open_channel(episode: Episode, agent: str, seconds: float = 8.0) -> Channel | None:
    """Wait until the agent has a channel, and return it; None after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        channel_id = episode.store.facts(agent).get("channel_id")
        for channel in episode.google.state()["channels"]:
            if channel["id"] == channel_id and channel["alive"]:
                return dict(channel)
        episode.clock.advance(RETRY)
        time.sleep(0.3)
    return None


def notification(channel: Channel, number: int, state: str = "exists") -> Notification:
    """Return a notification as Google would send it."""
    return {
        "X-Goog-Channel-ID": channel["id"],
        "X-Goog-Channel-Token": channel["token"],
        "X-Goog-Resource-ID": channel["resourceId"],
        "X-Goog-Resource-State": state,
        "X-Goog-Message-Number": str(number),
    }


def deliver(episode: Episode, headers: Notification) -> int:
    """Deliver a notification to either web process; return the status of its response."""
    web = episode.client.any_web()
    return episode.client.request(web, "POST", "/google/notifications", headers=headers).status


def shuffled(episode: Episode) -> int:
    """The person changes an event; notifications come in any order and number, some forged."""
    agent, session = episode.scheduled_session()
    channel, event = open_channel(episode, agent), episode.google.event_of(agent, session)
    if channel is None or event is None:
        return 0
    _deliver_forged(episode, agent, channel)
    action, reason = episode.rng.choice((("delete", "deleted_in_google"), ("move", "changed_in_google")))
    times = {"start": "2031-02-03T10:00", "end": "2031-02-03T11:00"} if action == "move" else {}
    episode.google.submit_calendar_form(agent, act=action, calendar=event[0], event=event[1], **times)
    genuine = [notification(channel, number) for number in range(1, 6)]
    genuine.append(notification(channel, 1, "sync"))
    genuine += episode.rng.choices(genuine, k=4)
    episode.rng.shuffle(genuine)
    for headers in genuine:
        deliver(episode, headers)
        episode.clock.advance(episode.rng.choice((0, 0, 3, DETECTION)))
    _expect_reason(episode, agent, session, reason)
    episode.backend.send_until_answered("put", agent, session)
    return len(genuine)


def _deliver_forged(episode: Episode, agent: str, channel: Channel) -> None:
    """Deliver notifications with a wrong token, of an unknown channel, of none: the service must not react."""
    right = notification(channel, 7)
    forged = [
        right | {"X-Goog-Channel-Token": "0" * 32},
        right | {"X-Goog-Channel-ID": right["X-Goog-Channel-ID"][:2] + "e" * 32},
        {"X-Goog-Resource-State": "exists"},
    ]
    before = episode.store.timer(agent, "change_detection")
    statuses = {deliver(episode, headers) for headers in episode.rng.sample(forged, 3)}
    episode.journal.expect(
        "unanswered", agent, expected=True, actual=statuses <= {404, 503, 0}, why="forged notifications"
    )
    after = episode.store.timer(agent, "change_detection")
    if before and before > (episode.clock.now() + 60) * 1000:  # else the daily look may have come between
        episode.journal.expect(
            "too_many_calls", agent, expected=before, actual=after, why="forged notifications"
        )


def _expect_reason(episode: Episode, agent: str, session: str, reason: str) -> None:
    """Expect that the session's reason names the person's change within 10 s."""
    actual, end = "", time.monotonic() + 10
    while actual != reason and time.monotonic() < end:
        episode.clock.advance(DETECTION)
        time.sleep(0.3)
        actual = episode.backend.reason(agent, session)
    episode.journal.expect("unnoticed", agent, expected=reason, actual=actual, why="the person's change")


def after_disconnect(episode: Episode) -> int:
    """Deliver notifications after a disconnect: the channel is stopped, and nothing follows from them."""
    agent = episode.churning_agent()
    channel = open_channel(episode, agent)
    disconnect_and_tear_down(episode, agent)
    if channel is None:
        return 0
    alive = [one for one in episode.google.state()["channels"] if one["id"] == channel["id"] and one["alive"]]
    episode.journal.expect("token_alive", agent, expected=[], actual=alive, why="its channel")
    since = episode.google.call_count()
    for number in range(3):
        deliver(episode, notification(channel, number))
    episode.clock.advance(DETECTION)
    time.sleep(0.6)
    lists = [
        call["path"]
        for call in episode.google.calls()[since:]
        if call["account"] == episode.google.accounts[agent] and call["api_method"] == "calendar.events.list"
    ]
    episode.journal.expect("resurrected", agent, expected=[], actual=lists, why="a late notification")
    record_slot(episode, agent)
    return 3
