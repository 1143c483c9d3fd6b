"""What the backend receives, for the API's description. Sends nothing: `journeys/webhooks` does."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from calendar_service.domain.connection import State
from calendar_service.domain.session import Reason, Status
from calendar_service.web.api.forms import Moment

_ConnectionId = Annotated[str, Meta(description="Random, new with each connect.")]
_Sequence = Annotated[int, Meta(ge=1, description="Counts what happened to this connection: 1, 2, 3, …")]


class ConnectionEventData(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose connection, and how it stands when this is sent."""

    organization: str
    agent: str
    connection_id: _ConnectionId
    sequence: _Sequence
    status: State


class ConnectionEvent(Struct, kw_only=True, forbid_unknown_fields=True):
    """Something happened to a connection."""

    type: Literal[
        "connection.connected", "connection.paused", "connection.resumed", "connection.reconsent_required",
        "connection.calendar_missing", "connection.calendar_replaced", "connection.disconnected",
        "connection.revoked",
    ]  # fmt: skip
    timestamp: Annotated[Moment, Meta(description="When it happened, not when it was sent.")]
    data: ConnectionEventData


class ErasureEventData(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which connection: the service no longer knows whose it was."""

    connection_id: _ConnectionId
    sequence: _Sequence
    untold: Annotated[
        int, Meta(ge=0, description="How many webhooks of the connection were erased without a 2xx.")
    ]


class ErasureEvent(Struct, kw_only=True, forbid_unknown_fields=True):
    """Everything that was kept of a connection was erased."""

    type: Literal["connection.erased"]
    timestamp: Annotated[Moment, Meta(description="When it happened, not when it was sent.")]
    data: ErasureEventData


class SessionEventData(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose session, and how it stands when this is sent."""

    organization: str
    agent: str
    connection_id: _ConnectionId
    sequence: _Sequence
    session: str
    status: Annotated[Status, Meta(description="Absent if the session is kept no longer.")] | UnsetType = (
        UNSET
    )
    reason: Reason | UnsetType = UNSET


class SessionEvent(Struct, kw_only=True, forbid_unknown_fields=True):
    """Something happened to a session."""

    type: Literal[
        "session.applied", "session.failed", "session.lost", "session.changed_in_google",
        "session.deleted_in_google",
    ]  # fmt: skip
    timestamp: Annotated[Moment, Meta(description="When it happened, not when it was sent.")]
    data: SessionEventData


class WebhookTestData(Struct, kw_only=True, forbid_unknown_fields=True):
    """Nothing: a test event is about no agent."""


class WebhookTest(Struct, kw_only=True, forbid_unknown_fields=True):
    """`calendar-service webhooks test` sent it: answer 2xx, and do nothing."""

    type: Literal["webhook.test"]
    timestamp: Annotated[Moment, Meta(description="When it was sent.")]
    data: WebhookTestData


@dataclass(frozen=True, slots=True)
class EventKind:
    """One type of event."""

    shape: type[Struct]
    when: str
    """When it comes, as a sentence."""


EVENTS: Final = {
    "connection.connected": EventKind(
        ConnectionEvent, "The agent connected, or consented again, and the calendar can be written to."
    ),
    "connection.paused": EventKind(ConnectionEvent, "The first pause began."),
    "connection.resumed": EventKind(ConnectionEvent, "The last pause ended."),
    "connection.reconsent_required": EventKind(ConnectionEvent, "The agent has to consent again."),
    "connection.calendar_missing": EventKind(
        ConnectionEvent, "The dedicated calendar is no longer in the account; sessions in it follow as lost."
    ),
    "connection.calendar_replaced": EventKind(
        ConnectionEvent, "Another calendar stands in its place: PUT the lost sessions again."
    ),
    "connection.disconnected": EventKind(
        ConnectionEvent,
        "The agent or the organization ended it, or the agent moved to another Google account. Delete every "
        "`event_id` and link of this connection.",
    ),
    "connection.revoked": EventKind(
        ConnectionEvent,
        "Google proved that the permission is gone. Delete every `event_id` and link of this connection.",
    ),
    "connection.erased": EventKind(
        ErasureEvent,
        "Everything that was kept was erased. Delete every `event_id` and link of this connection.",
    ),
    "session.applied": EventKind(SessionEvent, "Google has the session in its newest accepted state."),
    "session.failed": EventKind(
        SessionEvent, "An accepted session will not be written; `reason` says why. Its content is destroyed."
    ),
    "session.lost": EventKind(SessionEvent, "Its calendar is gone or replaced: a PUT writes it again."),
    "session.changed_in_google": EventKind(SessionEvent, "A person changed the event in Google."),
    "session.deleted_in_google": EventKind(SessionEvent, "A person deleted the event in Google."),
    "webhook.test": EventKind(WebhookTest, "Somebody typed `calendar-service webhooks test`."),
}
"""Every type that is sent (docs/webhooks.md says more of each)."""
