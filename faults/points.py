"""Ends a process at each named step of the service: which way leads there. Must not judge."""

import re
import time
from collections.abc import Callable
from pathlib import Path

from faults import push
from faults.act import Act
from faults.kinds import (
    HOUR,
    TERM,
    _other,
    end_connection,
    end_everywhere,
    place_hold,
    release_hold,
    slot_exists,
)
from faults.town import Process

_NAME = re.compile(r"""failpoint\(\s*["']([a-z_.]+)["']\s*\)""")


def named(package: Path) -> list[str]:
    """Return every step that the service names."""
    return sorted({name for file in package.rglob("*.py") for name in _NAME.findall(file.read_text("utf-8"))})


def in_web(act: Act, name: str) -> int:
    """Arm one web process, lead it there, and repeat what was asked through the other."""
    way = _WEB.get(name)
    if way is None:
        return 0
    web = act.driver.some_web()
    before = _prepared(act, name)
    act.town.restart(web, CALENDAR_FAILPOINTS=f"{name}:exit")
    after = way(act, web, before)
    reached = _ended(act.town.processes[web])
    if reached:
        act.reached[name] += 1
    act.town.restart(web)
    after()
    return int(reached)


def in_workers(act: Act, name: str) -> int:
    """Arm both workers, and let the work come to them: each may die there once."""
    way = _WORKER.get(name)
    if way is None:
        return 0
    before = _prepared(act, name)
    workers = [act.town.processes[worker] for worker in ("worker0", "worker1")]
    for worker in workers:
        act.town.restart(worker.name, CALENDAR_FAILPOINTS=f"{name}:exit")
    after = way(act, before)
    reached = _dead_of(workers)
    act.reached[name] += reached
    act.town.all_well()
    after()
    return reached


def _dead_of(workers: list[Process]) -> int:
    """Wait for the first to end, and a second more for the other; return how many did."""
    end, dead = time.monotonic() + 2.5, 0
    while dead < len(workers) and time.monotonic() < end:
        time.sleep(0.02)
        before, dead = dead, sum(not worker.alive for worker in workers)
        if dead and not before:
            end = time.monotonic() + 1.0
    return dead


def in_command(act: Act, name: str) -> int:
    """Let the operator's command end at the step, then give it again, and take the hold back."""
    agent = act.mover()
    end_everywhere(act, agent)
    reached = place_hold(act, agent, CALENDAR_FAILPOINTS=f"{name}:exit") == EXIT
    act.reached[name] += reached
    if place_hold(act, agent) == 0:
        act.driver.note("held", agent=agent)
        act.town.advance(TERM + HOUR)
        time.sleep(0.5)
        found = slot_exists(act, agent)
        act.driver.note(
            "expected", agent=agent, law="early_erasure", wanted=True, found=found, why="under a hold"
        )
        release_hold(act, agent)
    return int(reached)


def _ended(process: Process, seconds: float = 1.5) -> bool:
    end = time.monotonic() + seconds
    while process.alive:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _prepared(act: Act, name: str) -> tuple[str, str]:
    """Agent and session in the state from which the way begins."""
    watched = push.prepared(act, name)
    if watched:
        return watched
    if name in {
        "writing.before_patch",
        "writing.after_patch",
        "writing.before_delete",
        "writing.after_delete",
    }:
        return act.standing()
    if name.startswith(("disconnect.", "errand.", "erase.")):
        return act.mover(), ""
    if name.startswith("connect."):
        return act.fresh(), ""
    return act.stayer(), act.name("point")


EXIT = 137
"""The status of a process that ended at a named step."""
After = Callable[[], object]


def _write(act: Act, web: str, whom: tuple[str, str], what: str = "put") -> After:
    version = act.driver.next_version(*whom)
    getattr(act.driver, what)(*whom, web=web, version=version)
    return lambda: getattr(act.driver, what)(*whom, version=version)


def _delete(act: Act, web: str, whom: tuple[str, str]) -> After:
    return _write(act, web, whom, "cancel")


def _refresh(act: Act, web: str, whom: tuple[str, str]) -> After:
    act.town.advance(HOUR)
    return _write(act, web, whom)


def _disconnect(act: Act, web: str, whom: tuple[str, str]) -> After:
    act.driver.disconnect(whom[0], web)
    return lambda: (end_connection(act, whom[0]), act.driver.state(whom[0]))


def _disconnect_with_calendar(act: Act, web: str, whom: tuple[str, str]) -> After:
    visit = act.driver.visit(whom[0], _other(web))
    if visit:
        act.driver.act(whom[0], web, "/disconnect", visit, delete_calendar="yes")
    return lambda: end_connection(act, whom[0])


def _erase(act: Act, web: str, whom: tuple[str, str]) -> After:
    act.driver.disconnect(whom[0], web, erase=True)
    return lambda: end_connection(act, whom[0], erase=True)


