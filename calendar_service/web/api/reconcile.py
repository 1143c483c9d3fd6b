"""The call that compares an agent's sessions with the calendar."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from calendar_service.domain.clock import Millis
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.names import session_name
from calendar_service.domain.session import Status
from calendar_service.journeys.sessions.reconcile import DesiredSession, Difference, Reconcile
from calendar_service.web.api.call import BACKEND, NAME_FORM, ApiAnswer, ApiCall, Names, Tag
from calendar_service.web.api.forms import FAR_DAY
from calendar_service.web.api.session_body import Instant, SessionContent, Version, content, period
from calendar_service.web.api.sessions import SESSIONS
from calendar_service.web.problems import CODES
from calendar_service.wiring import Service

SessionName = Annotated[str, Meta(extra_json_schema=NAME_FORM)]


class DesiredSessionBody(SessionContent, kw_only=True, forbid_unknown_fields=True):
    """One session that has to be in the calendar."""

    session: SessionName
    version: Version | UnsetType = UNSET


class ReconcileBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """All sessions that have to be in the calendar within a time."""

    from_: Instant = field(name="from")
    to: Annotated[
        Instant,
        Meta(
            description="RFC 3339 with an offset, after `from`; whole seconds.",
            examples=[f"{FAR_DAY}T23:59:59Z"],
        ),
    ]
    sessions: Annotated[
        list[DesiredSessionBody],
        Meta(description="Every one of them touches the time between `from` and `to`."),
    ]


class ReconcileQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a comparison."""

    apply: Annotated[bool, Meta(description="Carry the plan out: write what is wanted, cancel the rest.")] = (
        False
    )
    remove_unknown: Annotated[
        bool,
        Meta(
            description="Remove the unknown events between `from` and `to`, except copies. Only for a caller whose "
            "list is complete: what it does not list is gone afterwards."
        ),
    ] = False


class SessionDifference(Struct, kw_only=True):
    """A session that is not in Google as it is wanted."""

    session: str
    difference: Annotated[
        Literal["missing", "times", "content", "extra"],
        Meta(description="Not there, other times, other content than was last written, or not wanted."),
    ]
    status: (
        Annotated[
            str,
            Meta(
                description="What became of it, if the plan was carried out; `refused` with a `reason`.",
                extra_json_schema={"enum": [*Status, "refused"]},
            ),
        ]
        | UnsetType
    ) = UNSET
    reason: (
        Annotated[str, Meta(description="The code of the refusal.", extra_json_schema={"enum": CODES})]
        | UnsetType
    ) = UNSET


class UnknownEventAnswer(Struct, kw_only=True):
    """An event with this service's marker that nobody wants."""

    event_id: str
    kind: Annotated[
        Literal["forgotten", "cancelled", "second", "copy"],
        Meta(
            description="Its session is neither listed nor known; its session is cancelled; its session has another "
            "event; or a person or a program copied an event. A copy is never removed."
        ),
    ]
    removed: bool


class Reconciliation(Struct, kw_only=True):
    """The differences between what is wanted and what is in the calendar."""

    applied: bool
    equal: int
    unknown_events: Annotated[
        list[UnknownEventAnswer],
        Meta(description="Events with this service's marker that nobody wants."),
    ]
    differences: list[SessionDifference]


def reconcile_sessions(
    journey: Reconcile, names: Names, query: ReconcileQuery, body: ReconcileBody
) -> ApiAnswer:
    """Compare the sessions of a time with what is in the calendar; with `apply=true`, carry the plan out.

    Events with this service's marker that nobody wants are listed, and removed only with `remove_unknown=true`.
    """
    begins, ends = period(body.from_, body.to, ("from", "to"))
    desired = _desired(body, (begins, ends))
    result = journey.reconcile(
        names.whose, begins, ends, desired,
        apply=query.apply, remove_unknown=query.remove_unknown,
    )  # fmt: skip
    answer = Reconciliation(
        applied=result.applied,
        equal=result.equal,
        unknown_events=[
            UnknownEventAnswer(event_id=one.event_id, kind=one.kind, removed=one.removed)
            for one in result.unknown_events
        ],
        differences=[_difference(one) for one in result.differences],
    )
    return ApiAnswer(200, answer)


def _desired(body: ReconcileBody, within: tuple[Millis, Millis]) -> Mapping[str, DesiredSession]:
    by_name: dict[str, DesiredSession] = {}
    for number, one in enumerate(body.sessions):
        place = f"sessions[{number}]."
        session = session_name(one.session, f"{place}session")
        if session in by_name:
            raise InvalidRequest(f"`{place}session` is given twice.", field=f"{place}session")
        session_content = content(one, place)
        if session_content.end <= within[0] or session_content.start >= within[1]:
            # Google would not list it, so it would count as missing for ever.
            raise InvalidRequest(f"`{place}start` lies outside of `from` and `to`.", field=f"{place}start")
        version = None if isinstance(one.version, UnsetType) else one.version
        by_name[session] = DesiredSession(session_content, version)
    return by_name


def _difference(one: Difference) -> SessionDifference:
    return SessionDifference(
        session=one.session,
        difference=one.difference,
        status=one.status or UNSET,
        reason=one.reason or UNSET,
    )


def _reconcile(service: Service) -> Reconcile:
    return service.sessions.reconcile


CALLS = (
    ApiCall(
        Tag.SESSIONS, "POST", f"{SESSIONS}/reconcile", BACKEND, _reconcile, reconcile_sessions, {200: Reconciliation},
        ("not_connected", "stale_version", "session_over", "organization_closed"),
        query=ReconcileQuery, body=ReconcileBody, is_long=lambda _: True,
    ),
)  # fmt: skip
