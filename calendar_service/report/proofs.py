"""What a report consists of, as plain values in no language yet. Must not measure anything."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from calendar_service.domain.operator import Localized

EXAMINED: Final = "The service's own examination, %(check)s: %(found)s."


class EvidenceStatus(StrEnum):
    """How a proof, a clause or a whole report stands. The last that applies to a part applies to the whole."""

    SHOWN = "shown"
    OPEN = "open"
    """Not due yet, or the operator's to set."""
    MISSING = "missing"

    @staticmethod
    def of_all(parts: "Iterable[EvidenceStatus]") -> "EvidenceStatus":
        """Return how a whole stands."""
        order = list(EvidenceStatus)
        return max(parts, key=order.index, default=EvidenceStatus.SHOWN)


@dataclass(frozen=True, slots=True)
class Observed:
    """What was measured when the report was made."""

    sentence: str
    """In English, with places such as `%(count)s`."""
    values: Mapping[str, object] = field(default_factory=dict)
    standing: EvidenceStatus = EvidenceStatus.SHOWN
    check: str = ""
    """What the service's own examination looked at, where this is of it."""

    def told(self, say: Callable[[str], str] = str) -> str:
        """Return the sentence filled in, first brought into another language by `say`."""
        found = say(self.sentence) % self.values
        return say(EXAMINED) % {"check": say(self.check), "found": found} if self.check else found


@dataclass(frozen=True, slots=True)
class Enforced:
    """Code and tests."""

    code: tuple[str, ...]
    tests: tuple[str, ...]
    absent: tuple[str, ...]
    """Of these: what was not found where it was looked for."""

    @property
    def standing(self) -> EvidenceStatus:
        """Tell whether all of it is there."""
        return EvidenceStatus.MISSING if self.absent or not self.tests else EvidenceStatus.SHOWN


@dataclass(frozen=True, slots=True)
class Declared:
    """A fact of the profile: the operator's word."""

    place: str
    value: Localized | str
    """Empty while it is not set."""
    who: str
    when: str
    """The day of the policy that says so; empty while that is not set."""

    @property
    def standing(self) -> EvidenceStatus:
        """Tell whether it is said, and since when."""
        said = any(self.value.values()) if isinstance(self.value, Mapping) else self.value
        return EvidenceStatus.SHOWN if said and self.when else EvidenceStatus.OPEN


@dataclass(frozen=True, slots=True)
class ClauseEvidence:
    """One clause or addition with everything that shows how it is kept."""

    name: str
    text: Localized
    is_draft: bool
    """Proposed, and not yet adopted by the operator."""
    does: str
    enforced: Enforced | None
    observed: tuple[Observed, ...]
    declared: tuple[Declared, ...]

    @property
    def standing(self) -> EvidenceStatus:
        """Return how the whole stands."""
        proofs = (*((self.enforced,) if self.enforced else ()), *self.observed, *self.declared)
        draft = (EvidenceStatus.OPEN,) if self.is_draft else ()
        return EvidenceStatus.of_all((*(proof.standing for proof in proofs), *draft))
