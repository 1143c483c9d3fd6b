"""Does Google take the project for a test? Then every permission ends at seven days of age, and its agent did nothing.

https://developers.google.com/identity/protocols/oauth2, "Refresh token expiration".
"""

from dataclasses import dataclass

from calendar_service.domain.clock import DAY, HOUR, Clock, Millis
from calendar_service.domain.connection import Facts
from calendar_service.log import Log
from calendar_service.store.revocations import RevocationCounts, RevocationStore

TESTING_AGE: Millis = 7 * DAY
"""The life of a permission given to a project in testing mode."""


@dataclass(frozen=True)
class RevocationAges:
    """Counts at which age permissions end, and tells the operator once when they look like those of a test."""

    store: RevocationStore
    log: Log
    clock: Clock

    def counts(self) -> RevocationCounts:
        """Return how many permissions ended in the last week."""
        return self.store.counts()

    def count(self, facts: Facts) -> None:
        """Count the end of this connection's permission, found just now."""
        at_seven_days = ended_at_seven_days(facts, self.clock.now())
        counts = self.store.count(at_seven_days=at_seven_days)
        before = RevocationCounts(counts.at_seven_days - at_seven_days, counts.all - 1)
        if is_testing_mode_suspected(counts) and not is_testing_mode_suspected(before):
            self.log.alarm("google.testing_mode_suspected", count=counts.at_seven_days)


def ended_at_seven_days(facts: Facts, now: Millis) -> bool:
    """Tell whether a permission that was found ended at `now` can have ended at seven days of age.

    It is found ended up to a day later, by the daily probe.
    """
    end = facts.grant.since + TESTING_AGE
    return facts.grant.last_refresh_ok_at <= end + HOUR and end - HOUR <= now <= end + DAY + HOUR


def is_testing_mode_suspected(counts: RevocationCounts) -> bool:
    """Tell whether permissions end as those of a project in testing mode: three at seven days, and half of all."""
    return counts.at_seven_days >= 3 and counts.at_seven_days * 2 >= counts.all
