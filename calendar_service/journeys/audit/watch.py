"""Watches the published checkpoints of a service from outside, against a copy of what it published before (ST-5, LU-6).

Needs nothing of the service but its public addresses. Knows no files and no sockets.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from calendar_service.crypto.signed_note import VerifierKey, verified_text
from calendar_service.crypto.signing import SignatureInvalid
from calendar_service.domain.audit import ABSENT_AFTER
from calendar_service.domain.checkpoint import Statement, digest
from calendar_service.domain.clock import DAY, HOUR, Millis, rfc3339

CLOCK_TOLERANCE: Millis = HOUR
"""By how much the watcher's clock and the service's may differ."""
NOTES_AT_MOST = 20_000
"""More than fifty years of days; a feed with more is refused."""

FindingKind = Literal[
    "key",
    "signature",
    "chain",
    "rewritten",
    "removed",
    "day_missing",
    "order",
    "future",
    "overdue",
    "faults",
    "absent",
]
_UNTRUSTED: frozenset[FindingKind] = frozenset({"key", "signature", "chain", "rewritten", "removed"})
"""After one of these the copy stays as it is, so the next run finds it again."""


class FeedInvalid(Exception):
    """What was answered is no feed of checkpoints; the text says why."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The whole feed as it was read."""

    verifier_key: str
    notes: tuple[str, ...]
    """The oldest first."""


@dataclass(frozen=True, slots=True)
class WatchedCopy:
    """What a watcher keeps between two runs."""

    keys: tuple[str, ...] = ()
    """The verifier keys that are trusted; the first run takes the one that the feed names, unless one is given."""
    notes: tuple[str, ...] = ()
    """Every checkpoint that was verified, the oldest first; kept also when the service has removed it by its term."""


@dataclass(frozen=True, slots=True)
class WatchFinding:
    """Something that is not as it has to be."""

    kind: FindingKind
    what: str
    number: int | None = None
    """The checkpoint that it concerns."""


@dataclass
class WatchResult:
    """What a run found."""

    copy: WatchedCopy
    """What to keep for the next run; the former copy where the feed cannot be trusted."""
    new: int = 0
    """How many checkpoints the copy had not had."""
    newest: Statement | None = None
    findings: list[WatchFinding] = field(default_factory=list)

    @property
    def is_trusted(self) -> bool:
        """Whether the feed fits key, signatures, chain and copy."""
        return not any(finding.kind in _UNTRUSTED for finding in self.findings)


def read_feed(fetch: Callable[[int], bytes]) -> Feed:
    """Read all pages. `fetch` returns the page of the checkpoints before a number (0: the newest page).

    Raises `FeedInvalid`, and what `fetch` raises.
    """
    newest_first: list[str] = []
    key, before = "", 0
    while True:
        key_of_page, notes, more = _page(fetch(before))
        key = key or key_of_page
        if key_of_page != key:
            raise FeedInvalid("its pages name different keys; run again")
        newest_first += notes
        if not more:
            return Feed(key, tuple(reversed(newest_first)))
        lowest = _number(notes[-1]) if notes else 0
        if lowest < 1 or (before and lowest >= before) or len(newest_first) > NOTES_AT_MOST:
            raise FeedInvalid("its pages do not lead to an end")
        before = lowest


def watch(feed: Feed, former: WatchedCopy, given_keys: Sequence[str], now: Millis) -> WatchResult:
    """Compare a feed with the copy; return what was found and the copy to keep.

    What is wrong with single days is found once, when the copy first gets them. What is wrong with the newest
    checkpoint is found at each run. `given_keys`: verifier keys that the caller trusts. Raises `ValueError` for a key
    that is none.
    """
    keys = tuple(dict.fromkeys((*former.keys, *given_keys))) or (feed.verifier_key,)
    result = WatchResult(former)
    result.findings += _of_key(feed, keys)
    statements = [] if result.findings else list(_verified(feed.notes, keys, result.findings))
    if result.is_trusted:
        result.findings += _of_copy(feed, statements, former)
    if not result.is_trusted:
        return result
    held = [Statement.of_text(_text(note)) for note in former.notes]
    first_new = held[-1].number + 1 if held else 1
    oldest = statements[0].number if statements else 1
    older = [note for note, statement in zip(former.notes, held, strict=True) if statement.number < oldest]
    result.copy = WatchedCopy(keys, (*older, *feed.notes))
    fresh = [statement for statement in statements if statement.number >= first_new]
    result.new = len(fresh)
    result.newest = statements[-1] if statements else None
    result.findings += _of_days([*held[-1:], *fresh], now)
    result.findings += _of_newest(result.newest, fresh, now)
    return result


