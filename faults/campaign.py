"""A campaign: it plays episodes one after another, each from its own seed, and lets the checker judge each."""

import contextlib
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from faults import http_checker
from faults.checker import EpisodeEvidence, Violation, check
from faults.cluster import ServiceCluster
from faults.episode import CONVERGENCE, Episode, begun_episode
from faults.errors import ClusterError, NotConvergedError
from faults.paths import PACKAGE, PACKAGES, ROOT
from faults.plan import EPISODE_LENGTH, missing_rounds, next_episode, plan
from faults.power_cut import CAN_CUT
from faults.progress import ProgressLine
from faults.result import CampaignResult, joined
from faults.scenarios import CLUSTER_SCENARIOS, SENTINEL_SCENARIOS, Scenario, all_scenarios
from faults.sentinels import SentinelCluster
from faults.store_cluster import ClusteredService

PRINTED_VIOLATIONS = 40
"""Violations of one episode that are printed."""
FOR_EVER = 1e9
"""Seconds that no campaign takes."""
Progress = Callable[[str, int], None]
"""Takes the name of a scenario that was played, and how many faults it injected."""


def _no_progress(_name: str, _faults: int) -> None:
    return None


def play_episode(
    seed: int,
    names: Sequence[str],
    *,
    package_root: Path,
    load: int = 2,
    progress: Progress = _no_progress,
    seconds: float = FOR_EVER,
    keep: Path | None = None,
    patience: float = CONVERGENCE,
) -> CampaignResult:
    """Play scenarios in one episode, converge, look again an hour later, and check the evidence.

    The scenarios are all of `all_scenarios`, all of `SENTINEL_SCENARIOS`, or all of `CLUSTER_SCENARIOS`.
    """
    result, began = CampaignResult(), time.monotonic()
    scenarios = all_scenarios(package_root / PACKAGE.name) | SENTINEL_SCENARIOS | CLUSTER_SCENARIOS
    cluster_of = _cluster_of(names)
    with begun_episode(
        seed, package_root, load=load, keep=keep, patience=patience, cluster_of=cluster_of
    ) as episode:
        for name in names:
            if time.monotonic() - began > seconds:
                break
            _play(episode, name, scenarios[name], result, progress)
        _converge(episode, result)
        episode.clock.advance(3700)
        _use_every_connection(episode, result, awaits_end=bool(result.convergence_seconds))
        _check_audit_chain(episode)
        _collect(episode, result)
    result.seconds = time.monotonic() - began
    return result


def _cluster_of(names: Sequence[str]) -> type[ServiceCluster]:
    """Return the kind of cluster that these scenarios need."""
    if set(names) <= SENTINEL_SCENARIOS.keys():
        return SentinelCluster
    return ClusteredService if set(names) <= CLUSTER_SCENARIOS.keys() else ServiceCluster


def _play(
    episode: Episode, name: str, scenario: Scenario, result: CampaignResult, progress: Progress
) -> None:
    """Play one scenario, then end its faults."""
    episode.journal.note("scenario", name=name)
    faults = 0
    try:
        faults = scenario(episode)
    except Exception as error:
        # The scenario counts as having injected nothing. The checker still judges what it did to the service.
        where = traceback.extract_tb(error.__traceback__)[-1]
        result.errors.append(f"{name}: {error!r} ({where.name}:{where.lineno})")
    try:
        episode.restore()
    except ClusterError:
        episode.restore()  # a port was still taken, or a process took too long: a second failure ends the episode
    episode.google.switch(undetected_collisions=False, unknown_zones=[])
    result.played[name] += 1
    result.injected[name] += faults
    episode.clock.advance(episode.rng.uniform(5, 40))
    progress(name, faults)


def _converge(episode: Episode, result: CampaignResult) -> None:
    try:
        result.convergence_seconds.append(episode.converge())
    except NotConvergedError as error:
        result.violations.append((episode.seed, Violation("unsettled", f"after convergence: {error}")))


def _use_every_connection(episode: Episode, result: CampaignResult, *, awaits_end: bool) -> None:
    """Create a session of every connected agent an hour later, and converge: each connection still works.

    `awaits_end`: false after a convergence that did not come to its end. A second one would only take as long.
    """
    try:
        for agent in sorted(episode.google.accounts):
            if episode.backend.state(agent) == "connected":
                session = episode.new_session("after")
                episode.backend.send_until_answered("put", agent, session, seconds=20)
        if awaits_end:
            episode.converge()
    except NotConvergedError as error:
        result.violations.append((episode.seed, Violation("unsettled", f"an hour later: {error}")))


