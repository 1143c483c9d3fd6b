"""The kinds of faults, each a short scenario over an act; each returns how many faults it injected.

Must not judge: what must hold afterwards is the oracle's. Names begin with the number of the fault in the list
of `docs/faults.md`.
"""

import contextlib
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from faults.act import Act
from faults.town import fresh_key

Kind = Callable[[Act], int]
KINDS: dict[str, Kind] = {}

EVENTS, ONE_EVENT = "*/events", "*/events/*"
HOUR, DAY = 3600.0, 86_400.0
TERM = 7 * DAY


def kind(name: str) -> Callable[[Kind], Kind]:
    """Enter a scenario in the list."""

    def enter(scenario: Kind) -> Kind:
        KINDS[name] = scenario
        return scenario

    return enter


def _new(act: Act, count: int, **named: Any) -> None:
    """Create so many sessions at once."""
    for _ in range(count):
        act.at_once(act.driver.put, act.stayer(), act.name(), **named)
    act.gather()


def _other(web: str) -> str:
    return "web1" if web == "web0" else "web0"


# --- the store ---


@kind("F1 store killed")
def store_killed(act: Act) -> int:
    """Kill the store under load and start it again."""
    act.at_once(act.driver.put, act.stayer(), act.name())
    time.sleep(act.chance.uniform(0, 0.05))
    act.town.store.kill()
    time.sleep(act.chance.uniform(0, 0.1))
    act.town.store.start()
    return 1


@kind("F2 power lost")
def power_lost(act: Act) -> int:
    """Kill the store and cut its file back to what was synchronized."""
    for _ in range(4):
        act.at_once(act.driver.put, act.stayer(), act.name())
    if act.chance.random() < 0.5:
        time.sleep(act.chance.uniform(0, 0.06))
    else:
        _await_growth(act)
    lost = act.town.store.cut_power()
    act.counted["power cuts"] += 1
    act.counted["power cuts that took something"] += lost > 0
    act.counted["bytes lost to power cuts"] += lost
    act.town.store.start()
    return 1


def _await_growth(act: Act) -> None:
    """Wait for the moment between a write and its synchronization."""
    size, end = act.town.store.file_size(), time.monotonic() + 0.1
    while act.town.store.file_size() == size and time.monotonic() < end:
        pass


@kind("F5 store out of memory")
def store_memory(act: Act) -> int:
    """No memory for writes: what frees must work, what fills must be refused whole."""
    agent = act.mover()
    with contextlib.closing(act.town.store.client) as client:
        client.config_set("maxmemory", "1")
        _new(act, 2)
        answer = act.driver.disconnect(agent)
        act.driver.note(
            "expected",
            agent=agent,
            law="unanswered",
            wanted=200,
            found=answer.status,
            why="disconnect without memory",
        )
        client.config_set("maxmemory", "0")
    act.driver.surely_connect(agent)
    return 1


@kind("F6 store stands still")
def store_stopped(act: Act) -> int:
    """Stop the store for a moment, now and then for longer than any patience."""
    act.town.store.signal(signal.SIGSTOP)
    for _ in range(3):
        act.at_once(act.driver.put, act.stayer(), act.name())
    time.sleep(act.chance.choice((0.2, 0.4, 0.8, 5.5)))
    act.town.store.signal(signal.SIGCONT)
    return 1


@kind("F6 store slow")
def store_slow(act: Act) -> int:
    """Every piece between one process and the store takes long."""
    name = act.chance.choice(("web0", "web1", "worker0"))
    act.town.link(f"{name}-store", "delay", act.chance.choice((0.05, 0.15, 0.3)))
    _new(act, 2)
    return 1


@kind("F7 store cut off")
def store_cut(act: Act) -> int:
    """One process loses its connections to the store, and cannot open new ones for a while."""
    name = act.chance.choice(tuple(act.town.processes))
    web = name if name.startswith("web") else None
    for _ in range(3):
        act.at_once(act.driver.put, act.stayer(), act.name(), web=web)
    time.sleep(act.chance.uniform(0, 0.03))
    act.town.link(f"{name}-store", act.chance.choice(("cut", "refuse")))
    time.sleep(0.1)
    return 1


@kind("F7 store's answers lost")
def store_mute(act: Act) -> int:
    """What a process asks of the store is done, and it never learns so."""
    name = act.chance.choice(tuple(act.town.processes))
    act.town.link(f"{name}-store", act.chance.choice(("mute", "blackhole")))
    web = name if name.startswith("web") else None
    for _ in range(3):
        act.at_once(act.driver.put, act.stayer(), act.name(), web=web)
    time.sleep(act.chance.uniform(0.05, 0.3))
    act.town.link(f"{name}-store", "pass")
    return 1


@kind("F8 disk full")
def disk_full(act: Act) -> int:
    """The append-only file may not grow: a write is torn, the store ends; then there is room again."""
    act.town.store.limit_file(act.chance.randrange(1, 2000))
    for _ in range(4):
        act.at_once(act.driver.put, act.stayer(), act.name())
    end = time.monotonic() + 2
    while act.town.store.runs and time.monotonic() < end:
        time.sleep(0.01)
    if act.town.store.runs:
        act.town.store.limit_file(None)
    else:
        act.town.store.start()
    return 1


