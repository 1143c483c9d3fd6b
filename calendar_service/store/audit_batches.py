"""Audit entries compressed in batches: the columns of their ids, times and facts as JSON, deflated, in base 85.

A batch is read from the database, which an attacker may have written: what it expands to is limited.
"""

import json
import zlib
from base64 import b85decode, b85encode
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from calendar_service.domain.audit import AuditEntry, place
from calendar_service.domain.clock import rfc3339_millis

MAX_ENTRIES = 1_000
"""Entries in one batch: more gain little, and a script has to look at each."""
MAX_BYTES = 4 * 1024 * 1024
"""A batch that expands to more is none of ours: an entry has some 100 bytes, so the longest batch some 200 kB."""


def packed(entries: Sequence[AuditEntry]) -> str:
    """Return these entries of one shard as a text, without numbers and MACs."""
    places = [place(entry.id) for entry in entries]
    columns = [
        [later[0] - earlier[0] for earlier, later in pairwise([(0, 0), *places])],
        [count for _, count in places],
        [_time(entry, at) for entry, (at, _) in zip(entries, places, strict=True)],
        [entry.facts for entry in entries],
    ]
    return b85encode(zlib.compress(json.dumps(columns, separators=(",", ":")).encode(), 9)).decode()


def unpacked(shard: int, text: str) -> tuple[AuditEntry, ...]:
    """Return the entries of a batch; none if the text is not one that `packed` wrote."""
    try:
        inflater = zlib.decompressobj()
        document = inflater.decompress(b85decode(text), MAX_BYTES)
        if not inflater.eof:
            return ()
        steps, counts, times, facts = json.loads(document)
        return tuple(
            _entry(shard, at, *columns)
            for at, *columns in zip(accumulate(steps), counts, times, facts, strict=True)
        )
    except (ValueError, TypeError, OverflowError, RecursionError, zlib.error):
        return ()


def _time(entry: AuditEntry, at: int) -> str:
    """Return the entry's time; empty if its id says the same, as it does unless the test clock is set."""
    return "" if entry.at == rfc3339_millis(at) else entry.at


def _entry(shard: int, at: int, count: int, time: str, facts: dict[str, Any]) -> AuditEntry:
    return AuditEntry(shard, f"{at:d}-{count:d}", time or rfc3339_millis(at), {**facts})
