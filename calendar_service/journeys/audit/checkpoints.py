"""Checkpoints: signed once a day over the heads of all chains (ST-5, LU-6). Must not know the store."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from calendar_service.crypto.signing import SignatureInvalid, check
from calendar_service.domain.audit import ChainFault, CheckpointPoint
from calendar_service.domain.clock import DAY, SECOND, Millis
from calendar_service.journeys.audit.chain import canonical

CHECKPOINT = "audit-checkpoint"


def made_at(checkpoint: Mapping[str, Any]) -> Millis:
    """Return when the checkpoint was made (database time); 0 if it does not say."""
    return instant(checkpoint.get("made_at"))


def instant(text: object) -> Millis:
    """Return the instant of a text such as `2026-11-25T13:15:53Z`; 0 if it is none."""
    try:
        return int(datetime.fromisoformat(str(text)).timestamp()) * SECOND
    except ValueError:
        return 0


def digest(checkpoint: Mapping[str, Any]) -> str:
    """Return the hash by which the next checkpoint names this one: SHA-256 of its canonical form with the signature."""
    return sha256(canonical(checkpoint)).hexdigest()


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
        self.by_number: dict[int, Mapping[str, Any]] = {}
        """The checkpoints with a valid signature."""
        self.points: dict[int, dict[int, tuple[str, int]]] = {}
        """By shard and number of an entry: the MAC that a checkpoint states, and the checkpoint's number."""
        self.faults: list[ChainFault] = []
        self._last: Mapping[str, Any] | None = None

    @property
    def newest(self) -> Mapping[str, Any] | None:
        """The last checkpoint with a valid signature."""
        return self._last

    def take(self, one: Mapping[str, Any]) -> None:
        """Verify the next checkpoint."""
        number = one.get("number")
        try:
            check(one, self._public_keys, frozenset())
        except SignatureInvalid as error:
            self._fault(number if isinstance(number, int) else None, f"the checkpoint {error}")
            return
        if one["type"] != CHECKPOINT:
            self._fault(None, "a signed document of another kind stands in place of a checkpoint")
            return
        self._follows(one)
        self.by_number[one["number"]] = one
        for shard, head in one["heads"].items():
            point = as_point(head)
            self.points.setdefault(int(shard), {})[point.number] = (point.mac, one["number"])
        self._last = one

    def _follows(self, one: Mapping[str, Any]) -> None:
        last, number = self._last, one["number"]
        if last is None:
            return  # `starts_at` checks whether it may be the first
        if number <= last["number"]:
            self._fault(number, "the checkpoint is out of order, or there twice")
        elif number > last["number"] + 1:
            self._fault(last["number"] + 1, "the checkpoint is missing")
        elif one["previous"] != digest(last):
            self._fault(number, "the checkpoint before this one is not the one that it names")
        for shard, head in last["heads"].items():
            if as_point(one["heads"].get(shard)).number < as_point(head).number:
                self._fault(number, f"states fewer entries of shard {shard} than the checkpoint before it")

    def starts_at(self, first: int) -> None:
        """Add a fault if the first checkpoint has a higher number than `first`: 1, or the oldest base of a chain."""
        if self.by_number and min(self.by_number) > first:
            self._fault(first, "the checkpoint is missing, and all up to the first that is there")

    def may_end_at(self, number: int, now: Millis) -> bool:
        """Tell whether entries before this checkpoint were old enough to be removed, by the signed retention."""
        retention = min((int(one["term_days"]) for one in self.by_number.values()), default=0) * DAY
        return number in self.by_number and made_at(self.by_number[number]) + retention <= now

    def _fault(self, number: int | None, what: str) -> None:
        self.faults.append(ChainFault(what, checkpoint=number))