def _connect(act: Act, web: str, whom: tuple[str, str]) -> After:
    begun = act.driver.consent(whom[0], _other(web))
    if begun:
        act.driver.call_back(whom[0], *begun, web=web)
    return lambda: (act.driver.surely_connect(whom[0]), act.driver.surely("put", whom[0], act.name()))


_WEB: dict[str, Callable[[Act, str, tuple[str, str]], After]] = {
    "schedule.before_accept": _write,
    "schedule.after_accept": _write,
    "schedule.after_google_before_settle": _write,
    "writing.before_insert": _write,
    "writing.after_insert": _write,
    "writing.before_patch": _write,
    "writing.after_patch": _write,
    "writing.before_delete": _delete,
    "writing.after_delete": _delete,
    "access.after_refresh_before_store": _refresh,
    "disconnect.after_store": _disconnect,
    "errand.before_revoke": _disconnect,
    "errand.after_revoke": _disconnect,
    "errand.after_calendar_deleted": _disconnect_with_calendar,
    "erase.before_store": _erase,
    "erase.after_store": _erase,
    "connect.after_exchange": _connect,
    "connect.after_mark_before_store": _connect,
    "connect.after_store": _connect,
    "connect.before_create": _connect,
    "connect.after_calendar_before_store": _connect,
} | push.WEB


def _queue(act: Act, whom: tuple[str, str], what: str = "put") -> After:
    """The web processes do not reach Google, so a worker has to."""
    for web in ("web0", "web1"):
        act.town.link(f"{web}-google", "refuse")
    getattr(act.driver, what)(*whom)
    act.town.advance(5)
    time.sleep(0.6)
    act.town.advance(31)
    return lambda: None


def _tell(act: Act, whom: tuple[str, str]) -> After:
    """Something happens, and the worker tells the backend."""
    act.driver.put(*whom)
    act.town.advance(2)
    time.sleep(0.6)
    act.driver.put(*whom)
    return lambda: None


def _queue_delete(act: Act, whom: tuple[str, str]) -> After:
    return _queue(act, whom, "cancel")


def _queue_refresh(act: Act, whom: tuple[str, str]) -> After:
    act.town.advance(HOUR)
    return _queue(act, whom)


def _queue_errand(act: Act, whom: tuple[str, str]) -> After:
    for web in ("web0", "web1"):
        act.town.link(f"{web}-google", "refuse")
    end_connection(act, whom[0])
    act.town.advance(5)
    time.sleep(0.6)
    act.town.advance(31)
    return lambda: act.driver.state(whom[0])


def _queue_errand_with_calendar(act: Act, whom: tuple[str, str]) -> After:
    web = act.driver.some_web()
    visit = act.driver.visit(whom[0], web)
    for each in ("web0", "web1"):
        act.town.link(f"{each}-google", "refuse")
    if visit:
        act.driver.act(whom[0], web, "/disconnect", visit, delete_calendar="yes")
    act.town.advance(5)
    time.sleep(0.6)
    act.town.advance(31)
    return lambda: end_connection(act, whom[0])


def _queue_erase(act: Act, whom: tuple[str, str]) -> After:
    end_everywhere(act, whom[0])
    act.town.advance(TERM + 5)
    time.sleep(0.6)
    act.town.advance(31)
    return lambda: None


def _queue_calendar(act: Act, whom: tuple[str, str]) -> After:
    act.driver.rule("POST", "/calendar/v3/calendars", {"status": 503, "reason": "backendError"}, times=1)
    act.driver.connect(whom[0])
    act.town.advance(65)
    time.sleep(0.6)
    act.town.advance(31)
    return lambda: act.driver.surely_connect(whom[0])


_WORKER: dict[str, Callable[[Act, tuple[str, str]], After]] = {
    "schedule.after_google_before_settle": _queue,
    "writing.before_insert": _queue,
    "writing.after_insert": _queue,
    "writing.before_patch": _queue,
    "writing.after_patch": _queue,
    "writing.before_delete": _queue_delete,
    "writing.after_delete": _queue_delete,
    "access.after_refresh_before_store": _queue_refresh,
    "errand.before_revoke": _queue_errand,
    "errand.after_revoke": _queue_errand,
    "errand.after_calendar_deleted": _queue_errand_with_calendar,
    "erase.before_store": _queue_erase,
    "erase.after_store": _queue_erase,
    "notify.before_send": _tell,
    "notify.after_send_before_store": _tell,
    "connect.before_create": _queue_calendar,
    "connect.after_calendar_before_store": _queue_calendar,
} | push.WORKER


def scenarios(package: Path) -> dict[str, Callable[[Act], int]]:
    """Return one kind of fault for each way to each named step."""
    found: dict[str, Callable[[Act], int]] = {}
    for name in named(package):
        if name in _WEB:
            found[f"F9 {name} (web)"] = lambda act, name=name: in_web(act, name)
        if name.startswith("hold."):
            found[f"F9 {name} (command)"] = lambda act, name=name: in_command(act, name)
        if name in _WORKER:
            found[f"F9 {name} (worker)"] = lambda act, name=name: in_workers(act, name)
    return found