# --- processes ---


@kind("F9 worker killed")
def worker_killed(act: Act) -> int:
    """Kill a worker while it brings waiting sessions to Google."""
    for web in ("web0", "web1"):
        act.town.link(f"{web}-google", "refuse")
    _new(act, 4)
    act.town.advance(31)
    time.sleep(act.chance.uniform(0.3, 0.7))
    act.town.restart(act.chance.choice(("worker0", "worker1")))
    return 1


@kind("F11 web killed")
def web_killed(act: Act) -> int:
    """Kill a web process with requests under way."""
    web = act.driver.some_web()
    for _ in range(4):
        act.at_once(act.driver.put, act.stayer(), act.name(), web=web)
    time.sleep(act.chance.uniform(0.005, 0.06))
    act.town.restart(web)
    return 1


@kind("F11 web killed after Google accepted")
def web_killed_after_insert(act: Act) -> int:
    """Google has the event, the web process dies before it knows."""
    agent, session = act.stayer(), act.name()
    version = act.driver.next_version(agent, session)
    struck = _killed_at_insert(act, agent, session, version)
    if act.chance.random() < 0.5:
        act.driver.put(agent, session, version=version)
    return struck


def _killed_at_insert(act: Act, agent: str, session: str, version: int) -> int:
    """Google has the event, the web process that asked for it is dead; return 1 if it came so far."""
    web = act.driver.some_web()
    since = len(act.driver.calls())
    act.driver.rule("POST", EVENTS, {"delay": 3}, times=8)
    act.at_once(act.driver.put, agent, session, web=web, version=version)
    found = act.driver.await_call(since, "calendar.events.insert", contains=f"|{session}|")
    act.town.kill(web)
    act.town.google.clear_faults()
    act.town.start(web)
    act.gather()
    act.counted["ambiguous inserts"] += found is not None
    return int(found is not None)


@kind("F11 web killed, then cancelled")
def web_killed_then_cancelled(act: Act) -> int:
    """The cancel comes before anybody looked what became of the create."""
    agent, session = act.stayer(), act.name()
    struck = _killed_at_insert(act, agent, session, act.driver.next_version(agent, session))
    act.driver.surely("cancel", agent, session)
    return struck


@kind("F11 web killed, refused since, then cancelled")
def web_killed_then_refused(act: Act) -> int:
    """Who goes on after the dead one is refused, and knows no better than before; then comes the cancel."""
    agent, session = act.stayer(), act.name()
    struck = _killed_at_insert(act, agent, session, act.driver.next_version(agent, session))
    act.driver.rule("*", "*/events*", {"status": 429, "reason": "rateLimitExceeded"}, times=8)
    act.town.advance(31)
    end = time.monotonic() + 3
    while not act.driver.struck() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.2)
    act.town.google.clear_faults()
    act.driver.surely("cancel", agent, session)
    return struck


@kind("F12 insert arrives late, twins possible")
def late_insert(act: Act) -> int:
    """The first insert seems lost and arrives while the second is made; Google does not see that the id is taken."""
    with act.quiet():
        agent, session = act.stayer(), act.name("twin")
        act.driver.surely("put", agent, act.name())  # the token is fresh
        act.town.google.switch(undetected_collisions=True)
        web = act.driver.some_web()
        act.town.link(f"{web}-google", "hold")
        first = act.at_once(act.driver.put, agent, session, web=web)
        time.sleep(0.3)
        since = len(act.driver.calls())
        act.driver.rule("POST", EVENTS, {"delay": 0.4}, times=9)
        act.town.link(f"{web}-google", "orphan")
        first.result()
        act.town.advance(3)
        found = act.driver.await_call(since, "calendar.events.insert", contains=f"|{session}|", seconds=3)
        act.town.link(f"{web}-google", "release")
        if found:
            act.counted["ambiguous inserts"] += 1
        time.sleep(0.6)
    return 1


@kind("F34 rolling restart")
def rolling_restart(act: Act) -> int:
    """End a web process politely: what it took on, it finishes."""
    web, agent, session = act.driver.some_web(), act.stayer(), act.name()
    since = len(act.driver.calls())
    act.driver.rule("POST", EVENTS, {"delay": 0.4}, times=4)
    asked = act.at_once(act.driver.put, agent, session, web=web)
    found = act.driver.await_call(since, "calendar.events.insert", contains=f"|{session}|", seconds=3)
    act.town.terminate(web)
    answer = asked.result()
    if found:
        act.driver.note(
            "expected",
            agent=agent,
            law="unanswered",
            wanted=True,
            found=answer.accepted,
            why="SIGTERM under way",
        )
    act.town.start(web)
    name = act.chance.choice(("worker0", "worker1"))
    act.town.terminate(name)
    act.town.start(name)
    return 2


