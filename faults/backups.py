"""An old back-up of the store is put back (F36). Must not judge."""

import shutil
import time

from faults.act import Act
from faults.kinds import end_connection, is_there, kind


@kind("F36 old back-up put back")
def old_backup(act: Act) -> int:
    """What was ended and erased since stays so: the audit export is replayed before anything serves."""
    with act.quiet():
        ended, erased, staying = act.mover(), act.mover(), act.stayer()
        _backed_up(act)
        end_connection(act, ended)
        end_connection(act, erased, erase=True)
        export = act.town.home / "trail.jsonl"
        status = act.town.command("audit", "export", "--output", str(export))
        for name in act.town.processes:
            act.town.kill(name)
        _put_back(act)
        status += act.town.command("connections", "erase", "--replay", str(export), "--yes")
        act.driver.note("expected", agent=ended, law="resurrected", wanted=0, found=status, why="replay")
        act.driver.note(
            "expected", agent=erased, law="half_erased", wanted=False, found=is_there(act, erased), why="replay"
        )  # fmt: skip
        export.unlink()
        act.town.all_well()
        for agent in (ended, erased):
            act.driver.state(agent)
            act.driver.put(agent, act.name())
        act.driver.surely("put", staying, act.name())
    return 1


def _backed_up(act: Act) -> None:
    """Copy the store's directory as it is between two moments, nothing half-way at Google."""
    end = time.monotonic() + 20
    while act.unfinished() and time.monotonic() < end:
        act.town.advance(35)
        time.sleep(0.25)
    store = act.town.store
    store.kill()
    shutil.copytree(store.home, act.town.home / "backup")
    store.start()


def _put_back(act: Act) -> None:
    store = act.town.store
    store.kill()
    shutil.rmtree(store.home)
    (act.town.home / "backup").rename(store.home)
    store.start()
