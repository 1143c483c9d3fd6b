"""One attempt to write a session at Google, and its outcome: done, later, waiting or failed (laws 2, 4).

Knows the store and the event writer. Must not know how the session's desired state was decided.
"""

from dataclasses import dataclass, replace
from functools import partial

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import HOUR, Millis
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.errors import (
    AccessForbidden,
    AccessRevoked,
    GoogleError,
    GoogleUnavailable,
    InsufficientScope,
    NotConnected,
    RateLimited,
    RequestRefused,
    ZoneRefused,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Operator
from calendar_service.domain.session import (
    GOOGLE_REFUSED,
    GOOGLE_TROUBLE,
    PACED,
    Content,
    Record,
    Status,
)
from calendar_service.google.calendar import CalendarMissing
from calendar_service.journeys.connection.access import Access, block_cause
from calendar_service.journeys.sessions.decide import is_unknown
from calendar_service.journeys.sessions.event_writer import EventWriter, LeaseLost, WriteTask
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.throttle.backoff import pause
from calendar_service.log import Log
from calendar_service.store import keys
from calendar_service.store.grants import Grant
from calendar_service.store.sessions import Sessions


@dataclass(frozen=True)
class Attempts:
    """Writes one session at Google under its lease, and settles the outcome."""

    sessions: Sessions
    access: Access
    event_writer: EventWriter
    identity: IdentityKey
    operator: Operator
    throttle: Throttle
    log: Log

    def make(
        self,
        agent: Agent,
        facts: Facts,
        grant: Grant,
        record: Record,
        content: Content | None,
    ) -> Record:
        """Write the session at Google and settle it; return its record.

        `record` carries the lease: fencing token and holder. An error that proves nothing settles it to be tried again
        later. Raises `NotConnected` if Google proved that the grant is dead: the connection ended in the same step.
        """
        task = self._task(agent, facts, grant, record, content)
        try:
            # 1. Write at Google. A crash leaves the record leased: the next holder takes it as in doubt, and looks for
            #    the event by its marker before it writes.
            done = self.access.in_calendar(
                agent, facts, grant, lambda token: self.event_writer.bring(token, task)
            )
            failpoint("schedule.after_google_before_settle")
        except LeaseLost:
            # Another holder has the session: whatever this one settled would be refused by its fencing token.
            return record
        except (AccessRevoked, NotConnected):
            raise NotConnected(
                "Google says that the permission is gone; the session was not written."
            ) from None
        except GoogleError as trouble:
            return self._trouble(agent, facts, record, content, trouble)
        # 2. Settle: one script writes the record, destroys the content, queues the webhook and ends the lease. It
        #    refuses a holder that was paused past its lease. A crash before it is the case of step 1.
        status = Status.SCHEDULED if record.must_exist else Status.CANCELLED
        copy = replace(done.copy, calendar_number=facts.calendar.number)
        done = replace(done, status=status, tries=0, reason="", copy=copy)
        self.settle(agent, facts, done)
        return done

    def look_again(self, agent: Agent, facts: Facts, grant: Grant, record: Record) -> None:
        """Remove what a late write of a settled session left at Google; its status stays (F43).

        `record` carries the lease. After trouble it is repeated later. Raises `NotConnected` as `make` does.
        """
        task = self._task(agent, facts, grant, record, None)
        try:
            looked_up = self.access.in_calendar(
                agent, facts, grant, lambda token: self.event_writer.look_again(token, task)
            )
        except LeaseLost:
            return
        except (AccessRevoked, NotConnected):
            raise NotConnected("Google says that the permission is gone; nothing was looked up.") from None
        except GoogleError as trouble:
            self._pause_account(facts, trouble)
            later = replace(record, tries=record.tries + 1)
            self._retry(agent, facts, later, None, pause(trouble, later.tries))
            return
        self.settle(agent, facts, replace(looked_up, tries=0))

    def look_again_later(self, agent: Agent, facts: Facts, record: Record) -> None:
        """Look the event up when somebody has acted; nobody tells, so an hour later."""
        self._retry(agent, facts, record, None, HOUR)

    def stands(self, agent: Agent, facts: Facts, grant: Grant, session: str) -> bool | None:
        """Tell whether the calendar has an event of this session, by its marker; None if Google does not answer.

        False also if the connection or the calendar has ended: there is nothing that could be removed any more.
        """
        marker = self.identity.session_marker(agent.organization, agent.agent, session)
        hash_of = partial(self.identity.event_hash, marker)
        try:
            events = self.access.in_calendar(
                agent, facts, grant,
                lambda token: self.event_writer.marked(token, facts.calendar.id, marker, hash_of),
            )  # fmt: skip
        except (AccessRevoked, NotConnected, CalendarMissing):
            return False
        except GoogleError:
            return None
        return bool(events)

    def _task(
        self, agent: Agent, facts: Facts, grant: Grant, record: Record, content: Content | None
    ) -> WriteTask:
        marker = self.identity.session_marker(agent.organization, agent.agent, record.session)
        return WriteTask(
            calendar_id=facts.calendar.id,
            record=record,
            content=content if record.must_exist else None,
            marker=marker,
            event_hash=partial(self.identity.event_hash, marker),
            look_first=record.copy.in_doubt or is_unknown(facts, record),
            event_id=lambda generation: grant.event_id(record.session, generation),
            neutral_title=self.operator.session_title[self.operator.language(facts.locale)],
            still_ours=lambda: self._still_ours(agent, record),
        )

    def _trouble(
        self,
        agent: Agent,
        facts: Facts,
        record: Record,
        content: Content | None,
        trouble: GoogleError,
    ) -> Record:
        """Settle the session by what Google's error proves; return its record."""
        if isinstance(trouble, CalendarMissing):
            gone = replace(record, status=Status.WAITING, reason=State.CALENDAR_MISSING.value)
            if not record.must_exist:
                copy = replace(gone.copy, applied_revision=record.revision)
                gone = replace(gone, status=Status.CANCELLED, reason="", copy=copy)
            return self._settle_or_wait(agent, facts, gone, content)
        if isinstance(trouble, InsufficientScope):
            waiting = replace(record, status=Status.WAITING, reason=State.RECONSENT_REQUIRED.value)
            return self._settle_or_wait(agent, facts, waiting, content)
        if isinstance(trouble, ZoneRefused):
            # Google refused it without a zone of its own too: no later try will be taken.
            self.log.alarm("google.time_zone_refused")
        if isinstance(trouble, RequestRefused | AccessForbidden) and not trouble.retryable:
            failed = replace(record, status=Status.FAILED, reason=GOOGLE_REFUSED, digest="")
            # Whoever has the lease now tries the same change again: it is not refused before that one says so.
            return failed if self.settle(agent, facts, failed) else record
        return self._try_later(agent, facts, record, content, trouble)

    def _try_later(
        self, agent: Agent, facts: Facts, record: Record, content: Content | None, trouble: GoogleError
    ) -> Record:
        self._pause_account(facts, trouble)
        # A lost answer may belong to a write that Google carried out: the record is in doubt until Google is read.
        ambiguous = isinstance(trouble, GoogleUnavailable) and trouble.ambiguous
        later = replace(
            record,
            status=Status.PENDING,
            tries=record.tries + 1,
            reason=block_cause(trouble) or (PACED if isinstance(trouble, RateLimited) else GOOGLE_TROUBLE),
            copy=replace(record.copy, in_doubt=record.copy.in_doubt or ambiguous),
        )
        self._retry(agent, facts, later, content, pause(trouble, later.tries))
        return later

    def _pause_account(self, facts: Facts, trouble: GoogleError) -> None:
        # Google's words seldom say whose rate it was. The account's own is likelier, and its pause harms nobody else.
        if isinstance(trouble, RateLimited):
            self.throttle.account_limited(facts.account.ref)

    def _settle_or_wait(self, agent: Agent, facts: Facts, record: Record, content: Content | None) -> Record:
        if record.status is Status.WAITING:
            self.wait(agent, facts, record, content)
        else:
            self.settle(agent, facts, record)
        return record

    def settle(self, agent: Agent, facts: Facts, record: Record) -> bool:
        """Write the session's final state and destroy its content; false if the lease is no longer ours."""
        return self.sessions.settle(
            agent, facts.connection_id, record, again=None, latest=None, destroy_content=True
        )

    def wait(self, agent: Agent, facts: Facts, record: Record, content: Content | None) -> None:
        """Let the session wait for a person's act, for 30 days in all at most, if the lease is still ours."""
        self._retry(agent, facts, record, content, keys.WAITING_MAX)

    def _retry(
        self, agent: Agent, facts: Facts, record: Record, content: Content | None, after: Millis
    ) -> None:
        # At its end at the latest: a session that was not written in time is reported failed then.
        latest = content.end if content and record.must_exist else None
        self.sessions.settle(
            agent, facts.connection_id, record, again=after, latest=latest, destroy_content=False
        )

    def _still_ours(self, agent: Agent, record: Record) -> bool:
        # Fencing token and holder alone decide. The end of the lease is no proof: this process's clock may be wrong,
        # and nobody may have taken the lease since.
        stored = self.sessions.load(agent, record.session).record
        lease = record.fencing_token, record.holder
        return stored is not None and (stored.fencing_token, stored.holder) == lease
