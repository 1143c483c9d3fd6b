"""Failures that a test asks for: which call they meet and what they do to it. Must not touch the books."""

import random
from fnmatch import fnmatchcase
from typing import Any

import msgspec

DEEDS = frozenset(
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
    """Which calls a rule meets: an HTTP method and a glob over the path; absent means any."""

    method: str | None = None
    path: str = "*"


class Rule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One fault: let ``after`` calls pass, then strike ``times`` times, each with ``probability``."""

    do: dict[str, Any]
    match: Match = msgspec.field(default_factory=Match)
    after: int = 0
    times: int | None = None
    probability: float = 1.0
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        """Refuse a deed that nobody knows."""
        if not DEEDS & set(self.do):
            raise ValueError(f"do must hold one of {', '.join(sorted(DEEDS))}")


class FaultBook:
    """The rules in force; the first one that strikes wins. Chance comes from a seed, so a run can be repeated."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self.rules: list[Rule] = []
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def add(self, document: Any) -> None:
        """Take one rule, a list of them, or ``{"rules": […]}``; raises msgspec.ValidationError."""
        if isinstance(document, dict) and "rules" in document:
            document = document["rules"]
        found = document if isinstance(document, list) else [document]
        self.rules += msgspec.convert(found, list[Rule])

    def clear(self) -> None:
        """No rule, and chance begins anew."""
        self.rules.clear()
        self.chance.seed(self._seed)

    def strike(self, method: str, path: str) -> dict[str, Any] | None:
        """What happens to this call, if anything."""
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
