"""Faults of Google's answers: lost, torn, slow, missing, refused (F12 to F14, F44), and inserts that arrive late."""

import time
from typing import Any

from faults.episode import Episode

EVENTS, ONE_EVENT = "*/events", "*/events/*"
"""Paths of the Calendar API: all events of a calendar, one event."""
ANY_EVENTS = "*/events*"
_NEW_ZONES = ("America/Coyhaique", "America/Ciudad_Juarez", "Europe/Kyiv")
"""Time zones that were named late: a Google that does not know them yet is likely."""


def _fail_calls(episode: Episode, method: str, path: str, fault: dict[str, Any], count: int) -> int:
    """Let so many calls of one method meet a fault; return how many did."""
    if method == "POST":
        episode.google.add_fault(method, path, fault, times=count)
        episode.put_at_once(count)
    else:
        sessions = [episode.scheduled_session() for _ in range(count)]
        episode.google.add_fault(method, path, fault, times=count)
        job = episode.backend.put if method == "PATCH" else episode.backend.cancel
        for agent, session in sessions:
            episode.jobs.start(job, agent, session)
        episode.jobs.wait()
    faults = episode.google.injected()
    if method == "POST" and fault.get("cut") == "after_commit":
        episode.measurements.counters["ambiguous inserts"] += faults
    return faults


# --- answers that do not arrive (F12) ---


def insert_answer_lost(episode: Episode) -> int:
    """Lose the answer to inserts; in half of the rounds Google may accept an id that is already taken."""
    episode.google.switch(undetected_collisions=episode.rng.random() < 0.5)
    return _fail_calls(episode, "POST", EVENTS, {"cut": "after_commit"}, 10)


def insert_answer_lost_then_cancelled(episode: Episode) -> int:
    """Lose the answer to an insert, and cancel the session before any process has looked at Google."""
    agent, session = episode.stable_agent(), episode.new_session()
    episode.google.add_fault("POST", EVENTS, {"cut": "after_commit"}, times=4)
    episode.backend.put(agent, session)
    episode.backend.cancel(agent, session)
    faults = episode.google.injected()
    episode.measurements.counters["ambiguous inserts"] += faults
    return faults


def patch_answer_lost(episode: Episode) -> int:
    """Lose the answer to changes of events."""
    return _fail_calls(episode, "PATCH", ONE_EVENT, {"cut": "after_commit"}, 5)


def delete_answer_lost(episode: Episode) -> int:
    """Lose the answer to deletions of events."""
    return _fail_calls(episode, "DELETE", ONE_EVENT, {"cut": "after_commit"}, 5)


def request_lost(episode: Episode) -> int:
    """Lose requests on their way to Google."""
    return _fail_calls(
        episode, episode.rng.choice(("POST", "PATCH")), ANY_EVENTS, {"cut": "before_commit"}, 5
    )


def answer_torn(episode: Episode) -> int:
    """Let half of an answer arrive, an HTML page, or an answer without an id."""
    fault = episode.rng.choice(({"truncate": True}, {"html": 200}, {"html": 502}, {"edit": {"id": None}}))
    return _fail_calls(episode, episode.rng.choice(("POST", "PATCH")), ANY_EVENTS, fault, 5)


def answer_dripped(episode: Episode) -> int:
    """Send answers one byte each 0.2 s: a call as a whole must have a deadline."""
    episode.google.add_fault("POST", EVENTS, {"drip": 0.2}, times=5)
    episode.put_in_background(5)
    began = time.monotonic()
    episode.jobs.wait()
    milliseconds = int((time.monotonic() - began) * 1000)
    episode.measurements.record_maximum("longest dripped call, ms", milliseconds)
    return episode.google.injected()


def no_answer(episode: Episode) -> int:
    """Let Google take requests and never answer."""
    episode.google.add_fault("POST", EVENTS, {"hang": True}, times=5)
    episode.put_at_once(5)
    return episode.google.injected()


