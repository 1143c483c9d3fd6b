"""Create, reschedule, cancel: accepted first, then written at Google, by the request or by a worker (laws 2-4).

Knows the store and the event writer. Must not know the web.
"""

from dataclasses import dataclass, replace
from typing import Literal

from calendar_service.domain.clock import DAY, Clock
from calendar_service.domain.connection import REFUSING_STATES, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import Busy, NotConnected, SessionOver
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.session import GOOGLE_TROUBLE, PACED, By, Content, Record, Status
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.sessions.attempt import Attempts
from calendar_service.journeys.sessions.decide import (
    accepting_state,
    forgotten,
    is_repeated,
    is_same,
    is_withdrawn,
    next_revision,
    nothing,
    refuse_stale,
    view,
    withdrawn,
)
from calendar_service.journeys.sessions.queue import cost_of
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.views import Outcome, SessionView
from calendar_service.store.audit_log import Actor
from calendar_service.store.grants import Grant
from calendar_service.store.sessions import Loaded, Sessions

_AGAIN = 5
"""How often a change is decided again because another one was accepted in between."""


@dataclass(frozen=True)
class Schedule:
    """Accepts sessions, writes them at Google if it may, and goes on with due ones for the worker."""

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
        """Create the session, or change it to this content.

        `rewrite`: write it even if it equals what was last written, because Google has something else.
        Raises `SessionOver`, `StaleVersion`, `NotConnected`, or `Busy` if other callers keep changing the session.
        """
        if content.end <= self.clock.now():
            raise SessionOver("The session's `end` lies in the past; nothing was written.", field="end")
        for _ in range(_AGAIN):
            answer = self._put(agent, session, content, by, version, rewrite=rewrite)
            if answer is not None:
                return answer
        raise _too_many_callers()

    def _put(
        self, agent: Agent, session: str, content: Content, by: By, version: int | None, *, rewrite: bool
    ) -> SessionView | None:
        """Decide on one reading and accept; None if the session changed in between."""
        loaded = self.sessions.load(agent, session)
        state = accepting_state(loaded, self.terms)
        grant = self.access.open(loaded)
        record, digest = loaded.record, grant.digest(session, content)
        same = is_same(record, digest, version)
        refuse_stale(record, version, same=same)
        if record and same and is_repeated(record, version) and not rewrite:
            repeated = self._accept_repetition(loaded, record, version, by)
            return view(loaded.facts, record, "unchanged") if repeated else None
        desired = next_revision(loaded, grant, session, digest, content, version, state)
        sealed = grant.seal_content(session, content)
        done = self._accept(loaded, grant, desired, sealed, content, by)
        created = record is None or not record.must_exist
        return view(loaded.facts, done, "created" if created else "changed") if done else None

    def cancel(
        self, agent: Agent, session: str, by: By, version: int | None, *, rewrite: bool = False
    ) -> SessionView:
        """Cancel the session; success without an effect if there is nothing to cancel.

        `rewrite`: whatever its version, because the backend stated that its list is complete.
        Raises `StaleVersion`, `NotConnected`, or `Busy` if other callers keep changing the session.
        """
        for _ in range(_AGAIN):
            answer = self._cancel(agent, session, by, version, rewrite=rewrite)
            if answer is not None:
                return answer
        raise _too_many_callers()

    def _cancel(
        self, agent: Agent, session: str, by: By, version: int | None, *, rewrite: bool
    ) -> SessionView | None:
        """Decide on one reading and accept; None if the session changed in between."""
        loaded = self.sessions.load(agent, session)
        record, state = loaded.record, loaded.facts.state(self.terms)
        stands = None if record or state is not State.CONNECTED else self._stands(loaded, session)
        if state in REFUSING_STATES or stands is False:
            self.sessions.confirm(agent)
            return nothing(session, record)
        if record is None:
            record = forgotten(loaded, self.access.open(loaded), session, version, self.clock.now() // DAY)
        elif rewrite:
            version = record.version
        else:
            refuse_stale(record, version, same=not record.must_exist)
        if is_withdrawn(loaded.facts, record):
            if not self._accept_repetition(loaded, record, version, by):
                return None
            cancelled = record.status is Status.CANCELLED
            return nothing(session, record) if cancelled else view(loaded.facts, record, "accepted")
        desired = withdrawn(loaded, record, version, self.terms)
        if desired.status is Status.CANCELLED:
            is_noted = self._note(loaded, desired, by, only="drop") == "noted"
            # A lost one had its event in a calendar that is not there any more: nothing was cancelled.
            outcome: Outcome = "nothing" if record.status is Status.LOST else "cancelled"
            return view(loaded.facts, desired, outcome) if is_noted else None
        grant = self.access.open(loaded)
        # Google did not answer a moment ago whether it has the event: the worker asks again.
        inline = loaded.record is not None or stands is True
        done = self._accept(loaded, grant, desired, "", None, by, inline=inline)
        return view(loaded.facts, done, "cancelled") if done else None

    def _stands(self, loaded: Loaded, session: str) -> bool | None:
        """Tell whether Google has an event of this session, which the store does not know; None without an answer.

        So a cancel of a session that never was stores nothing. One that Google does not answer is accepted, and
        carried out later.
        """
        grant, account = self.access.open(loaded), loaded.facts.account.ref
        organization = loaded.agent.organization
        with self.throttle.inline_slot(loaded.throttle_state, organization, account, 1) as admission:
            if admission != "go":
                return None
            return self.attempts.stands(loaded.agent, loaded.facts, grant, session)

    # --- one acceptance ---

    def _accept(
        self, loaded: Loaded, grant: Grant, desired: Record, sealed: str, content: Content | None, by: By,
        *, inline: bool = True,
    ) -> Record | None:  # fmt: skip
        """Accept the desired record, and write it at Google if the throttle admits that; None if the session changed.

        `inline`: this request may go to Google itself, else the worker does.
        Returns the record as it stands then.
        """
        if loaded.record is not None:
            # Whoever took a lease and never gave it back may have been at Google; so may we, from here on.
            in_doubt = loaded.record.copy.in_doubt or loaded.record.leased
            if in_doubt != desired.copy.in_doubt:
                desired = replace(desired, copy=replace(desired.copy, in_doubt=in_doubt))
        cost = cost_of(loaded.facts, desired) if inline and desired.status is Status.PENDING else 0
        organization, account = loaded.agent.organization, loaded.facts.account.ref
        with self.throttle.inline_slot(loaded.throttle_state, organization, account, cost) as admission:
            if cost and admission != "go":
                desired = replace(desired, reason=PACED if admission == "wait" else GOOGLE_TROUBLE)
            failpoint("schedule.before_accept")
            answer, accepted = self.sessions.accept(
                loaded, desired, sealed, _ACTORS[by],
                inline=admission == "go", end=content.end if content else None,
            )  # fmt: skip
            failpoint("schedule.after_accept")
            if answer == "again":
                return None
            if answer == "gone":
                raise NotConnected("The connection ended while the session was being accepted.")
            if answer != "leased":
                return desired
            return self.attempts.make(loaded.agent, loaded.facts, grant, accepted, content)

    def _accept_repetition(self, loaded: Loaded, record: Record, version: int | None, by: By) -> bool:
        """Accept what was accepted before, under this version; false if the session changed."""
        if version == record.version:
            self.sessions.confirm(loaded.agent)
            return True
        return self._note(loaded, replace(record, version=version), by, only="keep") == "noted"

    def _note(self, loaded: Loaded, record: Record, by: By, *, only: Literal["keep", "drop"]) -> str:
        """Accept a record that nobody has to write at Google; `only` as in `Sessions.accept`."""
        answer, _ = self.sessions.accept(loaded, record, "", _ACTORS[by], inline=False, end=None, only=only)
        return answer


def _too_many_callers() -> Busy:
    return Busy("This session is being changed by many callers at once; nothing was accepted.", retry_after=1)


_ACTORS = {By.AGENT: Actor.AGENT, By.SYSTEM: Actor.BACKEND}