@kind("F16 holder stands still")
def stopped_holder(act: Act) -> int:
    """A worker stops at Google until its lease is over; another goes on; then the first wakes up."""
    agent, session = act.standing()
    for web in ("web0", "web1"):
        act.town.link(f"{web}-google", "refuse")
    since = len(act.driver.calls())
    act.driver.rule("PATCH", ONE_EVENT, {"delay": 0.5}, times=2)
    act.driver.put(agent, session)
    act.town.advance(31)
    act.driver.await_call(since, "calendar.events.patch", contains=f"|{session}|", seconds=3)
    name = act.chance.choice(("worker0", "worker1"))
    act.town.stop(name)
    for web in ("web0", "web1"):
        act.town.link(f"{web}-google", "pass")
    act.town.advance(45)
    act.driver.put(agent, session)
    time.sleep(0.6)
    act.town.go_on(name)
    return 1


@kind("F16 late write")
def late_write(act: Act) -> int:
    """A reschedule hangs on its way to Google until a newer one is settled; then it arrives."""
    agent, session = act.standing()
    web = act.driver.some_web()
    act.town.link(f"{web}-google", "hold")
    first = act.at_once(act.driver.put, agent, session, web=web)
    time.sleep(0.25)
    act.town.advance(45)
    act.driver.put(agent, session, web=_other(web))
    time.sleep(0.1)
    act.town.link(f"{web}-google", "release")
    first.result()
    return 1


def _late_create(act: Act, then: str) -> int:
    """A create hangs until its lease is over and a worker has done it; then its line goes on, or is cut."""
    agent, session = act.stayer(), act.name()
    web = act.driver.some_web()
    act.driver.surely("put", agent, act.name(), web=web)  # the token is fresh
    act.town.link(f"{web}-google", "hold")
    since = len(act.driver.calls())
    first = act.at_once(act.driver.put, agent, session, web=web)
    time.sleep(0.25)
    act.town.advance(31)
    act.driver.await_call(since, "calendar.events.insert", contains=f"|{session}|", seconds=4)
    time.sleep(0.2)
    act.town.link(f"{web}-google", then)
    first.result()
    return 1


@kind("F16 late settling")
def late_settling(act: Act) -> int:
    """The former holder of a create learns of a failure when a worker has done it."""
    return _late_create(act, "cut")


@kind("F16 late create")
def late_create(act: Act) -> int:
    """The former holder's insert arrives at Google after the worker's."""
    return _late_create(act, "release")


@kind("F16 one at Google")
def one_at_google(act: Act) -> int:
    """While one holds a session, nobody else writes it."""
    agent, session = act.stayer(), act.name()
    web = act.driver.some_web()
    act.driver.surely("put", agent, act.name())  # the token is fresh
    act.town.link(f"{web}-google", "hold")
    first = act.at_once(act.driver.put, agent, session, web=web)
    time.sleep(0.3)
    since, began = len(act.driver.calls()), time.monotonic()
    act.driver.put(agent, session, web=_other(web))
    if time.monotonic() - began < 3 and not first.done():
        act.driver.note(
            "window", agent=agent, why="a session leased to another", since=since, until=len(act.driver.calls()),
            method="calendar.events", contains=f"|{session}|", grant_type=None, at_most=0,
        )  # fmt: skip
    act.town.link(f"{web}-google", "release")
    first.result()
    return 1


@kind("F16 refresh by many")
def refresh_race(act: Act) -> int:
    """The access token is over, and both replicas and the workers want a new one at once."""
    agent = act.stayer()
    act.driver.surely("put", agent, act.name())
    before = act.town.now() * 1000
    probes = _probe_due(act, agent)
    act.town.advance(HOUR)
    # A probe of the same hour refreshes once more, and so does whoever finds the lease's holder dead.
    extra = 1 if probes is None or probes <= before + (HOUR + 60) * 1000 else 0
    since = len(act.driver.calls())
    for number in range(8):
        act.at_once(act.driver.put, agent, act.name(), web=f"web{number % 2}")
    act.gather()
    act.driver.note(
        "window", agent=agent, why="one expiry", since=since, until=len(act.driver.calls()),
        method="oauth2.token", contains=act.driver.accounts[agent], grant_type="refresh_token", at_most=1 + extra,
    )  # fmt: skip
    act.counted["refresh races"] += 1
    return 1


@kind("F16 refresh lease lost")
def refresh_lease(act: Act) -> int:
    """A refresh outlives its lease; giving it back must not free the next holder's."""
    agent = act.mover()
    act.town.advance(HOUR)
    time.sleep(0.05)
    act.town.link("web0-google", "hold")
    act.town.link("web1-google", "hold")
    first = act.at_once(act.driver.put, agent, act.name(), web="web0")
    time.sleep(0.25)
    act.town.advance(31)
    act.town.stop("worker0")
    act.town.stop("worker1")
    second = act.at_once(act.driver.put, agent, act.name(), web="web1")
    time.sleep(0.25)
    act.town.link("web0-google", "cut")  # the first holder fails, and gives its lease back
    first.result()
    since = len(act.driver.calls())
    act.at_once(act.driver.put, agent, act.name(), web="web0")
    time.sleep(0.5)
    until = len(act.driver.calls())
    if not second.done():
        act.driver.note(
            "window", agent=agent, why="a refresh leased to another", since=since, until=until,
            method="oauth2.token", contains=act.driver.accounts[agent], grant_type="refresh_token", at_most=0,
        )  # fmt: skip
    act.town.link("web1-google", "release")
    act.town.go_on("worker0")
    act.town.go_on("worker1")
    return 1


