"""Which scenarios are played, how often and in which order. The seed alone decides it.

A campaign of N scenarios plays rounds: in each round every scenario stands by its weight, shuffled. A whole campaign
(`--whole`) plays episodes until every scenario has injected enough faults.
"""

import math
import random
from collections.abc import Sequence

from faults.result import CampaignResult
from faults.scenarios import all_scenarios, is_step

EPISODE_LENGTH = 90
"""Scenarios in one episode, so few that the checker reads its evidence in a moment."""
LEAST_FAULTS, LEAST_EXITS = 50, 30
"""Faults of each scenario, and ends at each named step, in a whole campaign."""
_MORE_FAULTS = {"F12 answer to insert lost": 300, "F2 power lost": 60}
"""Scenarios of which a whole campaign needs more: ambiguous inserts (500 with those of other scenarios), power cuts."""
_GIVE_UP = 4
"""A scenario is given up after so many times as many rounds as would have been enough."""
_WEIGHTS = {
    "F12 answer to insert lost": 1.2, "F12 answer dripped": 0.25, "F12 no answer": 0.25,
    "F12 answer lost, cancelled at once": 0.6, "F12 answer to patch lost": 0.4, "F12 answer to delete lost": 0.4,
    "F12 request lost": 0.4, "F12 answer torn": 0.4, "F13 rate limited": 0.5, "F13 server error": 0.5,
    "F14 access token refused": 0.6, "F17 refresh answer lost": 0.7, "F17 token endpoint in trouble": 0.5,
    "F30 cancel against reschedule": 0.6, "F31 order kept": 0.5, "F34 rolling restart": 0.6,
}  # fmt: skip
"""How often a scenario is played in a round, 1 unless it stands here: seldom if it injects several faults at once."""


def weight(name: str) -> float:
    """Return how often a scenario is played in a round."""
    if is_step(name):
        names = all_scenarios()
        both = name.replace("(web)", "(worker)") in names and name.replace("(worker)", "(web)") in names
        return 0.25 if both else 0.7
    return _WEIGHTS.get(name, 1.0)


def plan(seed: int, count: int, names: Sequence[str] = ()) -> list[str]:
    """Return the scenarios of a campaign in order; with `names` only those, each once a round."""
    rng = random.Random(seed)
    candidates = list(names or all_scenarios())
    weighted = len(candidates) == len(all_scenarios())
    shares = dict.fromkeys(candidates, 0.99)
    planned: list[str] = []
    while len(planned) < count:
        for name in candidates:
            shares[name] += weight(name) if weighted else 1.0
        round_ = [name for name in candidates for _ in range(int(shares[name]))]
        shares = {name: share % 1 for name, share in shares.items()}
        rng.shuffle(round_)
        planned += round_
    return planned[:count]


def missing_rounds(result: CampaignResult, names: Sequence[str]) -> dict[str, int]:
    """Return how many rounds each scenario still needs, by what one round has injected so far."""
    rounds = {name: _rounds(result, name, _missing_faults(result, name, names)) for name in names}
    return {name: count for name, count in rounds.items() if count > 0}


def _missing_faults(result: CampaignResult, name: str, names: Sequence[str]) -> float:
    if not is_step(name):
        return _MORE_FAULTS.get(name, LEAST_FAULTS) - result.injected[name]
    step = name.split()[1]
    processes = sum(other.split()[1] == step for other in names if is_step(other))
    return (LEAST_EXITS - result.step_exits[step]) / processes


def _rounds(result: CampaignResult, name: str, missing: float) -> int:
    played = result.played[name]
    least = LEAST_EXITS if is_step(name) else LEAST_FAULTS
    if missing <= 0 or played >= _GIVE_UP * max(least, _MORE_FAULTS.get(name, 0)):
        return 0
    faults_per_round = result.injected[name] / played if played else 1.0
    return math.ceil(missing / max(faults_per_round, 0.25))


def next_episode(seed: int, result: CampaignResult, names: Sequence[str]) -> list[str]:
    """Return the scenarios of the next episode of a whole campaign; empty when every scenario has enough.

    The first episode plays every scenario once, which shows how many faults a round of each injects.
    """
    rng = random.Random(seed)
    if not result.played:
        return rng.sample(list(names), len(names))
    missing = missing_rounds(result, names)
    rounds = [name for name in names for _ in range(missing.get(name, 0))]
    return rng.sample(rounds, min(EPISODE_LENGTH, len(rounds)))
