"""A checkpoint: what it states in public, as the text of its signed note, and the details that stay here (ST-5, LU-6).

The text is lines `name: value` in a fixed order under the origin and the type. docs/audit.md shows one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from calendar_service.domain.clock import DAY, SECOND, Millis, rfc3339

TYPE: Final = "calendar-service/checkpoint/v1"
"""The text's second line. A note of another kind under the same key has another one."""
PATH: Final = "/transparency"
"""Where the checkpoints are published; with the host it is the origin, and the name of the key."""
NO_FORMER: Final = "none"
"""What the first checkpoint states instead of the hash of the one before it."""


_NUMBERS: Final = ("number", "term_days", "due", "held", "erased", "unverified", "overdue", "faults")


class NotACheckpoint(ValueError):
    """The text is not what a checkpoint states."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a checkpoint states in public. Its fields are the lines of the text, in their order."""

    origin: str
    """Host and path under which the checkpoints are published."""
    number: int
    """1 for the first; each one after it has the next number."""
    previous: str
    """SHA-256 of the whole note before this one in hexadecimal, or `NO_FORMER`."""
    made_at: Millis
    """Database time, to the second."""
    term_days: int
    """For how many days checkpoints and entries of the audit log are kept."""
    due: int
    """Connections that are over and wait for their erasure; without holds not to be told yet."""
    held: int
    """Of these, under a legal hold."""
    erased: int
    """Erasures since the checkpoint before."""
    unverified: int
    """Live permissions that Google has not proved alive for three days."""
    overdue: int
    """Erasures past their time by more than an hour."""
    faults: int
    """Faults of the audit log found since the checkpoint before."""
    details: str
    """SHA-256 of the details in hexadecimal. They hold the heads of all chains."""

    @property
    def day(self) -> Millis:
        """The first instant of the day (UTC) on which it was made."""
        return self.made_at - self.made_at % DAY

    def text(self) -> str:
        """Return the text of the note."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["made_at"] = rfc3339(self.made_at)
        origin = values.pop("origin")
        lines = (origin, TYPE, *(f"{name}: {value}" for name, value in values.items()))
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def of_text(cls, text: str) -> "Statement":
        """Read the text of a note; raise `NotACheckpoint` if it is not exactly what `text` writes."""
        origin, _, rest = text.partition(f"\n{TYPE}\n")
        values: dict[str, Any] = dict(line.partition(": ")[::2] for line in rest.split("\n")[:-1])
        try:
            for name in _NUMBERS:
                values[name] = int(values[name])
            made_at = datetime.strptime(values["made_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            values["made_at"] = int(made_at.timestamp()) * SECOND
            statement = cls(origin=origin, **values)
        except (KeyError, TypeError, ValueError) as error:
            raise NotACheckpoint("is not the text of a checkpoint") from error
        if statement.text() != text or not statement._is_sound():
            raise NotACheckpoint("is not the text of a checkpoint")
        return statement

    def _is_sound(self) -> bool:
        return (
            self.number > 0
            and min(getattr(self, name) for name in _NUMBERS) >= 0
            and _is_hash(self.details)
            and (_is_hash(self.previous) if self.number > 1 else self.previous == NO_FORMER)
        )


def _is_hash(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def digest(text: str) -> str:
    """Return SHA-256 of the text's UTF-8 bytes in hexadecimal: of a note, what the next one names it by."""
    return sha256(text.encode()).hexdigest()


def details_text(details: Mapping[str, Any]) -> str:
    """Return the details in the form that the note's hash covers: JSON in ASCII, keys sorted, without blanks."""
    return json.dumps(details, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as it is stored: the signed note, and beside it the details whose hash the note states."""

    number: int
    """Its place in the store; the note states it too."""
    note: str
    details: Mapping[str, Any]
    """`heads` (by shard the number, id and MAC of its last entry) and two counts. Empty if they are damaged."""

    @cached_property
    def statement(self) -> Statement | None:
        """What the note states, its signature not verified; None if it is damaged."""
        try:
            return Statement.of_text(self.note.rpartition("\n\n")[0] + "\n")
        except NotACheckpoint:
            return None

    @property
    def made_at(self) -> Millis:
        """When it was made (database time); 0 if it does not say."""
        return self.statement.made_at if self.statement else 0

    @property
    def is_whole(self) -> bool:
        """Whether the details are those whose hash the note states."""
        return self.statement is not None and self.statement.details == digest(details_text(self.details))
