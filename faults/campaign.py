"""A campaign: acts one after another, each from its own seed, judged at its end. Must not inject."""

import contextlib
import json
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from faults import oracle
from faults.act import CONVERGENCE, Act, NotConvergedError, staged
from faults.kinds import KINDS
from faults.oracle import Violation
from faults.points import named, scenarios
from faults.town import ROOT, TownError

SHOWN = 40
"""Violations of one act that are printed."""
ACT = 90
"""Scenarios in one act: small enough that its books are read in a moment."""


@dataclass
class Outcome:
    """What came of one act, or of many."""

    injected: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    longest: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, Violation]] = field(default_factory=list)
    converged: list[float] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: "Outcome") -> None:
        """Count another outcome in."""
        for name in ("injected", "counted", "reached", "operations"):
            getattr(self, name).update(getattr(other, name))
        for name, value in other.longest.items():
            self.longest[name] = max(self.longest[name], value)
        self.violations += other.violations
        self.converged += other.converged
        self.trouble += other.trouble
        self.seconds += other.seconds


@cache
def everything(package: Path = ROOT / "calendar_service") -> dict[str, Callable[[Act], int]]:
    """Return every scenario by name."""
    return KINDS | scenarios(package)


def weight(name: str) -> float:
    """Return how often a scenario is played beside others: those that inject several faults at once more seldom."""
    if name.startswith("F9 ") and name.endswith(("(web)", "(worker)", "(command)")):
        both = (
            name.replace("(web)", "(worker)") in everything()
            and name.replace("(worker)", "(web)") in everything()
        )
        return 0.25 if both else 0.7
    return _WEIGHTS.get(name, 1.0)


_WEIGHTS = {
    "F12 answer to insert lost": 1.2, "F12 answer dripped": 0.25, "F12 no answer": 0.25,
    "F12 answer lost, cancelled at once": 0.6, "F12 answer to patch lost": 0.4, "F12 answer to delete lost": 0.4,
    "F12 request lost": 0.4, "F12 answer torn": 0.4, "F13 rate limited": 0.5, "F13 server error": 0.5,
    "F14 access token refused": 0.6, "F17 refresh answer lost": 0.7, "F17 token endpoint in trouble": 0.5,
    "F30 cancel against reschedule": 0.6, "F31 order kept": 0.5, "F34 rolling restart": 0.6,
}  # fmt: skip


def plan(seed: int, count: int, names: Sequence[str] = ()) -> list[str]:
    """Return which scenarios are played, in which order: every name in turn by its weight, shuffled by the seed."""
    chance = random.Random(seed)
    known = list(names or everything())
    owed = dict.fromkeys(known, 0.99)
    found: list[str] = []
    while len(found) < count:
        for name in known:
            owed[name] += 1.0 if names and len(names) < len(everything()) else weight(name)
        turn = [name for name in known for _ in range(int(owed[name]))]
        owed = {name: value % 1 for name, value in owed.items()}
        chance.shuffle(turn)
        found += turn
    return found[:count]


def play(
    seed: int,
    steps: Sequence[str],
    *,
    package_root: Path,
    load: int = 2,
    tell: Callable[[str, int], None] = lambda _name, _count: None,
    seconds: float = 1e9,
    keep: Path | None = None,
    patience: float = CONVERGENCE,
) -> Outcome:
    """Play one act and judge it."""
    outcome, began = Outcome(), time.monotonic()
    known = everything(package_root / "calendar_service")
    with staged(seed, package_root, load=load, keep=keep, patience=patience) as act:
        try:
            for name in steps:
                if time.monotonic() - began > seconds:
                    break
                _step(act, name, known[name], outcome, tell)
            outcome.converged.append(act.rest())
        except NotConvergedError as error:
            outcome.violations.append((seed, Violation("unsettled", f"after convergence: {error}")))
        act.town.advance(3700)
        _calm(act, outcome, seed)
        outcome.violations += [(seed, violation) for violation in oracle.judge(act.evidence())]
        outcome.counted.update(act.counted)
        outcome.reached.update(act.reached)
        outcome.longest.update(act.numbers)
        outcome.trouble += act.trouble
        for line in oracle_lines(act):
            outcome.operations[line] += 1
    outcome.seconds = time.monotonic() - began
    return outcome


def _calm(act: Act, outcome: Outcome, seed: int) -> None:
    """Look at every agent once more, an hour later: each connection still does its work."""
    try:
        for agent in sorted(act.driver.accounts):
            if act.driver.state(agent) == "connected":
                act.driver.surely("put", agent, act.name("after"), seconds=20)
        act.rest()
    except NotConvergedError as error:
        outcome.violations.append((seed, Violation("unsettled", f"an hour later: {error}")))


def _step(
    act: Act, name: str, scenario: Callable[[Act], int], outcome: Outcome, tell: Callable[[str, int], None]
) -> None:
    act.driver.note("step", name=name)
    count = 0
    try:
        count = scenario(act)
    except Exception as error:
        # A scenario that could not be played injected nothing; what it did to the service is judged all the same.
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome.trouble.append(f"{name}: {error!r} ({where.name}:{where.lineno})")
    try:
        act.heal()
    except TownError:
        act.heal()  # a port that was still taken, a process that took too long: once more, then it is over
    act.town.google.switch(undetected_collisions=False)
    outcome.injected[name] += count
    act.town.advance(act.chance.uniform(5, 40))
    tell(name, count)


