"""The answers of the calls as structs, made from the journeys' views."""

from typing import Annotated, Any, Literal, cast

from msgspec import UNSET, Meta, Struct, UnsetType

from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.connection import Revocation, State
from calendar_service.domain.session import Reason, Status
from calendar_service.journeys.views import ConnectionView, InGoogle, SessionView
from calendar_service.web.api.actions import ACTIONS

Moment = Annotated[str, Meta(description="RFC 3339 in UTC.", examples=["2026-05-03T18:00:00Z"])]


class ActionText(Struct, kw_only=True):
    """What has to be done, to be shown to whom it concerns."""

    en: str
    es: str


class Action(Struct, kw_only=True):
    """What has to happen before sessions appear in the calendar again, and who has to act."""

    code: str
    needs: Annotated[
        Literal["agent", "administrator", "operator"],
        Meta(description="`administrator`: of the agent's Google account; `operator`: of this service."),
    ]
    text: ActionText


class ConnectionAnswer(Struct, kw_only=True):
    """An agent's connection."""

    state: State
    since: Annotated[str | None, Meta(description="RFC 3339 in UTC; null when nothing was ever connected.")]
    erase_due: Annotated[str, Meta(description="When what is kept is erased; RFC 3339.")] | UnsetType = UNSET
    revocation: Revocation | UnsetType = UNSET
    action: Action | UnsetType = UNSET


class Member(ConnectionAnswer, kw_only=True):
    """An agent of the organization, with the connection."""

    agent: str


class MembersAnswer(Struct, kw_only=True):
    """A page of an organization's agents."""

    connections: list[Member]
    cursor: Annotated[str, Meta(description="There is more: give it back as `cursor`.")] | UnsetType = UNSET


class OrganizationAnswer(Struct, kw_only=True):
    """An organization's connections, counted."""

    organization: str
    closed: Annotated[bool, Meta(description="Off-boarded: nobody connects until it is reopened.")]
    connections: Annotated[dict[str, int], Meta(description="How many, by state.")]
    revocations: Annotated[
        dict[str, int],
        Meta(
            description="Of connections that ended and are not erased: how many, by how their permission ended."
        ),
    ]


class OffBoarded(Struct, kw_only=True):
    """How many connections the off-boarding ended."""

    organization: str
    disconnected: int


class Disconnected(Struct, kw_only=True):
    """How a connection stands after its end."""

    state: State
    receipt: (
        Annotated[
            dict[str, Any],
            Meta(
                description="Of the erasure: the whole signed object. While the revocation is pending, "
                "`rest_erased_by` says when what it needs is gone too."
            ),
        ]
        | UnsetType
    ) = UNSET


class PortalSession(Struct, kw_only=True):
    """A one-time link to the agent's settings page."""

    url: str
    expires_at: Moment


class SessionAnswer(Struct, kw_only=True):
    """A session and its event's id."""

    session: str
    status: Status
    revision: int
    event_id: (
        Annotated[
            str,
            Meta(
                description="The event's id at Google. Do not store it without need; delete it at "
                "`connection.disconnected`, `connection.revoked` or `connection.erased`."
            ),
        ]
        | UnsetType
    ) = UNSET
    reason: (
        Annotated[
            Reason,
            Meta(
                description="Why it waits, is late, failed or is lost. `paced`: it waits for its turn within "
                "the limits of calls at Google; the other words stand in docs/webhooks.md."
            ),
        ]
        | UnsetType
    ) = UNSET


class CancelledSession(SessionAnswer, kw_only=True):
    """A session that has to be gone."""

    applied: Annotated[
        bool,
        Meta(
            description="False: nothing was to be cancelled: it was unknown, cancelled, or lost with its calendar."
        ),
    ]


class ReadSession(SessionAnswer, kw_only=True):
    """A session; with `read=google` also times and link of its event, if that stands in Google now."""

    in_google: (
        Annotated[InGoogle, Meta(description="The event's status; `missing`: it is not in that calendar.")]
        | UnsetType
    ) = UNSET
    start: Moment | UnsetType = UNSET
    end: Moment | UnsetType = UNSET
    html_link: (
        Annotated[
            str,
            Meta(
                description="Google's link to the event, which contains the calendar's id; do not store it."
            ),
        ]
        | UnsetType
    ) = UNSET


class SessionsAnswer(Struct, kw_only=True):
    """A page of an agent's sessions."""

    sessions: list[SessionAnswer]
    cursor: Annotated[str, Meta(description="There is more: give it back as `cursor`.")] | UnsetType = UNSET


def connection(view: ConnectionView) -> ConnectionAnswer:
    """Return the connection as both roles see it."""
    return ConnectionAnswer(
        state=view.state,
        since=rfc3339(view.since) if view.since else None,
        erase_due=_moment(view.erase_due),
        revocation=Revocation(view.revocation) if view.revocation else UNSET,
        action=_action(view),
    )


def member(agent: str, view: ConnectionView) -> Member:
    """Return one line of an organization's list."""
    common = connection(view)
    return Member(
        agent=agent,
        state=common.state,
        since=common.since,
        erase_due=common.erase_due,
        revocation=common.revocation,
        action=common.action,
    )


def _action(view: ConnectionView) -> Action | UnsetType:
    if not view.action or not view.needs:
        return UNSET
    return Action(code=view.action, needs=view.needs, text=ActionText(**ACTIONS[view.action, view.needs]))


def session(view: SessionView) -> SessionAnswer:
    """Return the session after a write."""
    return SessionAnswer(
        session=view.session,
        status=view.status,
        revision=view.revision,
        event_id=view.event_id or UNSET,
        reason=_reason(view),
    )


def cancelled(view: SessionView) -> CancelledSession:
    """Return the session after a cancel, which is accepted even if it has not reached Google yet."""
    return CancelledSession(
        session=view.session,
        status=Status.CANCELLED,
        revision=view.revision,
        event_id=view.event_id or UNSET,
        reason=_reason(view),
        applied=view.outcome != "nothing",
    )


def read(view: SessionView) -> ReadSession:
    """Return the session after a read."""
    return ReadSession(
        session=view.session,
        status=view.status,
        revision=view.revision,
        event_id=view.event_id or UNSET,
        reason=_reason(view),
        start=_moment(view.start),
        end=_moment(view.end),
        html_link=view.html_link or UNSET,
        in_google=view.in_google or UNSET,
    )


def _reason(view: SessionView) -> Reason | UnsetType:
    return cast(Reason, view.reason) if view.reason else UNSET


def _moment(at: Millis) -> str | UnsetType:
    return rfc3339(at) if at else UNSET
