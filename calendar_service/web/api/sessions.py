"""The calls about an agent's sessions."""

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from calendar_service.domain.errors import GoogleRefused, InvalidRequest
from calendar_service.domain.paging import PAGE
from calendar_service.domain.session import By, Status
from calendar_service.journeys.sessions.schedule import Schedule
from calendar_service.journeys.sessions.session_reader import SessionReader
from calendar_service.journeys.views import SessionView
from calendar_service.store.sessions import ALL_DAYS, DayRange
from calendar_service.web.api import answers
from calendar_service.web.api.call import AGENT, BACKEND, ApiAnswer, ApiCall, Cursor, Names, Nothing, Tag
from calendar_service.web.api.query import Limit
from calendar_service.web.api.session_body import SessionBody, Version, content
from calendar_service.wiring import Service

SESSIONS = f"{AGENT}/sessions"
ONE = f"{SESSIONS}/<session>"


class CancelQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a cancel."""

    by: Annotated[By, Meta(description="Who acted in the console.")]
    version: Version | UnsetType = UNSET


class ReadQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a read."""

    read: (
        Annotated[
            Literal["google"], Meta(description="Also read the event's times and link from Google now.")
        ]
        | UnsetType
    ) = UNSET


class ListQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a list."""

    status: (
        Annotated[
            Status,
            Meta(description="Only sessions of this status. A page may have fewer than `limit` then."),
        ]
        | UnsetType
    ) = UNSET
    cursor: Cursor = ""
    limit: Limit = PAGE
    from_: (
        Annotated[date, Meta(description="Only sessions whose end is on this day (UTC) or later.")]
        | UnsetType
    ) = field(name="from", default=UNSET)
    to: (
        Annotated[date, Meta(description="Only sessions whose end is on this day (UTC) or earlier.")]
        | UnsetType
    ) = UNSET


def put_session(schedule: Schedule, names: Names, _: Nothing, body: SessionBody) -> ApiAnswer:
    """Create a session, or reschedule it.

    The body is the whole desired state. An equal one changes nothing and calls nobody. If Google refuses this very
    change for good, the answer is 422 `google_refused`, and the session is `failed`: the only refusal that changes
    anything. `session.failed` is sent too.
    """
    desired = content(body)
    version = None if isinstance(body.version, UnsetType) else body.version
    view = schedule.put(names.whose, names.session, desired, body.by, version)
    return _written(names, view, answers.session(view))


def cancel_session(schedule: Schedule, names: Names, query: CancelQuery, _: Nothing) -> ApiAnswer:
    """Cancel a session. Success also where there is nothing to cancel: then `applied` is false.

    If Google refuses for good to delete the event, the answer is 422 `google_refused`, and the session is `failed`.
    """
    version = None if isinstance(query.version, UnsetType) else query.version
    view = schedule.cancel(names.whose, names.session, query.by, version)
    return _written(names, view, answers.cancelled(view))


def get_session(reader: SessionReader, names: Names, query: ReadQuery, _: Nothing) -> ApiAnswer:
    """Return a session's status; with `read=google` also its event's times and link as they are in Google now.

    The times are those that a person chose, if a person moved the event. Its title, texts and guests are never read.
    Without an event there, or while the connection may not be used, times and link are absent.
    """
    view = reader.get(names.whose, names.session, read_google=query.read is not UNSET)
    return ApiAnswer(200, answers.read(view))


def list_sessions(reader: SessionReader, names: Names, query: ListQuery, _: Nothing) -> ApiAnswer:
    """List an agent's sessions, page by page, by the day of their end and then by name.

    A session that is rescheduled while its list is read may be on two pages or on none.
    """
    status = None if isinstance(query.status, UnsetType) else query.status
    views, cursor = reader.listed(names.whose, status, query.cursor, days=_days(query), limit=query.limit)
    return ApiAnswer(
        200,
        answers.SessionsAnswer(sessions=[answers.session(view) for view in views], cursor=cursor or UNSET),
    )


def _days(query: ListQuery) -> DayRange:
    first = ALL_DAYS.first if isinstance(query.from_, UnsetType) else _day(query.from_)
    last = ALL_DAYS.last if isinstance(query.to, UnsetType) else _day(query.to)
    if first > last:
        raise InvalidRequest("`to` lies before `from`.", field="to")
    return DayRange(first, last)


def _day(day: date) -> int:
    return (day - date(1970, 1, 1)).days


_STATUSES = {"created": 201, "accepted": 202}


def _written(names: Names, view: SessionView, body: answers.SessionAnswer) -> ApiAnswer:
    if view.outcome == "refused":
        raise GoogleRefused(
            "Google refused this change for good, so it was not written. The session is `failed`, unless a newer "
            "change was accepted meanwhile; change it and send it again."
        )
    status = _STATUSES.get(view.outcome, 200)
    location = {"Location": names.path_of(view.session)} if status == 202 else {}
    return ApiAnswer(status, body, location)


def _schedule(service: Service) -> Schedule:
    return service.sessions.schedule


def _reader(service: Service) -> SessionReader:
    return service.sessions.reader


_WRITES = ("not_connected", "stale_version", "google_refused")
CALLS = (
    ApiCall(
        Tag.SESSIONS, "PUT", ONE, BACKEND, _schedule, put_session,
        {201: answers.SessionAnswer, 200: answers.SessionAnswer, 202: answers.SessionAnswer},
        (*_WRITES, "organization_closed", "session_over"), body=SessionBody,
    ),
    ApiCall(
        Tag.SESSIONS, "DELETE", ONE, BACKEND, _schedule, cancel_session,
        {200: answers.CancelledSession, 202: answers.CancelledSession},
        _WRITES, query=CancelQuery,
    ),
    ApiCall(
        Tag.SESSIONS, "GET", ONE, BACKEND, _reader, get_session, {200: answers.ReadSession},
        ("not_connected",), query=ReadQuery, is_long=lambda query: query.read is not UNSET,
    ),
    ApiCall(
        Tag.SESSIONS, "GET", SESSIONS, BACKEND, _reader, list_sessions, {200: answers.SessionsAnswer}, query=ListQuery
    ),
)  # fmt: skip
