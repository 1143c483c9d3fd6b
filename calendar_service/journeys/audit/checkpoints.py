"""Checkpoints: signed once a day over the heads of all chains (ST-5, LU-6). Must not know the store."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from calendar_service.crypto.signed_note import VerifierKey, verified_text
from calendar_service.crypto.signing import SignatureInvalid
from calendar_service.domain.audit import ChainFault, CheckpointPoint
from calendar_service.domain.checkpoint import Checkpoint, Statement, digest
from calendar_service.domain.clock import DAY, SECOND, Millis


def instant(text: object) -> Millis:
    """Return the instant of a text such as `2026-11-25T13:15:53Z`; 0 if it is none."""
    try:
        return int(datetime.fromisoformat(str(text)).timestamp()) * SECOND
    except ValueError:
        return 0


def as_list(point: CheckpointPoint) -> tuple[int, str, str]:
    """Return a head as checkpoints and exports write it."""
    return point.number, point.id, point.mac


def as_point(head: Sequence[Any] | None) -> CheckpointPoint:
    """Return the head that `as_list` wrote; for None, the beginning of a chain."""
    return CheckpointPoint(int(head[0]), str(head[1]), str(head[2])) if head else CheckpointPoint()


class CheckpointVerifier:
    """Verifies a sequence of checkpoints one by one: each is signed, and names the one before it."""

    def __init__(self, public_keys: Sequence[str]) -> None:
        """Take the operator's public keys, base64 of 32 bytes each."""
        self._public_keys = public_keys
        self.by_number: dict[int, Statement] = {}
        """What the checkpoints with a valid signature state."""
        self.points: dict[int, dict[int, tuple[str, int]]] = {}
        """By shard and number of an entry: the MAC that a checkpoint states, and the checkpoint's number."""
        self.faults: list[ChainFault] = []
        self._last: Checkpoint | None = None

    @property
    def newest(self) -> Statement | None:
        """What the last checkpoint with a valid signature states."""
        return self._last.statement if self._last else None

    def take(self, one: Checkpoint) -> None:
        """Verify the next checkpoint."""
        try:
            statement = verified_statement(one.note, self._public_keys)
        except SignatureInvalid as error:
            self._fault(one.number, f"the checkpoint {error}")
            return
        if not one.is_whole:
            self._fault(one.number, "the checkpoint was changed after it was signed: its details are others")
            return
        self._follows(one, statement)
        self.by_number[statement.number] = statement
        for shard, head in one.details["heads"].items():
            point = as_point(head)
            self.points.setdefault(int(shard), {})[point.number] = (point.mac, statement.number)
        self._last = one

    def _follows(self, one: Checkpoint, statement: Statement) -> None:
        last, former, number = self._last, self.newest, statement.number
        if last is None or former is None:
            return  # `starts_at` checks whether it may be the first
        if number <= former.number:
            self._fault(number, "the checkpoint is out of order, or there twice")
        elif number > former.number + 1:
            self._fault(former.number + 1, "the checkpoint is missing")
        elif statement.previous != digest(last.note):
            self._fault(number, "the checkpoint before this one is not the one that it names")
        for shard, head in last.details["heads"].items():
            if as_point(one.details["heads"].get(shard)).number < as_point(head).number:
                self._fault(number, f"states fewer entries of shard {shard} than the checkpoint before it")

    def starts_at(self, first: int) -> None:
        """Add a fault if the first checkpoint has a higher number than `first`: 1, or the oldest base of a chain."""
        if self.by_number and min(self.by_number) > first:
            self._fault(first, "the checkpoint is missing, and all up to the first that is there")

    def may_end_at(self, number: int, now: Millis) -> bool:
        """Tell whether entries before this checkpoint were old enough to be removed, by the signed retention."""
        retention = min((one.term_days for one in self.by_number.values()), default=0) * DAY
        return number in self.by_number and self.by_number[number].made_at + retention <= now

    def _fault(self, number: int | None, what: str) -> None:
        self.faults.append(ChainFault(what, checkpoint=number))


def verified_statement(note: str, public_keys: Sequence[str]) -> Statement:
    """Return what a note states if one of these keys signed it; raise `SignatureInvalid` with the reason.

    `public_keys`: base64 of 32 bytes each. The key's name is the origin that the note states: the operator may have
    moved to another host, with the same key.
    """
    origin = note.partition("\n")[0]
    try:
        keys = [VerifierKey(origin, b64decode(key, validate=True)) for key in public_keys]
        return Statement.of_text(verified_text(note, keys))
    except ValueError as error:
        raise SignatureInvalid(str(error)) from None
