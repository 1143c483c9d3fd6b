"""What the worker does with a session whose timer is due: attempt, wait or failure (laws 2, 4)."""

from dataclasses import dataclass, replace

from calendar_service.domain.clock import DAY, Clock, Millis
from calendar_service.domain.connection import REFUSING_STATES, WAITING_STATES, Facts, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import RecordUnreadable
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Record, Status
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.sessions.attempt import Attempts
from calendar_service.journeys.sessions.queue import SETTLED, UNSETTLED, has_ended, waited_too_long
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store.connections import Connections
from calendar_service.store.sessions import Sessions


@dataclass(frozen=True)
class UnsettledSessions:
    """Goes on with sessions that are not brought to Google yet."""

    sessions: Sessions
    connections: Connections
    access: Access
    attempts: Attempts
    throttle: Throttle
    terms: ConsentTerms
    clock: Clock

    def resume(self, agent: Agent, session: str) -> None:
        """Go on with a session whose time has come (the worker)."""
        taken = self.sessions.lease(agent, session)
        if taken is None:
            return
        record, database_now = taken
        # A wait or a session is over when both clocks say so: one that is wrong ends nothing too early.
        now = min(database_now, self.clock.now())
        loaded = self.sessions.load(agent, session)
        self.throttle.breaker.observe(loaded.throttle_state)
        state = loaded.facts.state(self.terms)
        # A write may have come to Google after the session was settled (F43).
        has_to_look = record.status in SETTLED and record.copy.in_doubt
        if state in REFUSING_STATES or not (record.status in UNSETTLED or has_to_look):
            self.attempts.settle(agent, loaded.facts, record)
            return
        if has_to_look:
            if state in WAITING_STATES:
                self.attempts.look_again_later(agent, loaded.facts, record)
            else:
                self.attempts.look_again(agent, loaded.facts, self.access.open(loaded), record)
            return
        try:
            grant = self.access.open(loaded)
            content = grant.open_content(session, loaded.content) if loaded.content else None
        except RecordUnreadable:
            # The keys may come back in time. Without them its end is known to the day.
            if self._ended(agent, loaded.facts, record, (record.end_day + 1) * DAY, now):
                return
            raise
        if self._ended(agent, loaded.facts, record, content.end if content else 0, now):
            return
        if state in WAITING_STATES:
            if state is State.RECONSENT_REQUIRED and not loaded.facts.consent.required_since:
                # Given through an older version of the service, after all others had been told.
                facts = loaded.facts
                self.connections.consent_outdated_by_policy(agent, facts.connection_id, facts.consent.policy)
            waiting = replace(record, status=Status.WAITING, reason=state.value)
            self.attempts.wait(agent, loaded.facts, waiting, content)
        else:
            self.attempts.make(agent, loaded.facts, grant, record, content)

    def _ended(self, agent: Agent, facts: Facts, record: Record, end: Millis, now: Millis) -> bool:
        """Report it failed if its time, or that of its wait, is over; tell whether it is."""
        if has_ended(record, end, now):
            self._failed(agent, facts, record, "session_over")
        elif facts.state(self.terms) in WAITING_STATES and waited_too_long(record, now):
            self._failed(agent, facts, record, "waited_too_long")
        else:
            return False
        return True

    def _failed(self, agent: Agent, facts: Facts, record: Record, reason: str) -> None:
        failed = replace(record, status=Status.FAILED, reason=reason, digest="")
        self.attempts.settle(agent, facts, failed)
