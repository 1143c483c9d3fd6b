"""What all processes have recorded about Google. Sends no request there."""

from dataclasses import dataclass
from functools import cached_property

from calendar_service.google.transport import Transport
from calendar_service.store.throttle import ThrottleStore, is_cluster


@dataclass(frozen=True, slots=True)
class GoogleState:
    """The throttle's state in the database."""

    is_breaker_open: bool
    budget_in_force: float
    """The part of the rate budget in use: 1, or less after Google refused because of the project's rate."""
    are_credentials_rejected: bool
    deaths_at_seven_days: int
    """Grants that ended in the last week at an age of seven days."""
    is_testing_mode_suspected: bool
    """True if they are so many that Google seems to treat the project as a test."""
    are_notifications_refused: bool


@dataclass(frozen=True)
class GoogleMeasures:
    """Google from this service's view."""

    book: ThrottleStore
    transport: Transport
    authorization_origin: str
    notifications_uri: str
    """The address for Google's notifications; empty if there are none."""

    @cached_property
    def is_reachable(self) -> bool:
        """Whether the authorization endpoint accepts a connection; no request is sent."""
        return self.transport.reaches(self.authorization_origin)

    @cached_property
    def state(self) -> GoogleState:
        """What is recorded about Google now."""
        throttle_state, deaths = self.book.look(), self.book.deaths_at_seven_days()
        return GoogleState(
            is_breaker_open=throttle_state.opened,
            budget_in_force=self.book.share(),
            are_credentials_rejected=throttle_state.rejected,
            deaths_at_seven_days=deaths[0],
            is_testing_mode_suspected=is_cluster(*deaths),
            are_notifications_refused=self.book.is_unheard(),
        )
