"""A back-up of the store is put back: from before some ends (F36), or from before some changes of sessions (F37)."""

import shutil

from faults.episode import Episode


def old_backup(episode: Episode) -> int:
    """Put an old back-up back and replay the audit export before anything serves: what was ended stays ended."""
    with episode.load.paused():
        ended, erased = episode.churning_agent(), episode.churning_agent()
        staying = episode.stable_agent()
        back_up(episode)
        episode.administrator.disconnect_until_acknowledged(ended)
        episode.administrator.disconnect_until_acknowledged(erased, erase=True)
        export = episode.cluster.home / "audit.jsonl"
        status = episode.processes.command("audit", "export", "--output", str(export))
        for name in episode.processes.by_name:
            episode.processes.kill(name)
        put_back(episode)
        status += episode.processes.command("connections", "erase", "--replay", str(export), "--yes")
        episode.journal.expect("resurrected", ended, expected=0, actual=status, why="replay")
        exists = episode.store.slot_exists(erased)
        episode.journal.expect("half_erased", erased, expected=False, actual=exists, why="replay")
        export.unlink()
        episode.cluster.restore()
        for agent in (ended, erased):
            episode.backend.state(agent)
            episode.backend.put(agent, episode.new_session())
        episode.backend.send_until_answered("put", staying, episode.new_session())
    return 1


def sessions_went_back(episode: Episode) -> int:
    """Put a back-up back that does not know the newest changes of sessions: the next ones reach Google all the same.

    No replay is run, as where the store's own tool cut its append-only file.
    """
    with episode.load.paused():
        agent = episode.stable_agent()
        moved, removed, new, forgotten = (episode.new_session() for _ in range(4))
        for session in (moved, removed):
            episode.backend.send_until_answered("put", agent, session)
        back_up(episode)
        for session in (moved, removed, new, forgotten):
            episode.backend.send_until_answered("put", agent, session)
        for name in episode.processes.by_name:
            episode.processes.kill(name)
        put_back(episode)
        episode.cluster.restore()
        for session in (moved, new):
            episode.backend.send_until_answered("put", agent, session)
        for session in (removed, forgotten):
            episode.backend.send_until_answered("cancel", agent, session)
    return 1


def back_up(episode: Episode) -> None:
    """Copy the store's directory at a moment at which nothing is half done at Google."""
    episode.await_settled()
    store = episode.stores.primary
    store.kill()
    shutil.copytree(store.home, episode.cluster.home / "backup")
    store.start()


def put_back(episode: Episode) -> None:
    """Put the copy in the place of the store's directory, while the store does not run."""
    store = episode.stores.primary
    store.kill()
    shutil.rmtree(store.home)
    (episode.cluster.home / "backup").rename(store.home)
    store.start()
    episode.journal.note("store_went_back")