def _probe_due(act: Act, agent: str) -> float | None:
    with contextlib.closing(act.town.store.client) as client:
        for key in client.scan_iter(f"*:a:acme/{agent}:due"):
            score = client.zscore(key, "probe")
            return None if score is None else float(score)
    return None


# --- Google's answers ---


def _lost(act: Act, method: str, path: str, deed: dict[str, Any], count: int) -> int:
    """Let so many calls of one method meet a deed."""
    if method == "POST":
        act.driver.rule(method, path, deed, times=count)
        _new(act, count)
    else:
        standing = [act.standing() for _ in range(count)]
        act.driver.rule(method, path, deed, times=count)
        job = act.driver.put if method == "PATCH" else act.driver.cancel
        for agent, session in standing:
            act.at_once(job, agent, session)
        act.gather()
    struck = act.driver.struck()
    if method == "POST" and deed.get("cut") == "after_commit":
        act.counted["ambiguous inserts"] += struck
    return struck


@kind("F12 answer to insert lost")
def insert_lost(act: Act) -> int:
    """Google has it, we do not know; twins are possible in half of the rounds."""
    act.town.google.switch(undetected_collisions=act.chance.random() < 0.5)
    return _lost(act, "POST", EVENTS, {"cut": "after_commit"}, 10)


@kind("F12 answer lost, cancelled at once")
def lost_then_cancelled(act: Act) -> int:
    """The insert's answer is lost, and the cancel comes before anybody looked."""
    agent, session = act.stayer(), act.name()
    act.driver.rule("POST", EVENTS, {"cut": "after_commit"}, times=4)
    act.driver.put(agent, session)
    act.driver.cancel(agent, session)
    struck = act.driver.struck()
    act.counted["ambiguous inserts"] += struck
    return struck


@kind("F12 answer to patch lost")
def patch_lost(act: Act) -> int:
    """As for inserts."""
    return _lost(act, "PATCH", ONE_EVENT, {"cut": "after_commit"}, 5)


@kind("F12 answer to delete lost")
def delete_lost(act: Act) -> int:
    """As for inserts."""
    return _lost(act, "DELETE", ONE_EVENT, {"cut": "after_commit"}, 5)


@kind("F12 request lost")
def request_lost(act: Act) -> int:
    """Google never saw it."""
    return _lost(act, act.chance.choice(("POST", "PATCH")), "*/events*", {"cut": "before_commit"}, 5)


@kind("F12 answer torn")
def answer_torn(act: Act) -> int:
    """Half of the body, another body, or a page."""
    deed = act.chance.choice(({"truncate": True}, {"html": 200}, {"html": 502}, {"edit": {"id": None}}))
    return _lost(act, act.chance.choice(("POST", "PATCH")), "*/events*", deed, 5)


@kind("F12 answer dripped")
def answer_dripped(act: Act) -> int:
    """One byte at a time: the whole call has a deadline."""
    act.driver.rule("POST", EVENTS, {"drip": 0.2}, times=5)
    for _ in range(5):
        act.at_once(act.driver.put, act.stayer(), act.name())
    began = time.monotonic()
    act.gather()
    act.numbers["longest dripped call, ms"] = max(
        act.numbers["longest dripped call, ms"], int((time.monotonic() - began) * 1000)
    )
    return act.driver.struck()


@kind("F12 no answer")
def no_answer(act: Act) -> int:
    """Google takes the request and says nothing."""
    act.driver.rule("POST", EVENTS, {"hang": True}, times=5)
    for _ in range(5):
        act.at_once(act.driver.put, act.stayer(), act.name())
    act.gather()
    return act.driver.struck()


@kind("F12 Google unreachable")
def google_unreachable(act: Act) -> int:
    """Nobody answers there for a while."""
    web = act.driver.some_web()
    act.town.link(f"{web}-google", act.chance.choice(("refuse", "cut", "delay")), 0.4)
    for _ in range(3):
        act.at_once(act.driver.put, act.stayer(), act.name(), web=web)
    act.gather()
    return 1


@kind("F13 rate limited")
def rate_limited(act: Act) -> int:
    """429 and its forms, with and without Retry-After, absurd ones too."""
    status, reason = act.chance.choice(
        (
            (429, "rateLimitExceeded"),
            (403, "rateLimitExceeded"),
            (403, "userRateLimitExceeded"),
            (403, "quotaExceeded"),
        )
    )
    wait = act.chance.choice((None, 2, 10**9, -1, "Fri, 31 Dec 1999 23:59:59 GMT", "soon"))
    deed = {"status": status, "reason": reason} | ({} if wait is None else {"retry_after": wait})
    return _lost(act, act.chance.choice(("POST", "PATCH", "DELETE")), "*/events*", deed, 5)


@kind("F13 change forbidden")
def forbidden(act: Act) -> int:
    """403 for a change of an event that stands: refused and told, never a second event beside it."""
    agent, session = act.standing()
    act.driver.rule("PATCH", ONE_EVENT, {"status": 403, "reason": "forbiddenForNonOrganizer"}, times=1)
    act.driver.put(agent, session)
    struck = act.driver.struck()
    act.town.google.clear_faults()
    act.driver.surely("put", agent, session)
    return struck


