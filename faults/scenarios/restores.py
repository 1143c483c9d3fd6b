"""Sessions after the database went back (F37).

A copy is put back by the runbook (`docs/runbooks.md`, "A back-up is put back"), or the server's own tool cuts the
append-only file at a hole, or a copy is put back under processes that go on.
"""

import time
from collections.abc import Sequence

from faults.driver.backend import Operation
from faults.episode import Episode
from faults.scenarios.backups import back_up, put_back
from faults.scenarios.leases import held_put, other_web, refresh_token
from faults.service_processes import WORKERS


def by_the_runbook(episode: Episode) -> int:
    """Put a copy back to the letter of the runbook: what is changed or cancelled then reaches Google."""
    with episode.load.paused():
        agent = episode.stable_agent()
        moved, often, unversioned, removed, revived, new, forgotten = (
            episode.new_session() for _ in range(7)
        )
        for session in (moved, often, unversioned, removed, revived):
            _send(episode, "put", agent, session, versioned=session != unversioned)
        _send(episode, "cancel", agent, revived)
        back_up(episode)
        for session in (moved, often, often, unversioned, removed, revived, new, forgotten):
            _send(episode, "put", agent, session, versioned=session != unversioned)
        _restore(episode)
        _change(
            episode,
            agent,
            puts=(moved, often, unversioned, new),
            cancels=(removed, revived, forgotten),
            unversioned=unversioned,
        )
    return 1


def _restore(episode: Episode) -> None:
    """Follow the runbook from its step 1 to its step 7."""
    export = episode.cluster.home / "trail.jsonl"
    for name in episode.processes.by_name:
        episode.processes.kill(name)
    statuses = [episode.processes.command("audit", "export", "--output", str(export))]
    put_back(episode)
    statuses.append(episode.processes.command("connections", "erase", "--replay", str(export), "--yes"))
    export.unlink()
    for name in (*WORKERS, *(name for name in episode.processes.by_name if name not in WORKERS)):
        episode.processes.start(name)
    statuses.append(episode.processes.command("connections", "reconcile"))
    episode.journal.expect(
        "unanswered", "the operator", expected=[0, 0, 0], actual=statuses, why="export, replay, reconcile"
    )


def file_cut(episode: Episode) -> int:
    """Damage the append-only file among the newest writes, and let the server's tool cut it there."""
    with episode.load.paused():
        agent = episode.stable_agent()
        moved, unversioned, removed, new, forgotten = (episode.new_session() for _ in range(5))
        for session in (moved, unversioned, removed):
            _send(episode, "put", agent, session, versioned=session != unversioned)
        episode.await_settled()
        store = episode.stores.primary
        size = store.append_only_size()
        for session in (moved, unversioned, removed, new, forgotten):
            _send(episode, "put", agent, session, versioned=session != unversioned)
        for name in episode.processes.by_name:
            episode.processes.kill(name)
        store.kill()
        store.damage_append_only_file(size, episode.rng)
        cut = store.repair_append_only_file()
        store.start()
        episode.journal.note("store_went_back")
        episode.cluster.restore()
        episode.measurements.counters["bytes that the server's tool cut"] += cut
        _change(
            episode,
            agent,
            puts=(moved, unversioned, new),
            cancels=(removed, forgotten),
            unversioned=unversioned,
        )
    return int(cut > 0)


def _change(
    episode: Episode, agent: str, *, puts: Sequence[str], cancels: Sequence[str], unversioned: str
) -> None:
    """Change or cancel each session once more, and expect that no event of a cancelled one stands."""
    for session in puts:
        _send(episode, "put", agent, session, versioned=session != unversioned)
    for session in cancels:
        _send(episode, "cancel", agent, session)
    left: list[str] = []
    for _ in range(40):
        left = [session for session in cancels if episode.google.event_of(agent, session)]
        if not left:
            break
        episode.clock.advance(2)
        time.sleep(0.25)
    episode.journal.expect(
        "wrong_final", agent, expected=[], actual=left, why="cancelled after the database went back"
    )
    episode.measurements.counters["changes after the database went back"] += len(puts)
    episode.measurements.counters["cancels after the database went back"] += len(cancels)


def _send(
    episode: Episode, operation: Operation, agent: str, session: str, *, versioned: bool = True
) -> None:
    episode.backend.send_until_answered(operation, agent, session, versioned=versioned)


def former_holder(episode: Episode) -> int:
    """Put a copy back while a holder is at Google: the next holder of the session gets the same fencing number.

    The former holder settles while the next one's try has failed. Only the holder's id says that it settles nothing.
    """
    with episode.load.paused():
        agent, session = episode.scheduled_session()
        web = episode.client.any_web()
        for each in (web, other_web(web)):
            refresh_token(episode, agent, each)
        back_up(episode)
        for worker in WORKERS:
            episode.processes.kill(worker)
        first = held_put(episode, agent, session, web)
        if not episode.store.await_leased(agent, session):
            return 0
        put_back(episode)
        episode.proxy.set(f"{other_web(web)}-google", "refuse")
        episode.backend.send_until_answered("put", agent, session, web=other_web(web))
        episode.proxy.set(f"{web}-google", "release")
        first.result()
    return 1