def oracle_lines(act: Act) -> list[str]:
    """Return what the driver asked and how it was answered, in words to be counted."""
    found = []
    for line in act.evidence().lines:
        if line["what"] == "answer" and line["op"] in {"put", "cancel", "disconnect", "connect"}:
            status = line["status"]
            kind = (
                "accepted"
                if 200 <= status < 400
                else "refused"
                if 400 <= status < 500
                else "no answer or 5xx"
            )
            found.append(f"{line['op']} {kind}")
    return found


class Progress:
    """One line, written over and over, or now and then where no terminal is."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.faults, self.began, self.told = total, 0, 0, time.monotonic(), 0.0

    def __call__(self, name: str, count: int) -> None:
        """Take one step."""
        self.done += 1
        self.faults += count
        terminal = sys.stdout.isatty()
        elapsed = time.monotonic() - self.began
        if not terminal and elapsed - self.told < 10:
            return
        self.told = elapsed
        left = elapsed / self.done * max(0, self.total - self.done)
        counts = f"{self.done}/{self.total} scenarios, {self.faults} faults"
        line = f"{counts}, {elapsed:.0f} s, about {left:.0f} s left: {name}"
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", flush=True)


@contextlib.contextmanager
def snapshot() -> Iterator[Path]:
    """Yield a folder with a copy of the service, so that nothing changes under a run."""
    with tempfile.TemporaryDirectory(prefix="faults-service-") as folder:
        target = Path(folder) / "calendar_service"
        shutil.copytree(ROOT / "calendar_service", target, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "templates", Path(folder) / "calendar_service_templates")
        yield Path(folder)


def run(
    seed: int,
    count: int,
    *,
    act_length: int = ACT,
    seconds: float = 1e9,
    only: str = "",
    keep: Path | None = None,
) -> Outcome:
    """Play acts until so many scenarios were played; `keep` keeps their directories."""
    with snapshot() as package_root:
        return _acts(package_root, seed, count, act_length, seconds, only, keep)


def _acts(
    package_root: Path, seed: int, count: int, act_length: int, seconds: float, only: str, keep: Path | None
) -> Outcome:
    total, played, progress = Outcome(), 0, Progress(count)
    began, number = time.monotonic(), seed
    names = [name for name in everything() if only in name]
    order = plan(seed, count, names)
    while played < count and time.monotonic() - began < seconds:
        steps = order[played : played + act_length]
        try:
            home = keep.absolute() / f"act-{number}" if keep else None
            if home:
                home.mkdir(parents=True)
            outcome = play(
                number, steps, package_root=package_root, keep=home, tell=progress,
                seconds=seconds - (time.monotonic() - began),
            )  # fmt: skip
        except TownError as error:
            total.trouble.append(f"act {number}: {error}")
            outcome = Outcome()
        total.add(outcome)
        if keep:
            (keep / f"outcome-{seed}.json").write_text(
                json.dumps(vars(total) | {"violations": [[n, vars(v)] for n, v in total.violations]}), "utf-8"
            )
        for act_seed, violation in outcome.violations[:SHOWN]:
            print(f"\n  VIOLATION in act {act_seed}: {violation.law}: {violation.detail}", flush=True)
        played += len(steps)
        number += 1
    return total


def joined(folders: Sequence[Path]) -> Outcome:
    """Return what several runs left with `keep`, as one."""
    total = Outcome()
    for file in sorted(file for folder in folders for file in folder.glob("outcome-*.json")):
        kept = json.loads(file.read_text("utf-8"))
        for name in ("injected", "counted", "reached", "operations", "longest"):
            kept[name] = Counter(kept[name])
        kept["violations"] = [(seed, Violation(**found)) for seed, found in kept["violations"]]
        total.add(Outcome(**kept))
    return total


def report(outcome: Outcome) -> str:
    """Return the tables."""
    rows = ["", f"{'fault':58} injected"]
    rows += [f"{name:58} {count:8}" for name, count in sorted(outcome.injected.items())]
    rows += [
        f"{'all':58} {sum(outcome.injected.values()):8}",
        "",
        f"{'step at which a process ended':58} times",
    ]
    rows += [f"{name:58} {outcome.reached[name]:5}" for name in named(ROOT / "calendar_service")]
    missing = [name for name in named(ROOT / "calendar_service") if not outcome.reached[name]]
    rows += [f"steps not reached: {', '.join(missing) or 'none'}", ""]
    rows += [f"{name}: {count}" for name, count in sorted((outcome.counted + outcome.operations).items())]
    rows += [f"{name}: {count}" for name, count in sorted(outcome.longest.items())]
    found = Counter(violation.law for _, violation in outcome.violations)
    rows += ["", *(f"{law}: {found[law]}" for law in oracle.LAWS)]
    if outcome.converged:
        slowest = max(outcome.converged)
        middle = sorted(outcome.converged)[len(outcome.converged) // 2]
        rows.append(
            f"converged after the last fault of an act: {middle:.1f} s (median), {slowest:.1f} s (longest)"
        )
    rows.append(f"{outcome.seconds:.0f} s, {len(outcome.converged)} acts")
    rows += [f"not played: {text}" for text in outcome.trouble]
    return "\n".join(rows)
