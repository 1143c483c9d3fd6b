"""Decides what a PUT or DELETE means for a session's record: refused, the next revision, or nothing to do.

The decisions of `schedule`, taken on one reading of the store and on nothing else. Must not write, and must not call
Google.
"""

from collections.abc import Mapping
from dataclasses import replace

from calendar_service.domain.clock import DAY
from calendar_service.domain.connection import REFUSING_STATES, WAITING_STATES, Facts, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import InvalidRequest, NotConnected, StaleVersion
from calendar_service.domain.session import (
    DELETED_IN_GOOGLE,
    Content,
    GoogleCopy,
    Record,
    Status,
    new_nonce,
)
from calendar_service.journeys.views import Outcome, SessionView
from calendar_service.store.grants import Grant
from calendar_service.store.organizations import closed
from calendar_service.store.sessions import Loaded

STANDING = frozenset({Status.SCHEDULED, Status.PENDING, Status.WAITING})
_NOT_AT_GOOGLE: Mapping[Status, Outcome] = {
    Status.PENDING: "accepted",
    Status.WAITING: "accepted",
    Status.FAILED: "refused",
}
"""What a call did if it left the session in one of these statuses."""


def accepting_state(loaded: Loaded, terms: ConsentTerms) -> State:
    """Return the connection's state if it accepts sessions; raise `NotConnected` or `OrganizationClosed` if not."""
    if loaded.closed:
        raise closed()
    state = loaded.facts.state(terms)
    if state in REFUSING_STATES:
        raise NotConnected(
            f"The agent's calendar is not connected (state `{state}`); the session was not accepted."
        )
    return state


def refuse_stale(record: Record | None, version: int | None, *, same: bool) -> None:
    """Raise `StaleVersion` for a version older than the one accepted last, or equal to it with other content.

    Raises `InvalidRequest` without a version if one was given before.
    """
    if record is None or record.version is None:
        return
    if version is None:
        raise InvalidRequest(
            "`version` was given for this session before, so it is required now.", field="version"
        )
    if version < record.version or (version == record.version and not same):
        raise StaleVersion(
            f"Version {version} is not newer than {record.version}, which was accepted before.",
            field="version",
        )


def is_same(record: Record | None, digest: str, version: int | None) -> bool:
    """Tell whether this is the desired state that was accepted last.

    A record without a digest (it failed, was lost, or belongs to a former connection, whose key is gone) is compared by
    its version alone.
    """
    if record is None or not record.must_exist:
        return False
    return record.digest == digest if record.digest else version is not None and version == record.version


def is_repeated(record: Record, version: int | None) -> bool:
    """Tell whether a PUT equal to the last one is a mere repetition, so that nothing has to be written.

    If a person changed or deleted the event since, only the same version is one: a newer one writes over the person's
    change (law 4).
    """
    stands = record.status in STANDING
    if record.reason == DELETED_IN_GOOGLE or (stands and record.copy.seen_etag):
        return version is not None and version == record.version
    return stands and bool(record.digest)


def _new_record(loaded: Loaded, grant: Grant, session: str) -> Record:
    """Return the record of a session that the store does not know: revision 0, nowhere at Google."""
    return Record(
        session=session,
        status=Status.PENDING,
        revision=0,
        must_exist=True,
        copy=GoogleCopy(
            grant.event_id(session, 0), generation=0, calendar_number=loaded.facts.calendar.number
        ),
        digest="",
        end_day=0,
    )


def next_revision(
    loaded: Loaded,
    grant: Grant,
    session: str,
    digest: str,
    content: Content,
    version: int | None,
    state: State,
) -> Record:
    """Return the record to be accepted by a PUT: the next revision, in this connection's calendar."""
    waiting = state in WAITING_STATES
    before = loaded.record or _new_record(loaded, grant, session)
    if before.copy.calendar_number != loaded.facts.calendar.number and not waiting:
        # The calendar was replaced, and the new one has no event of this session yet. Its event id stays.
        number = loaded.facts.calendar.number
        copy = replace(before.copy, etag="", exists=False, applied_revision=0, calendar_number=number)
        before = replace(before, copy=copy)
    return replace(
        before,
        status=Status.WAITING if waiting else Status.PENDING,
        revision=before.revision + 1,
        nonce=new_nonce(),
        must_exist=True,
        digest=digest,
        end_day=content.end // DAY,
        version=version,
        tries=0,
        reason=state.value if waiting else "",
        waiting_since=0,
    )