@kind("F13 server error")
def server_error(act: Act) -> int:
    """500, 502, 503."""
    status = act.chance.choice((500, 503, 503))
    deed = {"status": status, "reason": "backendError"} | ({"retry_after": 3} if status == 503 else {})
    return _lost(act, act.chance.choice(("POST", "PATCH", "DELETE")), "*/events*", deed, 5)


@kind("F14 access token refused")
def unauthorized(act: Act) -> int:
    """401: one refresh, one repeat."""
    return _lost(
        act, act.chance.choice(("POST", "PATCH")), "*/events*", {"status": 401, "reason": "authError"}, 2
    )


@kind("F15 event deleted by the person")
def event_deleted(act: Act) -> int:
    """The person deletes an event; the next change brings it back, a cancel finds nothing left."""
    agent, session = act.stayer(), act.name()
    answer = act.driver.surely("put", agent, session)
    read = _where(act, agent, session) if answer.accepted else None
    if read is None:
        return 0
    act.driver.as_person(agent, act="delete", calendar=read[0], event=read[1])
    act.driver.surely(act.chance.choice(("put", "cancel")), agent, session)
    return 1


def _where(act: Act, agent: str, session: str) -> tuple[str, str] | None:
    for calendar in act.driver.google_state()["calendars"]:
        for event in calendar["events"]:
            if f"{agent}|{session}|" in event.get("summary", "") and event["status"] != "cancelled":
                return calendar["id"], event["id"]
    return None


@kind("F15 calendar deleted by the person")
def calendar_deleted(act: Act) -> int:
    """The calendar goes with everything in it; the agent asks for another."""
    agent = act.mover()
    calendars = [
        calendar["id"]
        for calendar in act.driver.google_state()["calendars"]
        if calendar["owner"] == act.driver.accounts[agent] and calendar["id"] != calendar["owner"]
    ]
    act.driver.note("broken", agent=agent)
    for calendar in calendars:
        act.driver.as_person(agent, act="delete_calendar", calendar=calendar)
    act.driver.put(agent, act.name())
    end = time.monotonic() + 10
    while act.driver.state(agent) == "connected" and time.monotonic() < end:
        act.town.advance(31)
        time.sleep(0.2)
    act.driver.surely_connect(agent)
    act.driver.surely("put", agent, act.name())
    return 1


# --- tokens ---


@kind("F17 refresh answer lost")
def refresh_lost(act: Act) -> int:
    """Google answered the refresh, and the answer is cut."""
    act.town.advance(HOUR)
    act.driver.rule("POST", "/token", {"cut": act.chance.choice(("after_commit", "before_commit"))}, times=2)
    _new(act, 3)
    return act.driver.struck()


@kind("F17 token endpoint in trouble")
def token_trouble(act: Act) -> int:
    """Whatever is no `invalid_grant` leaves the grant alone."""
    act.town.advance(HOUR)
    deed = act.chance.choice(
        (
            {"status": 500}, {"status": 503, "retry_after": 2}, {"html": 502}, {"html": 200}, {"invalid_client": True},
            {"status": 400, "reason": "invalid_request"}, {"status": 403, "reason": "org_internal"}, {"truncate": True},
            {"status": 500, "reason": "invalid_grant"}, {"status": 400, "reason": "admin_policy_enforced"},
        )
    )  # fmt: skip
    act.driver.rule("POST", "/token", deed, times=3)
    _new(act, 3)
    return act.driver.struck()


@kind("F18 revoked at Google")
def revoked_at_google(act: Act) -> int:
    """The person takes the access away; it is noticed by use or by a probe, and only by proof."""
    agent = act.mover()
    if not act.driver.take_access_away(agent):
        return 0
    if act.chance.random() < 0.5:
        act.town.advance(HOUR)
        act.driver.put(agent, act.name())
    else:
        act.town.advance(25 * HOUR)
    _notice(act, agent)
    act.driver.surely_connect(agent)
    act.driver.surely("put", agent, act.name())
    return 1


@kind("F18 revoked at Google while paused")
def revoked_while_paused(act: Act) -> int:
    """Nothing is written and nothing is looked at meanwhile: only a probe can notice it."""
    agent = act.mover()
    if not act.driver.pause(agent).accepted or not act.driver.take_access_away(agent):
        return 0
    act.town.advance(25 * HOUR)
    _notice(act, agent)
    act.driver.surely_connect(agent)
    return 1


def _notice(act: Act, agent: str) -> None:
    """Wait until the service says that the access is gone."""
    end = time.monotonic() + 10
    while (state := act.driver.state(agent)) in {"connected", "paused"} and time.monotonic() < end:
        act.town.advance(31)
        time.sleep(0.2)
    act.driver.note(
        "expected", agent=agent, law="unnoticed", wanted="revoked", found=state or "revoked", why="revoked"
    )