def unreachable(episode: Episode) -> int:
    """Refuse, reset or delay one web process's connections to Google."""
    web = episode.client.any_web()
    episode.proxy.set(f"{web}-google", episode.rng.choice(("refuse", "cut", "delay")), 0.4)
    episode.put_at_once(3, web=web)
    return 1


def late_insert(episode: Episode) -> int:
    """Let an insert that seemed lost arrive while a second one is under way; Google accepts the id twice."""
    with episode.load.paused():
        agent, session = episode.stable_agent(), episode.new_session("twin")
        # The access token is refreshed first, so that what is held is the insert.
        episode.backend.send_until_answered("put", agent, episode.new_session())
        episode.google.switch(undetected_collisions=True)
        web = episode.client.any_web()
        episode.proxy.set(f"{web}-google", "hold")
        first = episode.jobs.start(episode.backend.put, agent, session, web=web)
        time.sleep(0.3)
        since = episode.google.call_count()
        episode.google.add_fault("POST", EVENTS, {"delay": 0.4}, times=9)
        episode.proxy.set(f"{web}-google", "orphan")
        first.result()
        episode.clock.advance(3)
        second = episode.google.await_call(
            since, "calendar.events.insert", contains=f"|{session}|", seconds=3
        )
        episode.proxy.set(f"{web}-google", "release")
        episode.measurements.counters["ambiguous inserts"] += second is not None
        time.sleep(0.6)
    return 1


# --- refusals (F13, F14) ---


def rate_limited(episode: Episode) -> int:
    """Refuse calls for rate or quota, with every form of Retry-After, absurd ones too."""
    status, reason = episode.rng.choice(
        (
            (429, "rateLimitExceeded"),
            (403, "rateLimitExceeded"),
            (403, "userRateLimitExceeded"),
            (403, "quotaExceeded"),
        )
    )
    wait = episode.rng.choice((None, 2, 10**9, -1, "Fri, 31 Dec 1999 23:59:59 GMT", "soon"))
    fault = {"status": status, "reason": reason} | ({} if wait is None else {"retry_after": wait})
    return _fail_calls(episode, episode.rng.choice(("POST", "PATCH", "DELETE")), ANY_EVENTS, fault, 5)


def change_forbidden(episode: Episode) -> int:
    """Answer 403 to the change of an existing event: no second event may appear beside it."""
    agent, session = episode.scheduled_session()
    fault = {"status": 403, "reason": "forbiddenForNonOrganizer"}
    episode.google.add_fault("PATCH", ONE_EVENT, fault, times=1)
    episode.backend.put(agent, session)
    faults = episode.google.injected()
    episode.google.clear_faults()
    episode.backend.send_until_answered("put", agent, session)
    return faults


def server_error(episode: Episode) -> int:
    """Answer 500, or 503 with Retry-After."""
    status = episode.rng.choice((500, 503, 503))
    fault = {"status": status, "reason": "backendError"} | ({"retry_after": 3} if status == 503 else {})
    return _fail_calls(episode, episode.rng.choice(("POST", "PATCH", "DELETE")), ANY_EVENTS, fault, 5)


def access_token_refused(episode: Episode) -> int:
    """Answer 401: the service has to refresh once and repeat once."""
    fault = {"status": 401, "reason": "authError"}
    return _fail_calls(episode, episode.rng.choice(("POST", "PATCH")), ANY_EVENTS, fault, 2)


def zone_unknown(episode: Episode) -> int:
    """Let Google not know a time zone yet: sessions in it are created and changed all the same (F44)."""
    agent, session = episode.scheduled_session()
    zone = episode.rng.choice(_NEW_ZONES)
    since = episode.google.call_count()
    episode.google.switch(unknown_zones=[zone])
    for name in (session, episode.new_session()):
        response = episode.backend.send_until_answered("put", agent, name, time_zone=zone)
        episode.journal.expect(
            "unanswered",
            agent,
            expected=True,
            actual=response.is_accepted,
            why=f"Google does not know {zone}",
        )
    return sum(call["status"] == 400 for call in episode.google.calls()[since:])
