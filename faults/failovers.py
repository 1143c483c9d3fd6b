"""Two measurements behind sentinels with two replicas: planned failovers and kills, and partitions (F38)."""

from pathlib import Path

from faults.campaign import FOR_EVER, play_episodes, service_copy
from faults.errors import ClusterError
from faults.paths import PACKAGE
from faults.progress import ProgressLine
from faults.report import report
from faults.result import CampaignResult
from faults.scenarios import step_names
from faults.sentinels import own_network

_EPISODE_LENGTH = 40
_FAILOVERS = ("F38 planned failover",) * 4 + ("F38 server killed",)
_PARTITIONS = ("F38 partition",)


def run_failovers(count: int, seed: int, keep: Path | None = None) -> int:
    """Play so many planned failovers, and one kill of a server to four of them; return the exit status."""
    return _run(_FAILOVERS, count + count // 4, seed, keep)


def run_partitions(count: int, seed: int, keep: Path | None = None) -> int:
    """Play so many partitions; return the exit status."""
    try:
        own_network()
    except ClusterError as error:
        print(error)
        return 2
    return _run(_PARTITIONS, count, seed, keep)


def _run(round_: tuple[str, ...], count: int, seed: int, keep: Path | None) -> int:
    names = [round_[number % len(round_)] for number in range(count)]
    episodes = (names[at : at + _EPISODE_LENGTH] for at in range(0, count, _EPISODE_LENGTH))
    progress, total = ProgressLine(count), CampaignResult()
    with service_copy() as package_root:
        result = play_episodes(package_root, seed, episodes, progress, FOR_EVER, keep, total)
    print(report(result, step_names(PACKAGE)))
    return 1 if result.violations else 0
