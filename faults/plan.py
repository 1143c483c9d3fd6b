"""Which scenarios are played, how often, in which order. Must not play any."""

import math
import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import faults.backups
import faults.failover
import faults.terms
import faults.versions
import faults.wires  # noqa: F401 - each enters its kinds
from faults.act import Act
from faults.kinds import KINDS
from faults.outcome import Outcome, is_step
from faults.points import scenarios
from faults.store import ROOT

ACT = 90
"""Scenarios in one act: small enough that its books are read in a moment."""
LEAST_KIND, LEAST_STEP = 50, 30
"""Faults of each kind, and ends at each named step, in a whole campaign."""
_MORE = {"F12 answer to insert lost": 300, "F2 power lost": 60}
"""Kinds of which a whole campaign wants more: ambiguous inserts (500 with those of other kinds), power cuts."""
_HOPELESS = 4
"""A scenario that was played so many times as often as would have done is given up."""


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


def owed(outcome: Outcome, names: Sequence[str]) -> dict[str, int]:
    """Return how many rounds each scenario still owes to a whole campaign, by what a round has brought so far."""
    rounds = {name: _rounds(outcome, name, _missing(outcome, name, names)) for name in names}
    return {name: count for name, count in rounds.items() if count > 0}


def _missing(outcome: Outcome, name: str, names: Sequence[str]) -> float:
    if not is_step(name):
        return _MORE.get(name, LEAST_KIND) - outcome.injected[name]
    step = name.split()[1]
    ways = sum(other.split()[1] == step for other in names if is_step(other))
    return (LEAST_STEP - outcome.reached[step]) / ways


def _rounds(outcome: Outcome, name: str, missing: float) -> int:
    played = outcome.played[name]
    least = LEAST_STEP if is_step(name) else LEAST_KIND
    if missing <= 0 or played >= _HOPELESS * max(least, _MORE.get(name, 0)):
        return 0
    brings = outcome.injected[name] / played if played else 1.0
    return math.ceil(missing / max(brings, 0.25))


def next_act(seed: int, outcome: Outcome, names: Sequence[str]) -> list[str]:
    """Return the steps of the next act of a whole campaign: drawn from what is owed, by the act's seed."""
    due = owed(outcome, names)
    if not outcome.played:
        return random.Random(seed).sample(list(names), len(names))  # what a round brings is learnt first
    rounds = [name for name in names for _ in range(due.get(name, 0))]
    return random.Random(seed).sample(rounds, min(ACT, len(rounds)))
