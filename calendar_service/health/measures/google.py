"""What all processes have recorded about Google. Sends no request there."""

from dataclasses import dataclass
from functools import cached_property

from calendar_service.google.transport import Transport
from calendar_service.journeys.connection.refresh_tokens import MANY, RefreshTokens
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.throttle.testing_mode import is_testing_mode_suspected


@dataclass(frozen=True, slots=True)
class GoogleState:
    """What all processes have learnt about Google, as the database has it."""

    is_breaker_open: bool
    budget_in_force: float
    """Which part of the rate budget is in force: 1, or less after Google refused for the project's rate."""
    are_credentials_rejected: bool
    deaths_at_seven_days: int
    """Grants that ended in the last week at seven days of age."""
    is_testing_mode_suspected: bool
    """So many of them that the project at Google is probably in testing mode."""
    are_notifications_refused: bool
    refresh_tokens: int
    """The most that one account has, from the oldest in use on."""

    @property
    def are_refresh_tokens_many(self) -> bool:
        """If true, Google may soon end a permission that is in use."""
        return self.refresh_tokens >= MANY


@dataclass(frozen=True)
class GoogleMeasures:
    """Google from this service's view."""

    throttle: Throttle
    account_tokens: RefreshTokens
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
        throttle_state, revocations = self.throttle.breaker.state(), self.throttle.revocation_ages.counts()
        return GoogleState(
            is_breaker_open=throttle_state.is_breaker_open,
            budget_in_force=self.throttle.budget.level(),
            are_credentials_rejected=throttle_state.are_credentials_refused,
            deaths_at_seven_days=revocations.at_seven_days,
            is_testing_mode_suspected=is_testing_mode_suspected(revocations),
            are_notifications_refused=throttle_state.are_notifications_refused,
            refresh_tokens=self.account_tokens.highest(),
        )
