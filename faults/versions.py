"""Keys and versions that change under load: the kinds F24 and F35. Must not judge."""

import contextlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

from faults.act import Act
from faults.kinds import HOUR, kind
from faults.town import fresh_key

_CHORE = (
    "TimerKind.SESSION: self.service.schedule.resume,",
    'TimerKind.SESSION: self.service.schedule.resume, "polish": self._polish,',
)
_METHOD = (
    "    def _hold(self, agent: Agent, _: str) -> None:\n",
    "    def _polish(self, agent: Agent, _: str) -> _Again:\n"
    '        return "never"\n\n'
    "    def _hold(self, agent: Agent, _: str) -> None:\n",
)
_WAKE = ("put_session(name, record)\n", "put_session(name, record)\nset_timer('polish', now)\n")


@kind("F24 keys rotated")
def keys_rotated(act: Act) -> int:
    """A key is added, promoted, everything sealed under it, and the former one retired: nothing stops opening."""
    former = act.town.keys()
    newest = f"k{int(former[0].partition(':')[0][1:]) + 1}:{fresh_key()}"
    agent, session = act.standing()
    act.town.write_keys([*former, newest])  # everybody can open it before anybody seals with it
    _works(act, agent, session)
    act.town.write_keys([newest, *former])
    _works(act, agent, session)
    act.driver.surely_connect(act.fresh())
    act.town.advance(HOUR)  # each token is refreshed, and what held the former seal is written anew
    for stayer in act.stayers:
        act.at_once(_works, act, stayer, act.name())
    status = 1
    for _ in range(3):
        status = act.town.command("keys", "rotate", "--retire", former[0].partition(":")[0])
        if status == 0:
            break
        _consents_expire(act)
    act.gather()
    act.driver.note(
        "expected", agent=agent, law="unanswered", wanted=0, found=status, why="the key is retired"
    )
    act.driver.note(
        "expected", agent=agent, law="unanswered", wanted=[newest], found=act.town.keys(), why="retired"
    )
    for stayer in act.stayers:
        _works(act, stayer, act.name())
    return 1


def _consents_expire(act: Act) -> None:
    """Ten minutes go by; the store's own expiry follows its real clock, so it is helped along."""
    act.town.advance(620)
    with contextlib.closing(act.town.store.client) as client:
        for key in client.scan_iter("state:*", count=1000):
            client.delete(key)


def _works(act: Act, agent: str, session: str) -> None:
    """One change through each replica: neither says that a record does not open."""
    for web in ("web0", "web1"):
        answer = act.driver.put(agent, session, web=web)
        act.driver.note(
            "expected", agent=agent, law="unanswered", wanted=True, found=answer.accepted, why="keys rotate"
        )  # fmt: skip


def newer(act: Act) -> Path:
    """Return a later version of the service: its worker knows one chore more, due with every change of a session."""
    folder = act.town.home / "newer"
    if not folder.exists():
        shutil.copytree(act.town.package_root, folder, ignore=shutil.ignore_patterns("__pycache__"))
        _change(folder / "calendar_service" / "worker.py", _CHORE, _METHOD)
        _change(folder / "calendar_service" / "store" / "scripts" / "accept_session.lua", _WAKE)
    return folder


def _change(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text("utf-8")
    for before, after in changes:
        if text.count(before) != 1:
            raise ValueError(f"{file.name} no longer reads as the later version expects: {before}")
        text = text.replace(before, after)
    file.write_text(text, "utf-8")


@kind("F35 two versions at once")
def two_versions(act: Act) -> int:
    """A newer web process and an older one; first only the older worker runs, then a newer one joins it."""
    version = newer(act)
    with act.quiet():
        act.town.kill("worker1")
        act.town.restart("web1", version=version)
        agent = act.stayer()
        act.driver.surely("put", agent, act.name())
        answer = act.driver.put(agent, act.name(), web="web1")
        time.sleep(0.6)
        act.town.advance(31)  # the older worker comes by once more, and leaves it
        time.sleep(0.6)
        if answer.accepted:
            _expect_polish(act, agent, wanted=True)
        act.driver.put(agent, act.name(), web="web0")
        act.town.restart("web1")
        act.town.start("worker1", version=version)
        end = time.monotonic() + 15
        while _polish(act, agent) and time.monotonic() < end:
            act.town.advance(31)
            time.sleep(0.3)
        _expect_polish(act, agent, wanted=False)
        while _any_polish(act) and time.monotonic() < end:
            act.town.advance(31)
            time.sleep(0.3)
    return 1


def _due(act: Act, pattern: str) -> list[str]:
    with contextlib.closing(act.town.store.client) as client:
        keys = list(client.scan_iter(f"*:a:acme/{pattern}:due", count=1000))
        return [member for key in keys for member in client.zrange(key, 0, -1)]


def _polish(act: Act, agent: str) -> bool:
    return "polish" in _due(act, agent)


def _any_polish(act: Act) -> bool:
    return "polish" in _due(act, "*")


def _expect_polish(act: Act, agent: str, *, wanted: bool) -> None:
    act.driver.note(
        "expected", agent=agent, law="lost", wanted=wanted, found=_polish(act, agent),
        why="a chore that only the newer version knows",
    )  # fmt: skip


@kind("F35 record of a newer version")
def newer_record(act: Act) -> int:
    """A session's record says more than this version understands: left as it is, and not answered with 500."""
    agent, session = act.standing()
    with contextlib.closing(act.town.store.client) as client:
        (key,) = client.scan_iter(f"*:a:acme/{agent}:sessions", count=1000)
        kept: dict[str, Any] = json.loads(client.hget(key, session) or "{}")
        client.hset(key, session, json.dumps(kept | {"shade": "blue"}))
        for web in ("web0", "web1"):
            act.driver.put(agent, session, web=web)
        found = json.loads(client.hget(key, session) or "{}")
        act.driver.note(
            "expected", agent=agent, law="lost", wanted=kept | {"shade": "blue"}, found=found,
            why="a record of a newer version",
        )  # fmt: skip
        client.hset(key, session, json.dumps(kept))
    act.driver.surely("put", agent, session)
    return 1
