"""What came of acts: counted, joined, told in tables. Must not judge."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults import oracle
from faults.oracle import Violation
from faults.store import CAN_CUT

COUNTED = ("played", "injected", "counted", "reached", "operations")


@dataclass
class Outcome:
    """What came of one act, or of many."""

    played: Counter[str] = field(default_factory=Counter)
    """How often each scenario was played, by name."""
    injected: Counter[str] = field(default_factory=Counter)
    """How many faults it injected."""
    counted: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    """How often a process ended at each named step."""
    longest: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, Violation]] = field(default_factory=list)
    """Each with the seed of its act."""
    converged: list[float] = field(default_factory=list)
    """Seconds after the last fault of each act."""
    operations: Counter[str] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: "Outcome") -> None:
        """Count another outcome in."""
        for name in COUNTED:
            getattr(self, name).update(getattr(other, name))
        for name, value in other.longest.items():
            self.longest[name] = max(self.longest[name], value)
        self.violations += other.violations
        self.converged += other.converged
        self.trouble += other.trouble
        self.seconds += other.seconds

    def save(self, file: Path) -> None:
        """Keep it for `joined`."""
        plain = vars(self) | {"violations": [[seed, vars(found)] for seed, found in self.violations]}
        fresh = file.with_suffix(".new")
        fresh.write_text(json.dumps(plain), "utf-8")
        fresh.replace(file)  # whole at any moment: other runs read it


def joined(folders: Sequence[Path]) -> Outcome:
    """Return what several runs left with `--keep`, as one."""
    total = Outcome()
    for file in sorted(file for folder in folders for file in folder.glob("outcome-*.json")):
        kept = json.loads(file.read_text("utf-8"))
        for name in (*COUNTED, "longest"):
            kept[name] = Counter(kept[name])
        kept["violations"] = [(seed, Violation(**found)) for seed, found in kept["violations"]]
        total.add(Outcome(**kept))
    return total


def report(outcome: Outcome, steps: Sequence[str]) -> str:
    """Return the tables, as Markdown."""
    parts = (
        _kinds(outcome),
        _steps(outcome, steps),
        _counts(outcome),
        _laws(outcome),
        _least(outcome, steps),
    )
    tables = "\n\n".join("\n".join(part) for part in parts)
    not_played = "".join(f"\nnot played: {text}" for text in outcome.trouble)
    return f"\n{tables}{not_played}"


def _row(name: object, *numbers: object) -> str:
    return f"| {name!s:58} |" + "".join(f" {number!s:>8} |" for number in numbers)


def _head(name: str, *columns: str) -> list[str]:
    return [_row(name, *columns), "|" + "-" * 60 + "|" + ("-" * 9 + ":|") * len(columns)]


def by_kind(outcome: Outcome) -> dict[str, tuple[int, int]]:
    """Return rounds and faults of each kind, the named steps (F9) taken together."""
    found: dict[str, tuple[int, int]] = {}
    for name in sorted(outcome.played, key=_order):
        kind = "F9 a process ends at a named step" if is_step(name) else name
        rounds, faults = found.get(kind, (0, 0))
        found[kind] = rounds + outcome.played[name], faults + outcome.injected[name]
    return found


def is_step(name: str) -> bool:
    """Tell whether this scenario ends a process at a named step."""
    return name.endswith(("(web)", "(worker)", "(command)"))


def _order(name: str) -> tuple[int, str]:
    return int(name.partition(" ")[0][1:]), name


def _kinds(outcome: Outcome) -> list[str]:
    kinds = by_kind(outcome)
    rows = [_row(name, *numbers) for name, numbers in kinds.items()]
    total = _row("all", *(sum(column) for column in zip(*kinds.values(), strict=True))) if kinds else ""
    return [*_head("fault", "rounds", "faults"), *rows, total]


def _steps(outcome: Outcome, steps: Sequence[str]) -> list[str]:
    return [
        *_head("step at which a process ended", "times"),
        *(_row(name, outcome.reached[name]) for name in steps),
    ]


def _counts(outcome: Outcome) -> list[str]:
    numbers = outcome.counted + outcome.operations + outcome.longest
    return [*_head("counted", "number"), *(_row(name, numbers[name]) for name in sorted(numbers))]


def _laws(outcome: Outcome) -> list[str]:
    found = Counter(violation.law for _, violation in outcome.violations)
    return [*_head("law", "broken"), *(_row(law, found[law]) for law in oracle.LAWS)]


def _least(outcome: Outcome, steps: Sequence[str]) -> list[str]:
    kinds = by_kind(outcome)
    kind = min(kinds, key=lambda name: kinds[name][1], default="none")
    step = min(steps, key=lambda name: outcome.reached[name], default="none")
    cuts = "with strace" if CAN_CUT else "WITHOUT strace: nothing was cut, F2 was F1"
    lines = [
        f"faults: {sum(outcome.injected.values())}, of {len(kinds)} kinds",
        f"kind with the fewest: {kind}: {kinds.get(kind, (0, 0))[1]}",
        f"step with the fewest: {step}: {outcome.reached[step]}",
        f"ambiguous inserts: {outcome.counted['ambiguous inserts']}",
        f"power cuts: {outcome.counted['power cuts']}, {cuts}; "
        f"{outcome.counted['power cuts that took something']} took {outcome.counted['bytes lost to power cuts']} bytes",
        f"laws broken: {len(outcome.violations)}",
    ]
    if outcome.converged:
        ordered = sorted(outcome.converged)
        middle = ordered[len(ordered) // 2]
        lines.append(
            f"converged after the last fault: {middle:.1f} s (median), {ordered[-1]:.1f} s (longest)"
        )
    return [*(f"- {line}" for line in lines), f"- {outcome.seconds:.0f} s, {len(outcome.converged)} acts"]
