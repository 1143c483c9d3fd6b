"""Series: a few scenarios over and over. Failovers and partitions with two replicas (F38), and restores (F37)."""

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
_IN_A_CLUSTER = ("F38 planned failover in a cluster",) * 4 + ("F38 server of a cluster killed",)
_PARTITIONS = ("F38 partition",)
_RESTORES = ("F37 restored by the runbook",) * 3 + ("F37 file cut by the server's tool",)


def run_failovers(count: int, seed: int, keep: Path | None = None, *, in_a_cluster: bool = False) -> int:
    """Play so many planned failovers, and one kill of a server to four of them; return the exit status."""
    return _run(_IN_A_CLUSTER if in_a_cluster else _FAILOVERS, count + count // 4, seed, keep)


def run_partitions(count: int, seed: int, keep: Path | None = None) -> int:
    """Play so many partitions; return the exit status."""
    try:
        own_network()
    except ClusterError as error:
        print(error)
        return 2
    return _run(_PARTITIONS, count, seed, keep)


def run_restores(count: int, seed: int, keep: Path | None = None) -> int:
    """Let the database go back so many times, three of four by the runbook; return the exit status."""
    return _run(_RESTORES, count, seed, keep)


def _run(round_: tuple[str, ...], count: int, seed: int, keep: Path | None) -> int:
    names = [round_[number % len(round_)] for number in range(count)]
    episodes = (names[at : at + _EPISODE_LENGTH] for at in range(0, count, _EPISODE_LENGTH))
    progress, total = ProgressLine(count), CampaignResult()
    with service_copy() as package_root:
        result = play_episodes(package_root, seed, episodes, progress, FOR_EVER, keep, total)
    print(report(result, step_names(PACKAGE)))
    return 1 if result.violations else 0
