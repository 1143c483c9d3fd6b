"""Combines evidence and measures into the status of each clause."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import calendar_service
from calendar_service.domain.clock import Millis
from calendar_service.domain.operator import (
    OPTIONAL_FACTS,
    STATED_FACTS,
    Addition,
    Clause,
    Declaration,
    Localized,
    Operator,
)
from calendar_service.health.finding import Finding
from calendar_service.journeys.operations.all_connections import ConnectionTotals
from calendar_service.rendering.language import Language
from calendar_service.rendering.operator_facts import fact_text
from calendar_service.report.evidence import ADDED, EVIDENCE, Evidence
from calendar_service.report.proofs import (
    ClauseEvidence,
    Declared,
    Enforced,
    EvidenceStatus,
    Observed,
    Proposal,
)
from calendar_service.report.shown_by import SHOWN_BY

PACKAGE = Path(calendar_service.__file__).parent
SOURCE = PACKAGE.parent
_TEST = re.compile(r"^\s*def (test_\w+)", re.MULTILINE)
_OURS = "unit/test_evidence.py"
"""This file identifies our test suite: an installed package may have another `tests` folder beside it."""
_NOT_MEASURED = Observed(
    "This could not be measured: the database does not answer.", {}, EvidenceStatus.MISSING
)


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says."""

    operator: Operator
    environment: str
    version: str
    made_at: Millis
    clauses: tuple[ClauseEvidence, ...]
    additions: tuple[ClauseEvidence, ...]
    findings: tuple[Finding, ...]
    totals: ConnectionTotals
    tests_found: bool
    """True if the named tests were found; false if the source is not beside the package."""

    @property
    def all(self) -> tuple[ClauseEvidence, ...]:
        """Clauses and additions."""
        return (*self.clauses, *self.additions)

    @property
    def standing(self) -> EvidenceStatus:
        """The status of the whole report: missing if one clause lacks its evidence."""
        return EvidenceStatus.of_all(one.standing for one in self.all)

    def count(self, standing: EvidenceStatus) -> int:
        """Return how many clauses and additions have this status."""
        return sum(one.standing is standing for one in self.all)


def judge(
    operator: Operator,
    environment: str,
    observations: Mapping[str, Observed],
    findings: tuple[Finding, ...],
    totals: ConnectionTotals,
    made_at: Millis,
) -> Report:
    """Return the report of this operator with these measures."""
    judging = _Judge(operator, observations, suite_of(SOURCE))
    return Report(
        operator,
        environment,
        metadata.version("calendar-service"),
        made_at,
        tuple(judging.clause(name, operator.clauses[name], EVIDENCE[name]) for name in EVIDENCE),
        tuple(judging.addition(name, addition) for name, addition in operator.additions.items()),
        findings,
        totals,
        judging.tests is not None,
    )


def suite_of(source: Path) -> frozenset[str] | None:
    """Return all tests below `source`/tests as `SHOWN_BY` writes them; None if our suite is not there."""
    suite = source / "tests"
    if not (suite / _OURS).is_file():
        return None
    return frozenset(
        f"{file.relative_to(suite).as_posix()}::{name}"
        for file in suite.rglob("*.py")
        for name in _TEST.findall(file.read_text("utf-8"))
    )


@dataclass(frozen=True)
class _Judge:
    operator: Operator
    observations: Mapping[str, Observed]
    tests: frozenset[str] | None

    def clause(self, name: str, promise: Clause | Addition, evidence: Evidence) -> ClauseEvidence:
        observed = tuple(self.observations.get(measure, _NOT_MEASURED) for measure in evidence.observed)
        declared = tuple(
            self._declared(place) for place in evidence.declared if self._is_given_or_needed(place)
        )
        is_draft = promise.source == "proposed" and self.operator.is_draft
        enforced = self._enforced(evidence.code, SHOWN_BY[name])
        proposals = tuple(self._proposals(evidence.proposable))
        return ClauseEvidence(
            name, promise.text, is_draft, evidence.does, enforced, observed, declared, proposals
        )

    def addition(self, name: str, addition: Addition) -> ClauseEvidence:
        if addition.kept_by == "service":
            return self.clause(name, addition, ADDED[name])
        is_draft = addition.source == "proposed" and self.operator.is_draft
        declaration = Declared(f"additions.{name}", addition.text, self.operator.identity.who, self._when)
        facts = tuple(self._declared(place) for place in STATED_FACTS.get(name, ()))
        return ClauseEvidence(name, addition.text, is_draft, "", None, (), (declaration, *facts))

    def _proposals(self, places: tuple[str, ...]) -> Iterator[Proposal]:
        for place in places:
            sentence: Clause = getattr(self.operator, place)
            if not self.operator.publishes(sentence):
                yield Proposal(place, sentence.text)

    def _enforced(self, code: tuple[str, ...], tests: tuple[str, ...]) -> Enforced:
        absent = [file for file in code if not (PACKAGE / file).is_file()]
        if self.tests is not None:
            absent += [test for test in tests if test not in self.tests]
        return Enforced(code, tests, tuple(absent))

    def _is_given_or_needed(self, place: str) -> bool:
        return place not in OPTIONAL_FACTS or bool(self.operator.fact(place))

    def _declared(self, place: str) -> Declared:
        value = self.operator.fact(place)
        if isinstance(value, Declaration):
            return Declared(place, value.what, value.who, value.date)
        texts = {code: fact_text(self.operator, place, Language(code)) for code in self.operator.languages}
        return Declared(place, Localized(texts), self.operator.identity.who, self._when)

    @property
    def _when(self) -> str:
        return self.operator.policy.adopted_on or self.operator.policy.date


def groups(clauses: tuple[ClauseEvidence, ...]) -> Iterator[tuple[str, list[ClauseEvidence]]]:
    """Yield the clauses grouped by the first two letters of their names, in order."""
    by_group: dict[str, list[ClauseEvidence]] = {}
    for one in clauses:
        by_group.setdefault(one.name[:2], []).append(one)
    yield from by_group.items()
