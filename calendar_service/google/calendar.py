"""The methods of Calendar v3 that law 1 allows. Knows no sessions and retries nothing.

Source: https://developers.google.com/workspace/calendar/api/v3/reference. Every method takes the access
token first, sends one request, and raises errors of `domain.errors`; any may raise `GoogleUnavailable`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from calendar_service.domain.errors import (
    AccessForbidden,
    EventMissing,
    GoogleError,
    GoogleUnavailable,
    RequestRefused,
    UnknownRefusal,
)
from calendar_service.domain.methods import Purpose
from calendar_service.domain.numbers import whole_number
from calendar_service.domain.secret import Secret
from calendar_service.google.answers import text
from calendar_service.google.api import ApiClient, only_if
from calendar_service.google.events import (
    FIELDS,
    FIELDS_TO_COUNT,
    FIELDS_WITH_LINK,
    FIELDS_WITH_TIMES,
    MARKER,
    EventAnswer,
    TimedEvent,
    is_coming,
    is_copy,
    is_ours,
    listed,
    listed_with_times,
    one,
    one_with_times,
    stamp,
)
from calendar_service.google.transport import Transport

__all__ = [
    "API_ENDPOINT",
    "EVENTS_LISTED",
    "AccountCalendars",
    "CalendarApi",
    "CalendarInfo",
    "CalendarMissing",
    "Contents",
    "EventAnswer",
    "OpenedChannel",
    "TimedEvent",
    "stamp",
]

API_ENDPOINT: Final = "https://www.googleapis.com/calendar/v3/"
EVENTS_LISTED: Final = 2500
"""How many events one call lists at most."""


class CalendarMissing(EventMissing):
    """404 for the calendar itself: it was deleted, or our access to it ended."""


@dataclass(frozen=True)
class AccountCalendars:
    """What connecting learns of an account: the id of its primary calendar, and which calendars are ours."""

    primary_id: str
    ours: tuple[str, ...]


@dataclass(frozen=True)
class CalendarInfo:
    """A calendar of ours; `data_owner` is the account's address, which is shown and never stored."""

    id: str
    data_owner: str | None
    summary: str


@dataclass(frozen=True)
class Contents:
    """How many events a calendar of ours holds."""

    coming: int
    """Our events that are not over."""
    has_others: bool
    """True if there are events without our marker, or copies of ours. Nothing else is read of them."""


@dataclass(frozen=True)
class OpenedChannel:
    """A notification channel; both ids are needed to stop it."""

    id: str
    resource_id: str
    expiration: int | None
    """Milliseconds since 1970; None when Google named no end."""