def _page(content: bytes) -> tuple[str, list[str], bool]:
    try:
        page: Any = json.loads(content)
        key, notes, more = page["verifier_key"], page["checkpoints"], page["next"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FeedInvalid("it is not a feed of checkpoints") from None
    if (
        not isinstance(key, str)
        or not isinstance(notes, list)
        or not all(isinstance(note, str) for note in notes)
    ):
        raise FeedInvalid("it is not a feed of checkpoints")
    return key, notes, more is not None


def _text(note: str) -> str:
    return note.rpartition("\n\n")[0] + "\n"


def _number(note: str) -> int:
    try:
        return Statement.of_text(_text(note)).number
    except ValueError:
        return 0


def _of_key(feed: Feed, keys: Sequence[str]) -> Iterator[WatchFinding]:
    if feed.verifier_key not in keys:
        yield WatchFinding(
            "key",
            f"the service names another key, {feed.verifier_key}; ask the operator, and if it is theirs, pass --key",
        )


def _verified(notes: Sequence[str], keys: Sequence[str], findings: list[WatchFinding]) -> Iterator[Statement]:
    """Yield what each note states; end with a finding at the first that is not signed, or not in the chain."""
    verifiers = [VerifierKey.of_text(key) for key in keys]
    former: tuple[Statement, str] | None = None
    for note in notes:
        number = _number(note) or None
        try:
            statement = Statement.of_text(verified_text(note, verifiers))
        except (SignatureInvalid, ValueError) as error:
            findings.append(WatchFinding("signature", f"it {error}", number))
            return
        if former is not None and statement.number != former[0].number + 1:
            findings.append(WatchFinding("removed", "the checkpoint is not there", former[0].number + 1))
            return
        if former is not None and statement.previous != digest(former[1]):
            findings.append(
                WatchFinding("chain", "it names another checkpoint before it than is there", number)
            )
            return
        yield statement
        former = statement, note


def _of_copy(feed: Feed, statements: Sequence[Statement], former: WatchedCopy) -> Iterator[WatchFinding]:
    """Yield where the feed and the copy differ, and a beginning that is missing before its term."""
    published = {statement.number: note for statement, note in zip(statements, feed.notes, strict=True)}
    oldest = statements[0] if statements else None
    for note in former.notes:
        number = _number(note)
        if oldest is not None and number < oldest.number:  # removed by its term, or the finding below
            if number == oldest.number - 1 and oldest.previous != digest(note):
                yield WatchFinding(
                    "chain", "it names another checkpoint before it than the copy has", oldest.number
                )
        elif number not in published:
            yield WatchFinding(
                "removed", "the copy has this checkpoint, and the service has it no more", number
            )
        elif published[number] != note:
            yield WatchFinding("rewritten", "it is another one than the service published before", number)
    # The service keeps the newest checkpoint that is past its term, and removes those before it.
    if oldest is not None and oldest.number > 1:
        newest = statements[-1]
        term = min(statement.term_days for statement in statements) * DAY
        if oldest.made_at + term > newest.made_at + CLOCK_TOLERANCE:
            yield WatchFinding(
                "removed", "all before it are gone, and it is younger than its term", oldest.number
            )


def _of_days(statements: Sequence[Statement], now: Millis) -> Iterator[WatchFinding]:
    """Yield days without a checkpoint, days with two, and instants in the future. The first one was judged before."""
    for former, later in pairwise(statements):
        if later.number > former.number + 1:
            continue  # the watcher was away for longer than the term
        for day in range(former.day + DAY, later.day, DAY):
            yield WatchFinding("day_missing", f"{rfc3339(day)[:10]} has no checkpoint", later.number)
        if later.day <= former.day:
            yield WatchFinding("order", "it is not of a later day than the one before it", later.number)
    for statement in statements:
        if statement.made_at > now + CLOCK_TOLERANCE:
            yield WatchFinding(
                "future", f"it says that it was made at {rfc3339(statement.made_at)}", statement.number
            )


def _of_newest(newest: Statement | None, fresh: Sequence[Statement], now: Millis) -> Iterator[WatchFinding]:
    """Yield what is overdue or changed in new checkpoints and in the newest, and whether the next one is missing."""
    if newest is None:
        yield WatchFinding("absent", "the service has published no checkpoint yet")
        return
    for statement in [*fresh, *([] if newest in fresh else [newest])]:
        if statement.overdue:
            yield WatchFinding("overdue", f"erasures past their time: {statement.overdue}", statement.number)
        if statement.faults:
            yield WatchFinding("faults", f"changes of the audit log: {statement.faults}", statement.number)
    if now - newest.made_at > ABSENT_AFTER:
        yield WatchFinding("absent", f"the newest checkpoint is of {rfc3339(newest.made_at)}", newest.number)