def withdrawn(loaded: Loaded, record: Record, version: int | None, terms: ConsentTerms) -> Record:
    """Return the record to be accepted by a DELETE: the next revision, without an event at Google."""
    gone = replace(
        record,
        status=Status.PENDING,
        revision=record.revision + 1,
        nonce=new_nonce(),
        must_exist=False,
        digest="",
        version=version,
        tries=0,
        reason="",
        waiting_since=0,
    )
    state = loaded.facts.state(terms)
    if out_of_reach(loaded, record):
        copy = replace(gone.copy, applied_revision=gone.revision)
        return replace(gone, status=Status.CANCELLED, copy=copy)
    return replace(gone, status=Status.WAITING, reason=state.value) if state in WAITING_STATES else gone


def is_withdrawn(facts: Facts, record: Record) -> bool:
    """Tell whether a DELETE repeats one that was carried out or will be.

    A cancelled session in doubt is none: after a restore Google may have an event of it (`raise_revisions.lua`).
    Nor is one that was cancelled while the agent used another calendar than the one found again now.
    """
    in_doubt = record.copy.in_doubt or is_unknown(facts, record)
    carried_out = record.status is Status.CANCELLED and not in_doubt
    return not record.must_exist and (carried_out or record.status in STANDING)


def forgotten(loaded: Loaded, grant: Grant, session: str, version: int | None, today: int) -> Record:
    """Return the record of a session that the store does not know and that Google may have, to be withdrawn.

    It is in doubt, so its event is looked up by the marker (law 3). Its day is unknown; `today` (UTC, days since 1970)
    bounds how long the removal is tried.
    """
    record = _new_record(loaded, grant, session)
    copy = replace(record.copy, in_doubt=True)
    return replace(record, version=version, end_day=today, copy=copy)


def out_of_reach(loaded: Loaded, record: Record) -> bool:
    """Tell whether Google certainly has no event that this cancel could remove."""
    if is_unknown(loaded.facts, record):
        return False
    # A leased session may be written at this moment.
    never_written = not (record.copy.exists or record.copy.in_doubt or record.leased)
    elsewhere = record.copy.calendar_number != loaded.facts.calendar.number
    return never_written or (record.status is Status.LOST and (elsewhere or not loaded.facts.calendar.since))


def is_unknown(facts: Facts, record: Record) -> bool:
    """Tell whether the calendar may hold an event of this session that the record does not know (law 3).

    A calendar that was found by its marker may; so may one that is not there yet, because it may be found by its
    marker.
    """
    adopted = facts.calendar.adopted if facts.calendar.since else not facts.calendar.id
    return adopted and (
        not record.copy.applied_revision or record.copy.calendar_number != facts.calendar.number
    )


def view(facts: Facts, record: Record, outcome: Outcome) -> SessionView:
    """Return the session as the backend sees it; `outcome`: what the call did, if its change has reached Google."""
    if outcome != "read":
        outcome = _NOT_AT_GOOGLE.get(record.status, outcome)
    named = record.copy.exists and record.copy.calendar_number == facts.calendar.number
    return SessionView(
        session=record.session,
        status=record.status,
        revision=record.revision,
        event_id=record.copy.id if named else "",
        outcome=outcome,
        reason=record.reason,
    )


def nothing(session: str, record: Record | None) -> SessionView:
    """Return the answer to a DELETE where there is nothing to cancel."""
    revision = record.revision if record else 0
    return SessionView(session, Status.CANCELLED, revision, "", "nothing")
