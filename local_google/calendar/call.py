"""One authorized call of the API, with everything its method needs. Must not answer it."""

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
    """``body`` has passed its schema; only in a merge are its nulls still there."""

    world: Context
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
        """The caller."""
        return self.account.email

    def calendar(self) -> Calendar:
        """The calendar in the path; ``primary`` means the caller's own. Foreign ones do not exist."""
        return self.calendar_named(self.variables["calendarId"])

    def calendar_named(self, identifier: str) -> Calendar:
        """A calendar that this caller may know of; raises not found."""
        name = self.email if identifier == "primary" else identifier
        calendar = self.world.books.calendars.get(name)
        if calendar is None or calendar.owner != self.email or self._foreign_to_app(calendar):
            raise errors.not_found()
        return calendar

    def _foreign_to_app(self, calendar: Calendar) -> bool:
        """Under ``calendar.app.created`` alone an app sees only the calendars it has made."""
        scopes = self.token.enforced if self.token.enforced is not None else self.token.scopes
        opened_by = self.method.scopes & set(scopes)
        return opened_by == {APP_CREATED} and calendar.made_by != self.token.project

    def demand_match(self, etag: str) -> None:
        """Refuse if the caller says it knows another state of the resource."""
        wanted = self.headers.get("if-match")
        if (
            wanted is not None
            and wanted.strip() != "*"
            and etag not in [w.strip() for w in wanted.split(",")]
        ):
            raise errors.precondition_failed()


Handler = Callable[[MethodCall], dict[str, Any] | None]
