"""What one episode or many have brought: counts, violations, times; saved as JSON, so that runs can be joined."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults.checker import Violation

_SUMS = ("played", "injected", "counters", "step_exits", "operations")


@dataclass
class CampaignResult:
    """What has come of one episode, or of many."""

    played: Counter[str] = field(default_factory=Counter)
    """How often each scenario was played."""
    injected: Counter[str] = field(default_factory=Counter)
    """How many faults each scenario injected."""
    counters: Counter[str] = field(default_factory=Counter)
    """What scenarios counted beside."""
    step_exits: Counter[str] = field(default_factory=Counter)
    """How often a process ended at each named step of the service."""
    maxima: Counter[str] = field(default_factory=Counter)
    """The largest value of what scenarios measured."""
    violations: list[tuple[int, Violation]] = field(default_factory=list)
    """Each with the seed of its episode."""
    convergence_seconds: list[float] = field(default_factory=list)
    """For each episode, the seconds after its last fault until nothing was left to do."""
    operations: Counter[str] = field(default_factory=Counter)
    """How the driver's requests were answered."""
    errors: list[str] = field(default_factory=list)
    """Scenarios that could not be played, and why."""
    seconds: float = 0.0

    def add(self, other: "CampaignResult") -> None:
        """Add another result to this one."""
        for name in _SUMS:
            getattr(self, name).update(getattr(other, name))
        for name, value in other.maxima.items():
            self.maxima[name] = max(self.maxima[name], value)
        self.violations += other.violations
        self.convergence_seconds += other.convergence_seconds
        self.errors += other.errors
        self.seconds += other.seconds

    def save(self, file: Path) -> None:
        """Write it for `joined`; other runs that read the file meanwhile see it whole."""
        fields = vars(self) | {"violations": [[seed, vars(violation)] for seed, violation in self.violations]}
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(fields), "utf-8")
        draft.replace(file)


def joined(folders: Sequence[Path]) -> CampaignResult:
    """Return what several runs have saved in these folders, as one result."""
    total = CampaignResult()
    for file in sorted(file for folder in folders for file in folder.glob("result-*.json")):
        fields = json.loads(file.read_text("utf-8"))
        for name in (*_SUMS, "maxima"):
            fields[name] = Counter(fields[name])
        fields["violations"] = [(seed, Violation(**violation)) for seed, violation in fields["violations"]]
        total.add(CampaignResult(**fields))
    return total
