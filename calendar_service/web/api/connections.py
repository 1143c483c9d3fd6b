"""The calls about an agent's connection. None reaches the agent's calendar or its content (SC-4, LU-3)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from calendar_service.domain.connection import State
from calendar_service.store.audit_log import Actor
from calendar_service.web.api import answers
from calendar_service.web.api.call import ADMIN, AGENT, BOTH, ApiAnswer, ApiCall, Names, Nothing, Tag
from calendar_service.wiring import ConnectionJourneys, Service

CONNECTION = f"{AGENT}/connection"


class EndQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a disconnect."""

    erase: (
        Annotated[
            Literal["now"], Meta(description="Erase at once what is kept, instead of at the term's end.")
        ]
        | UnsetType
    ) = UNSET


def get_connection(connection: ConnectionJourneys, names: Names, _: Nothing, __: Nothing) -> ApiAnswer:
    """Return the connection's state, and what somebody has to do about it. Never seen is `not_connected`."""
    return ApiAnswer(200, answers.connection(connection.status.of(names.whose)))


def pause_connection(connection: ConnectionJourneys, names: Names, _: Nothing, __: Nothing) -> ApiAnswer:
    """Set the organization's pause: the calendar is not written until it is lifted."""
    return _set_pause(connection, names, paused=True)


def resume_connection(connection: ConnectionJourneys, names: Names, _: Nothing, __: Nothing) -> ApiAnswer:
    """Lift the organization's pause; the agent's own stays."""
    return _set_pause(connection, names, paused=False)


def end_connection(connection: ConnectionJourneys, names: Names, query: EndQuery, _: Nothing) -> ApiAnswer:
    """Disconnect; with `erase=now` also erase what is kept. Never touches the agent's calendar."""
    view = connection.disconnect.disconnect(names.whose, Actor.ADMINISTRATOR)
    if query.erase is UNSET or view.state is State.NOT_CONNECTED:
        return ApiAnswer(200, answers.Disconnected(state=view.state))
    receipt = answers.receipt(connection.erasure.erase_now(names.whose, Actor.ADMINISTRATOR))
    state = connection.status.of(names.whose).state
    return ApiAnswer(200, answers.Disconnected(state=state, receipt=receipt))


def _set_pause(connection: ConnectionJourneys, names: Names, *, paused: bool) -> ApiAnswer:
    view = connection.pauses.set(names.whose, Actor.ADMINISTRATOR, paused=paused)
    return ApiAnswer(200, answers.connection(view))


def _connection(service: Service) -> ConnectionJourneys:
    return service.connection


CALLS = (
    ApiCall(
        Tag.CONNECTIONS, "GET", CONNECTION, BOTH, _connection, get_connection, {200: answers.ConnectionAnswer}
    ),
    ApiCall(
        Tag.CONNECTIONS,
        "POST",
        f"{CONNECTION}/pause",
        ADMIN,
        _connection,
        pause_connection,
        {200: answers.ConnectionAnswer},
        ("not_connected",),
    ),
    ApiCall(
        Tag.CONNECTIONS,
        "POST",
        f"{CONNECTION}/resume",
        ADMIN,
        _connection,
        resume_connection,
        {200: answers.ConnectionAnswer},
        ("not_connected",),
    ),
    ApiCall(
        Tag.CONNECTIONS,
        "DELETE",
        CONNECTION,
        ADMIN,
        _connection,
        end_connection,
        {200: answers.Disconnected},
        ("not_connected", "retention_required_by_law"),
        query=EndQuery,
    ),
)
