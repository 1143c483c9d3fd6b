"""One attempt to bring a session to Google, and what its end means: done, later, waiting or failed (laws 2, 4).

Knows the store and the writer of events. Must not know why the session is wanted as it is.
"""

from dataclasses import dataclass, replace

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.errors import (
    AccessForbidden,
    AccessRevoked,
    AccountRateLimited,
    AdminBlocked,
    ClientRejected,
    GoogleError,
    GoogleUnavailable,
    InsufficientScope,
    NotConnected,
    QuotaExceeded,
    RefreshRefused,
    RequestRefused,
    ServiceError,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Operator
from calendar_service.domain.session import Content, Record, Status
from calendar_service.google.calendar import CalendarMissing
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.sessions.decide import is_unknown
from calendar_service.journeys.sessions.event_writer import EventWriter, LeaseLost, WriteTask
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.throttle.backoff import pause
from calendar_service.store import keys
from calendar_service.store.grants import Grant
from calendar_service.store.sessions import Sessions


@dataclass(frozen=True)
class Attempts:
    """Goes to Google for one session, and notes how that ended."""

    sessions: Sessions
    access: Access
    event_writer: EventWriter
    identity: IdentityKey
    operator: Operator
    throttle: Throttle

    def make(
        self,
        agent: Agent,
        facts: Facts,
        grant: Grant,
        record: Record,
        content: Content | None,
    ) -> tuple[Record, str]:
        """Bring it to Google and note how that ended; whatever proves nothing is tried again later."""
        task = WriteTask(
            calendar_id=facts.calendar.id,
            record=record,
            content=content if record.must_exist else None,
            marker=self.identity.session_marker(agent.organization, agent.agent, record.session),
            look_first=record.copy.in_doubt or is_unknown(facts, record),
            event_id=lambda generation: grant.event_id(record.session, generation),
            neutral_title=self.operator.session_title[self.operator.language(facts.locale)],
            still_ours=lambda: self._still_ours(agent, record),
        )
        try:
            done, link = self.access.in_calendar(
                agent, facts, grant, lambda token: self.event_writer.bring(token, task)
            )
            failpoint("schedule.after_google_before_settle")
        except LeaseLost:
            return record, ""
        except (AccessRevoked, NotConnected):
            raise NotConnected(
                "Google says that the permission is gone; the session was not written."
            ) from None
        except GoogleError as trouble:
            return self._trouble(agent, facts, record, content, trouble), ""
        status = Status.SCHEDULED if record.must_exist else Status.CANCELLED
        copy = replace(done.copy, calendar_number=facts.calendar.number)
        done = replace(done, status=status, tries=0, reason="", copy=copy)
        self.settled(agent, facts, done)
        return done, link

    def _trouble(
        self,
        agent: Agent,
        facts: Facts,
        record: Record,
        content: Content | None,
        trouble: GoogleError,
    ) -> Record:
        if isinstance(trouble, CalendarMissing):
            gone = replace(record, status=Status.WAITING, reason=State.CALENDAR_MISSING.value)
            if not record.must_exist:
                copy = replace(gone.copy, applied_revision=record.revision)
                gone = replace(gone, status=Status.CANCELLED, reason="", copy=copy)
            return self._parked(agent, facts, gone, content)
        if isinstance(trouble, InsufficientScope):
            waiting = replace(record, status=Status.WAITING, reason=State.RECONSENT_REQUIRED.value)
            return self._parked(agent, facts, waiting, content)
        if isinstance(trouble, RequestRefused | AccessForbidden) and not trouble.retryable:
            failed = replace(record, status=Status.FAILED, reason=trouble.code, digest="")
            self.settled(agent, facts, failed)
            return failed
        if isinstance(trouble, AccountRateLimited):
            self.throttle.account_limited(facts.account.ref)
        ambiguous = isinstance(trouble, GoogleUnavailable) and trouble.ambiguous
        later = replace(
            record,
            status=Status.PENDING,
            tries=record.tries + 1,
            reason=_reason(trouble),
            copy=replace(record.copy, in_doubt=record.copy.in_doubt or ambiguous),
        )
        self._again(agent, facts, later, content, pause(trouble, later.tries))
        return later

    def _parked(self, agent: Agent, facts: Facts, record: Record, content: Content | None) -> Record:
        if record.status is Status.WAITING:
            self.waits(agent, facts, record, content)
        else:
            self.settled(agent, facts, record)
        return record

    def settled(self, agent: Agent, facts: Facts, record: Record) -> None:
        """Write how it ended, if the lease is still ours; its content is destroyed."""
        self.sessions.settle(
            agent, facts.connection_id, record, again=None, latest=None, destroy_content=True
        )

    def waits(self, agent: Agent, facts: Facts, record: Record, content: Content | None) -> None:
        """Let it wait for a person's act, 30 days from the wait's beginning at most, if the lease is still ours."""
        self._again(agent, facts, record, content, keys.WAITING_MAX)

    def _again(
        self, agent: Agent, facts: Facts, record: Record, content: Content | None, after: Millis
    ) -> None:
        # Not later than its end: that it was not written in time is told then.
        latest = content.end if content and record.must_exist else None
        self.sessions.settle(
            agent, facts.connection_id, record, again=after, latest=latest, destroy_content=False
        )

    def _still_ours(self, agent: Agent, record: Record) -> bool:
        now = self.sessions.load(agent, record.session).record
        return now is not None and now.fencing_token == record.fencing_token


def _reason(trouble: ServiceError) -> str:
    names = {
        QuotaExceeded: "quota_exceeded",
        ClientRejected: "operator",
        RefreshRefused: "operator",
        AdminBlocked: "administrator",
    }
    return next((reason for kind, reason in names.items() if isinstance(trouble, kind)), "google_trouble")