@kind("F19 revocation fails")
def revocation_fails(act: Act) -> int:
    """Disconnect holds at once, whatever the revocation endpoint says."""
    agent = act.mover()
    deed = act.chance.choice(
        ({"status": 500}, {"status": 400, "reason": "invalid_request"}, {"cut": "before_commit"},
         {"cut": "after_commit"}, {"html": 200}, {"status": 503, "retry_after": 60})
    )  # fmt: skip
    act.driver.rule("POST", "/revoke", deed, times=2)
    end_connection(act, agent)
    act.driver.state(agent)
    act.driver.put(agent, act.name())
    struck = act.driver.struck()
    act.town.advance(10)
    return struck


def end_connection(act: Act, agent: str, *, erase: bool = False) -> None:
    """Disconnect until it is acknowledged."""
    for _ in range(40):
        if act.driver.disconnect(agent, erase=erase).status in {200, 409}:
            return
        time.sleep(0.1)


def end_everywhere(act: Act, agent: str) -> None:
    """Disconnect, and wait until Google has been told of every end: a week later nobody would try any more."""
    end_connection(act, agent)
    end = time.monotonic() + 10
    with contextlib.closing(act.town.store.client) as client:
        while time.monotonic() < end:
            if not any(True for _ in client.scan_iter("*:a:acme/*:errands", count=1000)):
                return
            act.town.advance(31)
            time.sleep(0.3)


@kind("F20 reconnect before the revocation")
def reconnect_first(act: Act) -> int:
    """The revocation is on its way when the same account connects again."""
    agent = act.mover()
    act.driver.rule(
        "POST",
        "/revoke",
        act.chance.choice(({"delay": 1.0}, {"cut": "before_commit"}, {"delay": 0.3})),
        times=2,
    )
    ending = act.at_once(end_connection, act, agent)
    time.sleep(act.chance.uniform(0, 0.2))
    act.driver.state(agent)
    act.driver.connect(agent)
    ending.result()
    struck = max(1, act.driver.struck())
    act.driver.surely_connect(agent)
    act.driver.surely("put", agent, act.name())
    act.town.advance(65)
    return struck


@kind("F21 one account, two agents")
def shared_account(act: Act) -> int:
    """One of two leaves; the other's grant lives on."""
    pair = ("pair-0", "pair-1")
    for agent in pair:
        act.driver.accounts[agent] = "pair@faults.test"
        act.driver.surely_connect(agent)
    leaving, staying = act.chance.sample(pair, 2)
    end_connection(act, leaving, erase=act.chance.random() < 0.3)
    act.town.advance(HOUR)
    answer = act.driver.put(staying, act.name())
    act.driver.note(
        "expected", agent=staying, law="grant_killed", wanted=True, found=answer.status in {0, 200, 201, 202, 503},
        why="the other agent left",
    )  # fmt: skip
    act.driver.state(staying)
    act.driver.surely_connect(leaving)
    return 1


# --- clocks and erasure ---


@kind("F22 clock jumps")
def clock_jumps(act: Act) -> int:
    """All clocks together, forward and back."""
    _new(act, 2)
    act.town.advance(act.chance.choice((300, 600, HOUR, -240, -60)))
    _new(act, 2)
    return 1


@kind("F22 a worker's clock is wrong")
def skewed_worker(act: Act) -> int:
    """A worker a month ahead or behind erases nothing too early."""
    agent = act.mover()
    end_connection(act, agent)
    act.town.kill("worker1")
    act.town.restart("worker0", CALENDAR_TEST_SKEW=str(act.chance.choice((31, -31, 8)) * DAY))
    act.town.advance(act.chance.choice((60, DAY, 6 * DAY)))
    time.sleep(0.8)
    slot_exists(act, agent)
    act.counted["erasures under clock steps"] += 1
    return 1


@kind("F22 web's clock is wrong")
def skewed_web(act: Act) -> int:
    """A web process five minutes off."""
    web = act.driver.some_web()
    act.town.restart(web, CALENDAR_TEST_SKEW=str(act.chance.choice((300, -300))))
    _new(act, 3, web=web)
    return 1


def is_there(act: Act, agent: str) -> bool:
    """Tell whether anything of the agent's connection is in the store."""
    with contextlib.closing(act.town.store.client) as client:
        return any(True for _ in client.scan_iter(f"*:a:acme/{agent}:facts", count=1000))


def slot_exists(act: Act, agent: str) -> bool:
    """Tell the same, and write it down: the oracle compares it with the term."""
    exists = is_there(act, agent)
    act.driver.note("slot", agent=agent, exists=exists)
    return exists


@kind("F10 erasure at its term")
def erasure_due(act: Act) -> int:
    """Not before its term, and soon after; a worker dies under it, or was away until then."""
    agent = act.mover()
    end_everywhere(act, agent)
    time.sleep(0.3)
    act.town.advance(TERM - 900)
    time.sleep(0.7)
    slot_exists(act, agent)
    way = act.chance.choice(("kill", "absent", "memory"))
    if way == "absent":
        act.town.kill("worker0")
        act.town.kill("worker1")
    act.town.advance(930)
    if way == "kill":
        time.sleep(act.chance.uniform(0.2, 0.6))
        act.town.restart(act.chance.choice(("worker0", "worker1")))
    elif way == "memory":
        with contextlib.closing(act.town.store.client) as client:
            client.config_set("maxmemory", "1")
            time.sleep(0.6)
            client.config_set("maxmemory", "0")
    act.town.all_well()
    end = time.monotonic() + 8
    while slot_exists(act, agent) and time.monotonic() < end:
        act.town.advance(31)
        time.sleep(0.3)
    act.counted["erasures under clock steps"] += 1
    return 1


