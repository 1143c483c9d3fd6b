"""Counts connections, sessions and webhook events by state, for the metrics. Reads everything; names nobody."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, TypeVar

from calendar_service.domain.clock import MINUTE, Millis
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.totals import SessionTotal, Totals
from calendar_service.store.outbox import Outbox
from calendar_service.store.scan import Scan, SessionStatus
from calendar_service.store.totals import TotalsStore

COUNTED_EVERY: Final[Millis] = 5 * MINUTE
Value = TypeVar("Value")


@dataclass(frozen=True)
class TotalCounts:
    """Keeps one count of all, at most some minutes old, while a worker runs."""

    scan: Scan
    outbox: Outbox
    totals: TotalsStore
    terms: ConsentTerms

    def refresh(self, is_stopped: Callable[[], bool] = lambda: False) -> bool:
        """Count anew if the newest count is old; true if a new one was kept.

        Two workers may count at the same time: either count is right. A connection or session is counted twice if the
        database finds it twice (`Scan`), until the next count. Keeps none once `is_stopped` tells so.
        """
        newest, now = self.totals.newest(), self.totals.now()
        if newest and 0 <= now - newest.counted_at < COUNTED_EVERY:
            return False

        def until_stopped(values: Iterable[Value]) -> Iterator[Value]:
            return takewhile(lambda _: not is_stopped(), values)

        connections = Counter(facts.state(self.terms).value for _, facts in until_stopped(self.scan.states()))
        sessions = _by_status(until_stopped(self.scan.session_statuses()))
        waiting, abandoned, first = 0, 0, 0
        for event in until_stopped(self.outbox.waiting()):
            abandoned += event.given_up
            waiting += not event.given_up
            if not event.given_up:
                first = min(first or event.webhook_event.at, event.webhook_event.at)
        if is_stopped():
            return False
        self.totals.keep(Totals(now, connections, sessions, waiting, abandoned, first))
        return True


def _by_status(statuses: Iterable[SessionStatus]) -> tuple[SessionTotal, ...]:
    counts, since = Counter[tuple[str, str]](), dict[tuple[str, str], Millis]()
    for one in statuses:
        kind = one.status, one.reason
        counts[kind] += 1
        if one.since:
            since[kind] = min(since.get(kind, one.since), one.since)
    return tuple(
        SessionTotal(status, reason, count, since.get((status, reason), 0))
        for (status, reason), count in sorted(counts.items())
    )
