"""One authorized call of Calendar v3, with what its handler needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_google import errors
from local_google.context import Context
from local_google.discovery import ApiMethod
from local_google.state.records import Account, Calendar, Token

APP_CREATED = "https://www.googleapis.com/auth/calendar.app.created"


@dataclass
class MethodCall:
    """``body`` has passed its schema; nulls are left in it for PATCH only."""

    context: Context
    method: ApiMethod
    variables: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    account: Account
    token: Token
    now: float
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def email(self) -> str:
        """The caller's address."""
        return self.account.email

    def calendar(self) -> Calendar:
        """The calendar in the path; ``primary`` is the caller's own. Calendars of others are not found."""
        return self.calendar_named(self.variables["calendarId"])

    def calendar_named(self, identifier: str) -> Calendar:
        """A calendar that this caller may see; raises not found."""
        name = self.email if identifier == "primary" else identifier
        calendar = self.context.books.calendars.get(name)
        if calendar is None or calendar.owner != self.email or self._foreign_to_app(calendar):
            raise errors.not_found()
        return calendar

    def _foreign_to_app(self, calendar: Calendar) -> bool:
        """With no other scope than ``calendar.app.created`` an app sees only the calendars it created."""
        scopes = self.token.enforced if self.token.enforced is not None else self.token.scopes
        opened_by = self.method.scopes & set(scopes)
        return opened_by == {APP_CREATED} and calendar.made_by != self.token.project

    def demand_match(self, etag: str) -> None:
        """Refuse (412) if ``If-Match`` names another ETag."""
        expected = self.headers.get("if-match")
        if (
            expected is not None
            and expected.strip() != "*"
            and etag not in [tag.strip() for tag in expected.split(",")]
        ):
            raise errors.precondition_failed()


Handler = Callable[[MethodCall], dict[str, Any] | None]