def place_hold(act: Act, agent: str, *, days: int = 90, **extra: str) -> int:
    """Place a legal hold by the operator's command; return its exit status."""
    until = datetime.fromtimestamp(act.town.now() + days * DAY, UTC).strftime("%Y-%m-%d")
    words = {
        "placed-by": "One",
        "approved-by": "Another",
        "authority": "A court",
        "reason": "A case",
        "until": until,
    }
    options = [part for name, value in words.items() for part in (f"--{name}", value)]
    return act.town.command("hold", "place", "acme", agent, *options, "--replace", **extra)


def release_hold(act: Act, agent: str) -> None:
    """Release it; from here on the erasure is due."""
    if act.town.command("hold", "release", "acme", agent) == 0:
        act.driver.note("released", agent=agent)


@kind("F26 hold against erasure")
def hold_against_erasure(act: Act) -> int:
    """A hold is placed while the term ends: the data stays whole, or the hold is refused; afterwards it goes."""
    agent = act.mover()
    end_everywhere(act, agent)
    time.sleep(0.2)
    act.town.advance(TERM - 4)
    placing = act.at_once(place_hold, act, agent)
    time.sleep(act.chance.uniform(0, 0.3))
    act.town.advance(5)
    held = placing.result() == 0
    if held:
        act.driver.note("held", agent=agent)
    act.town.advance(act.chance.choice((60, DAY)))
    time.sleep(0.6)
    exists = slot_exists(act, agent)
    if held:
        act.driver.note(
            "expected", agent=agent, law="early_erasure", wanted=True, found=exists, why="under a hold"
        )
        release_hold(act, agent)
        end = time.monotonic() + 8
        while slot_exists(act, agent) and time.monotonic() < end:
            act.town.advance(31)
            time.sleep(0.3)
    return 1


@kind("F28 reconnect against erasure")
def reconnect_against_erasure(act: Act) -> int:
    """The term is over while the agent connects again; afterwards the old sessions are taken over."""
    agent = act.mover()
    session = act.name("kept")
    act.driver.surely("put", agent, session)
    end_everywhere(act, agent)
    begun = act.driver.consent(agent)
    act.town.advance(TERM + 1)
    if begun and act.chance.random() < 0.5:
        act.driver.call_back(agent, *begun)
    else:
        act.driver.connect(agent)
    act.driver.surely_connect(agent)
    act.driver.surely(act.chance.choice(("put", "put", "cancel")), agent, session)
    return 1


@kind("F28 erased and back")
def erased_and_back(act: Act) -> int:
    """Erased at once, connected again: the event under its old id is taken over."""
    agent = act.mover()
    session = act.name("kept")
    act.driver.surely("put", agent, session)
    end_connection(act, agent, erase=True)
    act.driver.surely_connect(agent)
    act.driver.surely("put", agent, session)
    return 1


@kind("F29 two disconnects")
def two_disconnects(act: Act) -> int:
    """At once through both replicas, one of them with erasure."""
    agent = act.mover()
    act.at_once(act.driver.disconnect, agent, "web0")
    act.at_once(act.driver.disconnect, agent, "web1", erase=act.chance.random() < 0.5)
    act.gather()
    end_connection(act, agent)
    return 1


@kind("F29 callback after disconnect")
def late_callback(act: Act) -> int:
    """A consent is under way when the connection is ended: its answer comes too late."""
    agent = act.mover()
    begun = act.driver.consent(agent)
    if act.chance.random() < 0.7:  # else the revocation takes the code with it, and hides who refuses
        act.driver.rule("POST", "/revoke", {"status": 503}, times=1)
    end_connection(act, agent, erase=act.chance.random() < 0.3)
    if begun:
        visit, callback = begun
        address = callback.split("/", 3)[3]
        act.driver.call(act.driver.some_web(), "GET", f"/{address}", headers={"Cookie": visit["cookie"]})
    act.driver.state(agent)
    act.driver.put(agent, act.name())
    return 1


@kind("F29 disconnect during connect")
def disconnect_during_connect(act: Act) -> int:
    """Callback and disconnect at once; both orders are right, none half."""
    agent = act.mover()
    begun = act.driver.consent(agent)
    if begun:
        act.at_once(act.driver.call_back, agent, *begun)
    time.sleep(act.chance.uniform(0, 0.1))
    act.at_once(act.driver.disconnect, agent)
    act.gather()
    end_connection(act, agent)
    act.driver.state(agent)
    return 1


# --- the backend's receiver ---


@kind("F13 webhook receiver in trouble")
def receiver_trouble(act: Act) -> int:
    """The receiver refuses, errs or hangs up; what happened is told later."""
    act.town.receiver.trouble = act.chance.choice((500, 503, 429, 404, 0))
    before = act.town.receiver.refused
    _new(act, 2)
    end = time.monotonic() + 1.5
    while act.town.receiver.refused == before and time.monotonic() < end:
        time.sleep(0.02)
    act.town.receiver.trouble = None
    return act.town.receiver.refused - before


