"""Create, reschedule, cancel: accepted first, then brought to Google, here or by the worker (laws 2-4).

Knows the store and the writer of events. Must not know the web.
"""

from dataclasses import dataclass, replace
from typing import Literal

from calendar_service.domain.clock import Clock
from calendar_service.domain.connection import REFUSING_STATES
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import (
    Busy,
    NotConnected,
    SessionOver,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Content, Record, Status
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.sessions.attempt import Attempts
from calendar_service.journeys.sessions.decide import (
    STANDING,
    accepting_state,
    is_repeated,
    is_same,
    next_revision,
    nothing,
    refuse_stale,
    view,
    withdrawn,
)
from calendar_service.journeys.sessions.queue import cost_of
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.views import SessionView
from calendar_service.store.audit_log import Actor
from calendar_service.store.grants import Grant
from calendar_service.store.sessions import Loaded, Sessions

_AGAIN = 5
"""How often an acceptance that met another one is decided anew."""


@dataclass(frozen=True)
class Schedule:
    """The story of a session, from the backend's wish to the event and its end."""

    sessions: Sessions
    access: Access
    attempts: Attempts
    throttle: Throttle
    terms: ConsentTerms
    clock: Clock

    def put(
        self,
        agent: Agent,
        session: str,
        content: Content,
        by: By,
        version: int | None,
        *,
        rewrite: bool = False,
    ) -> SessionView:
        """Let the session be as wanted: create it, or change it.

        `rewrite`: write it even if it is what was last written, because Google has it otherwise.
        """
        if content.end <= self.clock.now():
            raise SessionOver("The session's `end` lies in the past; nothing was written.", field="end")
        for _ in range(_AGAIN):
            loaded = self.sessions.load(agent, session)
            state = accepting_state(loaded, self.terms)
            grant = self.access.open(loaded)
            record, digest = loaded.record, grant.digest(session, content)
            same = is_same(record, digest, version)
            refuse_stale(record, version, same=same)
            if record and same and is_repeated(record, version) and not rewrite:
                if version == record.version:
                    self.sessions.confirm(agent)
                    return view(loaded.facts, record, "unchanged")
                answer = self._note(loaded, replace(record, version=version), by, only="keep")
                if answer == "noted":
                    return view(loaded.facts, record, "unchanged")
                continue
            wanted = next_revision(loaded, grant, session, digest, content, version, state)
            sealed = grant.seal_content(session, content)
            done = self._accepted(loaded, grant, wanted, sealed, content, by)
            if done is not None:
                record_now, link = done
                created = record is None or not record.must_exist
                return view(loaded.facts, record_now, "created" if created else "changed", link)
        raise Busy(
            "This session is being changed by many callers at once; nothing was accepted.", retry_after=1
        )

    def cancel(
        self, agent: Agent, session: str, by: By, version: int | None, *, rewrite: bool = False
    ) -> SessionView:
        """Let the session be gone; success with nothing done where there is nothing to cancel.

        `rewrite`: whatever its version, because the backend listed all that it wants.
        """
        for _ in range(_AGAIN):
            loaded = self.sessions.load(agent, session)
            record = loaded.record
            if record is None or loaded.facts.state(self.terms) in REFUSING_STATES:
                self.sessions.confirm(agent)
                return nothing(session, record)
            if rewrite:
                version = record.version
            else:
                refuse_stale(record, version, same=not record.must_exist)
            if not record.must_exist and record.status in {Status.CANCELLED, *STANDING}:
                if version == record.version:
                    self.sessions.confirm(agent)
                elif self._note(loaded, replace(record, version=version), by, only="keep") != "noted":
                    continue
                cancelled = record.status is Status.CANCELLED
                return nothing(session, record) if cancelled else view(loaded.facts, record, "accepted")
            wanted = withdrawn(loaded, record, version, self.terms)
            if wanted.status is Status.CANCELLED:
                if self._note(loaded, wanted, by, only="drop") == "noted":
                    return view(loaded.facts, wanted, "cancelled")
                continue
            grant = self.access.open(loaded)
            done = self._accepted(loaded, grant, wanted, "", None, by)
            if done is not None:
                return view(loaded.facts, done[0], "cancelled")
        raise Busy(
            "This session is being changed by many callers at once; nothing was accepted.", retry_after=1
        )

    # --- one acceptance ---

    def _accepted(
        self, loaded: Loaded, grant: Grant, wanted: Record, sealed: str, content: Content | None, by: By
    ) -> tuple[Record, str] | None:
        """Accept, and go to Google if there is room; None when the record changed meanwhile."""
        if loaded.record is not None:
            # Whoever took a lease and never gave it back may have been at Google; so may we, from here on.
            in_doubt = loaded.record.copy.in_doubt or loaded.record.leased
            wanted = replace(wanted, copy=replace(wanted.copy, in_doubt=in_doubt))
        cost = cost_of(loaded.facts, wanted) if wanted.status is Status.PENDING else 0
        organization, account = loaded.agent.organization, loaded.facts.account.ref
        with self.throttle.room(loaded.throttle_state, organization, account, cost) as room:
            failpoint("schedule.before_accept")
            answer, fencing_token = self.sessions.accept(
                loaded, wanted, sealed, _ACTORS[by],
                here=room, end=content.end if content else None,
            )  # fmt: skip
            failpoint("schedule.after_accept")
            if answer == "again":
                return None
            if answer == "gone":
                raise NotConnected("The connection ended while the session was being accepted.")
            if answer != "leased":
                return wanted, ""
            return self.attempts.make(
                loaded.agent, loaded.facts, grant, replace(wanted, fencing_token=fencing_token), content
            )

    def _note(self, loaded: Loaded, record: Record, by: By, *, only: Literal["keep", "drop"]) -> str:
        answer, _ = self.sessions.accept(loaded, record, "", _ACTORS[by], here=False, end=None, only=only)
        return answer


_ACTORS = {By.AGENT: Actor.AGENT, By.SYSTEM: Actor.BACKEND}