class CalendarApi:
    """Calendars and events at Google. Threads may share it."""

    def __init__(self, transport: Transport, api_endpoint: str = API_ENDPOINT) -> None:
        """Build once per process; `api_endpoint` ends in a slash and includes the service's path."""
        self._api = ApiClient(transport, api_endpoint)

    def find_ours(self, token: Secret, marker: str) -> AccountCalendars:
        """Return the account's primary calendar and its own calendars whose description holds our marker.

        Google is not asked for titles. The descriptions of other calendars are dropped at once (law 1).
        """
        if not marker:
            raise ValueError("an empty marker is in every description")
        parameters = {
            "fields": "nextPageToken,items(id,description,accessRole,primary)",
            "showHidden": True,
            "minAccessRole": "owner",
            "maxResults": 250,
        }
        primary: str | None = None
        ours: list[str] = []
        with _never_final(AccessForbidden, RequestRefused):
            for item in self._api.items(token, self._api.calendar_list.list, parameters):
                if item.get("primary") is True:
                    primary = text(item, "id")
                elif item.get("accessRole") == "owner" and marker in str(item.get("description")):
                    ours.append(text(item, "id"))
        if primary is None:
            raise _no_primary()
        return AccountCalendars(primary, tuple(ours))

    def primary_id(self, token: Secret) -> str:
        """Return the id of the account's primary calendar; nothing else of its calendars is asked for (law 6)."""
        parameters = {"fields": "nextPageToken,items(id,primary)", "showHidden": True, "maxResults": 250}
        for item in self._api.items(token, self._api.calendar_list.list, parameters):
            if item.get("primary") is True:
                return text(item, "id")
        raise _no_primary()

    def create(self, token: Secret, *, summary: str, description: str, time_zone: str) -> str:
        """Create a calendar and return its id; raise `RequestRefused` for a zone that Google does not know.

        Not idempotent: the caller holds a lock and has looked for the marker first (law 3).
        """
        body = {"summary": summary, "description": description, "timeZone": time_zone}
        with _never_final(AccessForbidden):
            return text(self._api.run(token, self._api.calendars.insert(body=body, fields="id")), "id")

    def get_calendar(self, token: Secret, calendar_id: str) -> CalendarInfo:
        """Return id, owner and title of a calendar; raise `CalendarMissing`."""
        request = self._api.calendars.get(calendarId=calendar_id, fields="id,summary,dataOwner")
        with _calendar_missing():
            answer = self._api.run(token, request)
        owner = answer.get("dataOwner")
        return CalendarInfo(
            text(answer, "id"), owner if isinstance(owner, str) else None, str(answer.get("summary", ""))
        )

    def delete_calendar(self, token: Secret, calendar_id: str) -> None:
        """Delete a calendar with all its events; raise `CalendarMissing`.

        The caller makes sure that the agent asked for it in the browser (law 6).
        """
        with _calendar_missing():
            self._api.run(token, self._api.calendars.delete(calendarId=calendar_id))

    def insert(self, token: Secret, calendar_id: str, event: Mapping[str, Any]) -> EventAnswer:
        """Insert an event under its own id; raise `DuplicateId` if that exists, perhaps as a deleted event.

        `EventMissing` means here that the calendar is gone.
        """
        request = self._api.events.insert(calendarId=calendar_id, body=dict(event), fields=FIELDS)
        return one(self._api.run(token, request))

    def get(
        self, token: Secret, calendar_id: str, event_id: str, purpose: Purpose = Purpose.SESSIONS
    ) -> EventAnswer:
        """Return one of our events, also a deleted one. The id is one that this service chose (law 1)."""
        request = self._api.events.get(calendarId=calendar_id, eventId=event_id, fields=FIELDS)
        return one(self._api.run(token, request, purpose))

    def get_with_times(self, token: Secret, calendar_id: str, event_id: str) -> TimedEvent:
        """Return one of our events with times and link, as `get` does."""
        request = self._api.events.get(calendarId=calendar_id, eventId=event_id, fields=FIELDS_WITH_LINK)
        return one_with_times(self._api.run(token, request))

    def patch(
        self, token: Secret, calendar_id: str, event_id: str, event: Mapping[str, Any], *, etag: str | None
    ) -> EventAnswer:
        """Merge these fields into an event; raise `Overtaken` if it is no longer at `etag` (law 4)."""
        request = self._api.events.patch(
            calendarId=calendar_id, eventId=event_id, body=dict(event), fields=FIELDS
        )
        return one(self._api.run(token, only_if(request, etag)))

    def delete(self, token: Secret, calendar_id: str, event_id: str, *, etag: str | None) -> None:
        """Delete an event; raise `AlreadyDeleted`, `EventMissing`, or `Overtaken` if it is not at `etag`."""
        request = self._api.events.delete(calendarId=calendar_id, eventId=event_id)
        self._api.run(token, only_if(request, etag))

    def list_by_marker(
        self, token: Secret, calendar_id: str, marker: str, *, show_deleted: bool = False
    ) -> tuple[EventAnswer, ...]:
        """Return all events that carry this marker: none, one, or twins (law 3)."""
        parameters = {"privateExtendedProperty": f"{MARKER}={marker}", "showDeleted": show_deleted}
        return self._list(token, calendar_id, parameters)

    def list_between(
        self,
        token: Secret,
        calendar_id: str,
        time_min: datetime,
        time_max: datetime,
        known_ids: Collection[str] = (),
    ) -> tuple[TimedEvent, ...]:
        """Return our events that end after `time_min` and start before `time_max` (both with a time zone).

        `known_ids`: ids that this service chose; their events are ours also without our marker.
        """
        parameters = {"timeMin": _rfc3339(time_min), "timeMax": _rfc3339(time_max), "singleEvents": True}
        with _calendar_missing():
            return listed_with_times(
                self._items(token, calendar_id, FIELDS_WITH_TIMES, parameters), known_ids
            )

    def contents(
        self, token: Secret, calendar_id: str, now: datetime, event_hash: Callable[[str, str], str]
    ) -> Contents:
        """Count our events that end after `now`, and tell whether there are events of others.

        `event_hash` returns the keyed hash of a marker and an event id: an event with another one is a copy (law 3).
        Raises `CalendarMissing`.
        """
        with _calendar_missing():
            items = tuple(self._items(token, calendar_id, FIELDS_TO_COUNT, {}))
        ours = [item for item in items if is_ours(item) and not is_copy(item, event_hash)]
        return Contents(sum(is_coming(item, now) for item in ours), len(ours) < len(items))

    def list_from(self, token: Secret, calendar_id: str, time_min: datetime) -> tuple[EventAnswer, ...]:
        """Return our events that end after `time_min` (with a time zone), to notice what a person changed.

        A recurring event counts once.
        """
        parameters = {"timeMin": _rfc3339(time_min)}
        with _calendar_missing():
            return listed(self._items(token, calendar_id, FIELDS, parameters, Purpose.EXTERNAL_CHANGES))

    def watch(
        self, token: Secret, calendar_id: str, *, channel_id: str, channel_token: Secret, address: str
    ) -> OpenedChannel:
        """Open a channel: Google sends notifications with `channel_token` to `address` (https). `channel_id` is new."""
        body = {"id": channel_id, "type": "web_hook", "address": address, "token": channel_token.reveal()}
        request = self._api.events.watch(calendarId=calendar_id, body=body, fields="id,resourceId,expiration")
        with _calendar_missing():
            answer = self._api.run(token, request)
        end = whole_number(str(answer.get("expiration", "")), 10**15)
        return OpenedChannel(text(answer, "id"), text(answer, "resourceId"), end)

    def stop_channel(self, token: Secret, channel_id: str, resource_id: str) -> None:
        """Stop notifications. Needs a token of the same account, so it comes before the revocation."""
        self._api.run(token, self._api.channels.stop(body={"id": channel_id, "resourceId": resource_id}))

    def _list(
        self, token: Secret, calendar_id: str, parameters: Mapping[str, Any]
    ) -> tuple[EventAnswer, ...]:
        with _calendar_missing():  # a list names no event, so only the calendar can be missing
            return listed(self._items(token, calendar_id, FIELDS, parameters))

    def _items(
        self,
        token: Secret,
        calendar_id: str,
        fields: str,
        parameters: Mapping[str, Any],
        purpose: Purpose = Purpose.SESSIONS,
    ) -> Iterator[Mapping[str, Any]]:
        common = {
            "calendarId": calendar_id,
            "maxResults": EVENTS_LISTED,
            "fields": f"nextPageToken,items({fields})",
        }
        return self._api.items(token, self._api.events.list, common | dict(parameters), purpose)


@contextmanager
def _calendar_missing() -> Iterator[None]:
    try:
        yield
    except EventMissing as error:
        raise CalendarMissing(error.detail) from None


def _no_primary() -> GoogleUnavailable:
    return GoogleUnavailable("the list of calendars names no primary one", ambiguous=False)


@contextmanager
def _never_final(*kinds: type[GoogleError]) -> Iterator[None]:
    """Turn a refusal of a call that names no event into one that the operator has to look at."""
    try:
        yield
    except kinds as error:
        raise UnknownRefusal(error.detail, retry_after=error.retry_after) from None


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
