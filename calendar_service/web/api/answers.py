"""The answers of the calls as structs, made from the journeys' views."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast

from msgspec import UNSET, Meta, Struct, UnsetType, convert

from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.connection import Revocation, State
from calendar_service.domain.session import Reason, Status
from calendar_service.journeys.views import ConnectionView, InGoogle, SessionView
from calendar_service.web.api.actions import ACTIONS
from calendar_service.web.api.forms import Address, Moment

_ACTION_CODES: Final = sorted({code for code, _ in ACTIONS})


class ActionText(Struct, kw_only=True):
    """What has to be done, to be shown to whom it concerns."""

    en: str
    es: str


class Action(Struct, kw_only=True):
    """What has to happen before sessions appear in the calendar again, and who has to act."""

    code: Annotated[str, Meta(extra_json_schema={"enum": _ACTION_CODES})]
    needs: Annotated[
        Literal["agent", "administrator", "operator"],
        Meta(description="`administrator`: of the agent's Google account; `operator`: of this service."),
    ]
    text: ActionText


class ConnectionAnswer(Struct, kw_only=True):
    """An agent's connection."""

    state: State
    since: Annotated[Moment | None, Meta(description="Null when nothing was ever connected.")]
    erase_due: Annotated[Moment, Meta(description="When what is kept is erased.")] | UnsetType = UNSET
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


class Receipt(Struct, kw_only=True, forbid_unknown_fields=True):
    """The signed receipt of an erasure: keep the whole object, `calendar-service receipt verify` takes exactly that.

    It names nobody. Who has the salt can show whom it concerns.
    """

    type: Literal["erasure-receipt"]
    version: Literal[1]
    number: Annotated[str, Meta(description="The receipt's own number: `/receipts/{number}` shows it.")]
    issuer: Annotated[str, Meta(description="The operator's legal name.")]
    erased_at: Moment
    erased: Annotated[list[str], Meta(description="What the erasure removed.")]
    revocation: Annotated[
        str, Meta(description="How the permission at Google ended; `pending`: a token waits for that.")
    ]
    subject: Annotated[
        str,
        Meta(description="HMAC-SHA-256 of `organization/agent` under `salt`, in hexadecimal digits."),
    ]
    rest_erased_by: (
        Annotated[
            Moment,
            Meta(
                description="While the revocation is pending: when what it needs is gone too, at the latest."
            ),
        ]
        | UnsetType
    ) = UNSET
    public_key: Annotated[str, Meta(description="The operator's Ed25519 key, in base64.")]
    signature: Annotated[
        str,
        Meta(description="Ed25519 over the RFC 8785 form of the object without `signature` and `salt`."),
    ]
    salt: Annotated[
        str, Meta(description="32 random bytes in base64. The service keeps none: it is here alone.")
    ]


class Disconnected(Struct, kw_only=True):
    """How a connection stands after its end."""

    state: State
    receipt: Receipt | UnsetType = UNSET


class PortalSession(Struct, kw_only=True):
    """A one-time link to the agent's settings page."""

    url: Address
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
    reason: Reason | UnsetType = UNSET


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
            Address,
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


def receipt(document: Mapping[str, Any]) -> Receipt:
    """Return the signed document as it is, member by member."""
    return convert(document, Receipt)


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
