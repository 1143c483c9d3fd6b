"""A later version of the service beside this one (F35).

The later version is a copy whose worker has one kind of timer more, `polish`, which every change of a session sets.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from faults.episode import Episode
from faults.paths import PACKAGE
from faults.scenarios.times import RETRY
from faults.service_processes import WEBS

_HANDLER_TABLE = (
    "TimerKind.SESSION: self.service.sessions.unsettled.resume,",
    'TimerKind.SESSION: self.service.sessions.unsettled.resume, "polish": self._polish,',
)
_HANDLER = (
    "    def _end_hold(self, agent: Agent, _: str) -> None:\n",
    "    def _polish(self, agent: Agent, _: str) -> Delay:\n"
    '        return "never"\n\n'
    "    def _end_hold(self, agent: Agent, _: str) -> None:\n",
)
_TIMER = ("put_session(name, record)\n", "put_session(name, record)\nset_timer('polish', now)\n")
FIELD = {"shade": "blue"}
"""A field of a session's record that only a later version knows."""


def later_version(episode: Episode) -> Path:
    """Return the folder of the later version."""
    folder = episode.cluster.home / "later-version"
    if not folder.exists():
        shutil.copytree(episode.cluster.package_root, folder, ignore=shutil.ignore_patterns("__pycache__"))
        _change(folder / PACKAGE.name / "worker" / "items.py", _HANDLER_TABLE, _HANDLER)
        _change(folder / PACKAGE.name / "store" / "scripts" / "accept_session.lua", _TIMER)
    return folder


def _change(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text("utf-8")
    for before, after in changes:
        if text.count(before) != 1:
            raise ValueError(f"{file.name} no longer contains what the later version replaces: {before}")
        text = text.replace(before, after)
    file.write_text(text, "utf-8")


def two_at_once(episode: Episode) -> int:
    """Let a later web process set a timer that the only worker does not know; then start a later worker."""
    version = later_version(episode)
    with episode.load.paused():
        episode.processes.kill("worker1")
        episode.processes.restart("web1", version=version)
        agent = episode.stable_agent()
        episode.backend.send_until_answered("put", agent, episode.new_session())
        response = episode.backend.put(agent, episode.new_session(), web="web1")
        time.sleep(0.6)
        episode.clock.advance(RETRY)  # the earlier worker looks at the slot once more
        time.sleep(0.6)
        if response.is_accepted:
            _expect_timer(episode, agent, exists=True)
        episode.backend.put(agent, episode.new_session(), web="web0")
        episode.processes.restart("web1")
        episode.processes.start("worker1", version=version)
        end = time.monotonic() + 15
        _await_no_timer(episode, agent, end)
        _expect_timer(episode, agent, exists=False)
        _await_no_timer(episode, "*", end)
    return 1


def _await_no_timer(episode: Episode, agent: str, end: float) -> None:
    while "polish" in episode.store.timers(agent) and time.monotonic() < end:
        episode.clock.advance(RETRY)
        time.sleep(0.3)


def _expect_timer(episode: Episode, agent: str, *, exists: bool) -> None:
    actual = "polish" in episode.store.timers(agent)
    episode.journal.expect(
        "lost", agent, expected=exists, actual=actual, why="a timer that only the later version knows"
    )


def later_record(episode: Episode) -> int:
    """Give a session's record a field that this version does not know: it is kept, and no answer is 500."""
    agent, session = episode.scheduled_session()
    key = episode.store.key(agent, "sessions")
    with episode.store.client() as client:
        record: dict[str, Any] = json.loads(client.hget(key, session) or "{}")
        later = record | FIELD
        client.hset(key, session, json.dumps(later))
        for web in WEBS:
            episode.backend.put(agent, session, web=web)
        actual = json.loads(client.hget(key, session) or "{}")
        episode.journal.expect(
            "lost", agent, expected=later, actual=actual, why="a record of a later version"
        )
        client.hset(key, session, json.dumps(record))
    episode.backend.send_until_answered("put", agent, session)
    return 1
