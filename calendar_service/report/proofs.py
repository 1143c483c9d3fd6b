"""The parts of a report as plain values, before translation."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from calendar_service.domain.operator import Localized

EXAMINED: Final = "The service's own examination, %(check)s: %(found)s."


class EvidenceStatus(StrEnum):
    """The status of a proof, a clause or a report. A whole has the last of these that one of its parts has."""

    SHOWN = "shown"
    OPEN = "open"
    """Not due yet, or the operator's to set."""
    MISSING = "missing"

    @staticmethod
    def of_all(parts: "Iterable[EvidenceStatus]") -> "EvidenceStatus":
        """Return the status of a whole."""
        order = list(EvidenceStatus)
        return max(parts, key=order.index, default=EvidenceStatus.SHOWN)


@dataclass(frozen=True, slots=True)
class Observed:
    """A measure of the running service."""

    sentence: str
    """In English, with placeholders such as `%(count)s`."""
    values: Mapping[str, object] = field(default_factory=dict)
    standing: EvidenceStatus = EvidenceStatus.SHOWN
    check: str = ""
    """The check of `doctor` that this is from; empty if it is from none."""

    def text(self, say: Callable[[str], str] = str) -> str:
        """Return the sentence, translated by `say`, with its values."""
        sentence = say(self.sentence) % self.values
        return say(EXAMINED) % {"check": say(self.check), "found": sentence} if self.check else sentence


@dataclass(frozen=True, slots=True)
class Enforced:
    """Code that fulfils a clause, and tests of it."""

    code: tuple[str, ...]
    tests: tuple[str, ...]
    absent: tuple[str, ...]
    """Of these, the files and tests that do not exist."""

    @property
    def standing(self) -> EvidenceStatus:
        """Missing if a file or test does not exist, or if there is no test."""
        return EvidenceStatus.MISSING if self.absent or not self.tests else EvidenceStatus.SHOWN


@dataclass(frozen=True, slots=True)
class Declared:
    """A value of the profile, for which the operator vouches."""

    place: str
    value: Localized | str
    """Empty if it is unset."""
    who: str
    when: str
    """The date of the policy; empty if it is unset."""

    @property
    def standing(self) -> EvidenceStatus:
        """Open until value and date are set."""
        is_set = any(self.value.values()) if isinstance(self.value, Mapping) else bool(self.value)
        return EvidenceStatus.SHOWN if is_set and self.when else EvidenceStatus.OPEN


@dataclass(frozen=True, slots=True)
class Proposal:
    """A sentence of the profile that the operator's policy does not say yet."""

    place: str
    text: Localized


@dataclass(frozen=True, slots=True)
class ClauseEvidence:
    """One clause or addition with its evidence."""

    name: str
    text: Localized
    is_draft: bool
    """Proposed, and not yet adopted by the operator."""
    does: str
    enforced: Enforced | None
    observed: tuple[Observed, ...]
    declared: tuple[Declared, ...]
    proposals: tuple[Proposal, ...] = ()
    """While there is one, the clause is open."""

    @property
    def standing(self) -> EvidenceStatus:
        """The status of the clause."""
        proofs = (*((self.enforced,) if self.enforced else ()), *self.observed, *self.declared)
        draft = (EvidenceStatus.OPEN,) if self.is_draft or self.proposals else ()
        return EvidenceStatus.of_all((*(proof.standing for proof in proofs), *draft))