# --- order ---


@kind("F30 cancel against reschedule")
def cancel_against_reschedule(act: Act) -> int:
    """Through both replicas at once, with versions or without."""
    for _ in range(2):
        agent = act.stayer()
        versioned = act.chance.random() < 0.7
        session = act.name("race")
        act.driver.put(agent, session, versioned=versioned)
        low, high = (act.driver.next_version(agent, session) for _ in range(2))
        first, second = act.chance.sample(("put", "cancel"), 2)
        act.at_once(getattr(act.driver, first), agent, session, version=low, versioned=versioned, web="web0")
        act.at_once(
            getattr(act.driver, second), agent, session, version=high, versioned=versioned, web="web1"
        )
        act.gather()
    return 2


@kind("F30 slow decision")
def slow_decision(act: Act) -> int:
    """An older change is decided on an old reading, while a newer one is accepted."""
    agent, session = act.standing()
    low, high = (act.driver.next_version(agent, session) for _ in range(2))
    web = act.driver.some_web()
    act.town.link(f"{web}-store", "delay", 0.15)
    first = act.at_once(act.driver.put, agent, session, version=low, web=web)
    time.sleep(0.2)
    newer = act.chance.choice((act.driver.put, act.driver.cancel))
    newer(agent, session, version=high, web=_other(web))
    first.result()
    return 1


@kind("F30 pause lifted meanwhile")
def pause_lifted(act: Act) -> int:
    """It ends between the reading on which a session has to wait and its acceptance; a cancel waits beside it."""
    agent, session = act.standing()
    if not act.driver.pause(agent).accepted:
        return 0
    act.driver.cancel(agent, session)
    web = act.driver.some_web()
    act.town.link(f"{web}-store", "delay", 0.15)
    waits = act.at_once(act.driver.put, agent, act.name(), web=web)
    time.sleep(act.chance.uniform(0.1, 0.3))
    end = time.monotonic() + 60
    while not act.driver.resume(agent).accepted and time.monotonic() < end:
        time.sleep(0.2)
    waits.result()
    return 1


@kind("F31 order kept")
def order_kept(act: Act) -> int:
    """The create meets trouble, what follows queues up behind it."""
    agent, session = act.stayer(), act.name()
    act.driver.rule("POST", EVENTS, {"status": 503, "reason": "backendError"}, times=3)
    act.driver.put(agent, session)
    act.driver.put(agent, session)
    act.driver.put(agent, session)
    if act.chance.random() < 0.5:
        act.driver.cancel(agent, session)
    return max(1, act.driver.struck())


# --- keys and records ---


@kind("F25 replica with other keys")
def other_keys(act: Act) -> int:
    """It refuses with an operator's error, and changes nothing that people see."""
    web = act.driver.some_web()
    agent = act.stayer()
    others = act.town.write_keys([f"k1:{fresh_key()}"], "other-keyring")
    act.town.restart(web, CALENDAR_KEYRING_FILE=str(others))
    act.driver.put(agent, act.name(), web=web)
    act.driver.put(agent, act.name(), web=web)
    act.driver.state(agent, _other(web))
    return 1


@kind("F32 record moved")
def record_moved(act: Act) -> int:
    """One agent's sealed grant lies in another's slot: it does not open there."""
    source, target = act.stayer(), act.mover()
    with contextlib.closing(act.town.store.client) as client:
        facts = {}
        for agent in (source, target):
            for key in client.scan_iter(f"*:a:acme/{agent}:facts", count=1000):
                facts[agent] = key
        mine, theirs = (facts[agent].replace(":facts", ":grant") for agent in (source, target))
        kept, foreign = client.get(theirs), client.get(mine)
        identity = client.hget(facts[target], "connection_id")
        if kept is None or foreign is None:
            return 0
        moved = client.hget(facts[source], "connection_id")
        client.hset(facts[target], "connection_id", moved)
        client.set(theirs, foreign)
        act.driver.put(target, act.name())
        client.set(theirs, kept)
        client.hset(facts[target], "connection_id", identity)
        # A daily look meanwhile puts whom it finds on the account's mark.
        client.hdel(f"mark:{client.hget(facts[target], 'account_mark')}", moved)
    return 1


@kind("F32 poisoned record")
def poisoned(act: Act) -> int:
    """A waiting content that cannot be opened: the others pass, and a new PUT mends it."""
    agent, session = act.stayer(), act.name("poison")
    for web in ("web0", "web1"):
        act.town.link(f"{web}-google", "refuse")
    act.driver.put(agent, session)
    with contextlib.closing(act.town.store.client) as client:
        for key in client.scan_iter(f"*:a:acme/{agent}:waiting", count=1000):
            if client.hexists(key, session):
                client.hset(key, session, "cs1.data." + "AAAA" * 16)
    _new(act, 2)
    act.town.advance(31)
    time.sleep(0.3)
    act.town.all_well()
    act.driver.surely("put", agent, session)
    return 1
