"""Faults that tests inject: which calls they apply to and what they do. Must not change the books."""

import random
from fnmatch import fnmatchcase
from typing import Any

import msgspec

EFFECTS = frozenset(
    {
        "status",
        "cut",
        "delay",
        "drip",
        "hang",
        "html",
        "invalid_grant",
        "invalid_client",
        "truncate",
        "answer",
        "edit",
    }
)


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """The calls that a rule applies to: an HTTP method and a glob over the path; absent means any."""

    method: str | None = None
    path: str = "*"


class Rule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One fault: skip ``after`` matching calls, then apply ``times`` times, each with ``probability``."""

    do: dict[str, Any]
    match: Match = msgspec.field(default_factory=Match)
    after: int = 0
    times: int | None = None
    probability: float = 1.0
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        """Refuse an unknown effect."""
        if not EFFECTS & set(self.do):
            raise ValueError(f"do must hold one of {', '.join(sorted(EFFECTS))}")


class FaultBook:
    """The rules in force; the first that applies wins. Chance comes from a seed, so that a run can be repeated."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self.rules: list[Rule] = []
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def add(self, document: Any) -> None:
        """Add one rule, a list of rules, or ``{"rules": […]}``; raises msgspec.ValidationError."""
        if isinstance(document, dict) and "rules" in document:
            document = document["rules"]
        rules = document if isinstance(document, list) else [document]
        self.rules += msgspec.convert(rules, list[Rule])

    def clear(self) -> None:
        """Remove all rules and restart chance from the seed."""
        self.rules.clear()
        self.chance.seed(self._seed)

    def strike(self, method: str, path: str) -> dict[str, Any] | None:
        """The effect on this call, or None."""
        for rule in self.rules:
            if rule.match.method not in (None, "*", method) or not fnmatchcase(path, rule.match.path):
                continue
            rule.seen += 1
            spent = rule.times is not None and rule.struck >= rule.times
            if rule.seen <= rule.after or spent or self.chance.random() >= rule.probability:
                continue
            rule.struck += 1
            return rule.do
        return None