def _check_audit_chain(episode: Episode) -> None:
    status = episode.processes.command("audit", "verify")
    episode.journal.expect("audit_chain_broken", "all", expected=0, actual=status, why="audit verify")


def _collect(episode: Episode, result: CampaignResult) -> None:
    """Let the checkers judge the evidence, and add what scenarios, driver and load have counted."""
    evidence, measurements = episode.evidence(), episode.measurements
    violations = [*check(evidence), *_check_answers(episode)]
    result.violations += [(episode.seed, violation) for violation in violations]
    result.operations.update(_operations(evidence))
    result.counters.update(measurements.counters)
    result.step_exits.update(measurements.step_exits)
    result.maxima.update(measurements.maxima)
    result.errors += episode.load.errors


def _check_answers(episode: Episode) -> list[Violation]:
    """Let the second checker compare what was accepted with Google and with the service's answers."""
    try:
        return http_checker.check(episode.http_evidence())
    except TimeoutError as error:
        return [Violation("unanswered", str(error))]


def _operations(evidence: EpisodeEvidence) -> Counter[str]:
    """Count how the driver's requests were answered."""
    operations: Counter[str] = Counter()
    for line in evidence.lines:
        if line["line"] == "response" and line["op"] in {"put", "cancel", "disconnect", "connect"}:
            operations[f"{line['op']} {_answer(line['status'])}"] += 1
    return operations


def _answer(status: int) -> str:
    if 200 <= status < 400:
        return "accepted"
    return "refused" if 400 <= status < 500 else "no answer or 5xx"


@contextlib.contextmanager
def service_copy() -> Iterator[Path]:
    """Yield a folder with a copy of the service, so that a change of the source does not disturb a run."""
    with tempfile.TemporaryDirectory(prefix="faults-service-") as folder:
        for package in PACKAGES:
            target = Path(folder) / package
            shutil.copytree(ROOT / package, target, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "templates", Path(folder) / "calendar_service_templates")
        yield Path(folder)


def run(
    seed: int,
    count: int | None,
    *,
    episode_length: int = EPISODE_LENGTH,
    seconds: float = FOR_EVER,
    only: str = "",
    keep: Path | None = None,
) -> CampaignResult:
    """Play so many scenarios in episodes, or a whole campaign (`count` None); `keep` keeps the episodes' folders."""
    if not CAN_CUT:
        print("strace is missing: a power cut takes nothing away (F2 is F1). Install the package strace.")
    names = [name for name in all_scenarios() if only in name]
    with service_copy() as package_root:
        if count is None:
            return _run_whole(package_root, seed, names, seconds, keep)
        planned = plan(seed, count, names)
        episodes = [planned[at : at + episode_length] for at in range(0, count, episode_length)]
        progress, total = ProgressLine(count), CampaignResult()
        return play_episodes(package_root, seed, iter(episodes), progress, seconds, keep, total)


def _run_whole(
    package_root: Path, seed: int, names: Sequence[str], seconds: float, keep: Path | None
) -> CampaignResult:
    """Play until every scenario and every named step has its least number; runs with one `keep` share that."""
    progress, total = ProgressLine(0), CampaignResult()

    def episodes() -> Iterator[list[str]]:
        number = seed
        while scenarios := next_episode(number, so_far := joined([keep]) if keep else total, names):
            progress.total = progress.done + sum(missing_rounds(so_far, names).values())
            yield scenarios
            number += 1

    return play_episodes(package_root, seed, episodes(), progress, seconds, keep, total)


def play_episodes(
    package_root: Path,
    seed: int,
    episodes: Iterator[list[str]],
    progress: ProgressLine,
    seconds: float,
    keep: Path | None,
    total: CampaignResult,
) -> CampaignResult:
    """Play episodes, adding each result to `total`; episode n has the seed `seed + n`."""
    end = time.monotonic() + seconds
    for number, names in enumerate(episodes, seed):
        try:
            result = play_episode(
                number,
                names,
                package_root=package_root,
                keep=_kept_folder(keep, number),
                progress=progress,
                seconds=end - time.monotonic(),
            )
        except ClusterError as error:
            result = CampaignResult(played=Counter(names), errors=[f"episode {number}: {error}"])
        total.add(result)
        if keep:
            total.save(keep / f"result-{seed}.json")
        for episode_seed, violation in result.violations[:PRINTED_VIOLATIONS]:
            print(f"\n  VIOLATION in episode {episode_seed}: {violation.law}: {violation.detail}", flush=True)
        if time.monotonic() > end:
            break
    return total


def _kept_folder(keep: Path | None, number: int) -> Path | None:
    if keep is None:
        return None
    folder = keep.absolute() / f"episode-{number}"
    folder.mkdir(parents=True)
    return folder
