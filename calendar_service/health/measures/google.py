"""What all processes have learnt of the way to Google. Must not send a request there."""

from dataclasses import dataclass
from functools import cached_property

from calendar_service.google.transport import Transport
from calendar_service.store.throttle import ThrottleStore, is_cluster


@dataclass(frozen=True, slots=True)
class GoogleState:
    """The way to Google as the database has it."""

    is_breaker_open: bool
    budget_in_force: float
    """Which part of the rate budget: 1, or less after Google refused for the project's rate."""
    are_credentials_rejected: bool
    deaths_at_seven_days: int
    """Grants that died in the last week at seven days of age."""
    is_testing_mode_suspected: bool
    """So many of them that Google seems to take the project for a test."""
    are_notifications_refused: bool


@dataclass(frozen=True)
class GoogleMeasures:
    """Google, as this service sees it."""

    book: ThrottleStore
    transport: Transport
    authorization_origin: str
    notifications_uri: str
    """Where Google is asked to send notifications; empty where it is not asked."""

    @cached_property
    def is_reachable(self) -> bool:
        """Whether somebody takes a connection at the authorization endpoint; nothing is sent."""
        return self.transport.reaches(self.authorization_origin)

    @cached_property
    def state(self) -> GoogleState:
        """What is known of Google now."""
        throttle_state, deaths = self.book.look(), self.book.deaths_at_seven_days()
        return GoogleState(
            is_breaker_open=throttle_state.opened,
            budget_in_force=self.book.share(),
            are_credentials_rejected=throttle_state.rejected,
            deaths_at_seven_days=deaths[0],
            is_testing_mode_suspected=is_cluster(*deaths),
            are_notifications_refused=self.book.is_unheard(),
        )
