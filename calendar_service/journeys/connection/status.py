"""What is shown of a connection: to the API and to the agent. Must not change anything."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from calendar_service.domain.clock import DAY, Clock, Millis, as_datetime
from calendar_service.domain.connection import REFUSING_STATES, AdminAction, Facts, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import (
    AccessRevoked,
    AdminBlocked,
    ClientRejected,
    GoogleError,
    InsufficientScope,
    RefreshRefused,
    ServiceError,
    StoreUnavailable,
)
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Promises
from calendar_service.domain.secret import Secret
from calendar_service.domain.session import CHANGED_IN_GOOGLE, DELETED_IN_GOOGLE, Content, Record, Status
from calendar_service.google.calendar import CalendarApi, CalendarInfo, CalendarMissing, Contents
from calendar_service.google.transport import Transport
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.connection.timeline import timeline
from calendar_service.journeys.views import (
    AccountView,
    CalendarView,
    ConnectionView,
    ConsentView,
    EndView,
    SessionsView,
    SettingsView,
    WaitingSession,
)
from calendar_service.store import keys
from calendar_service.store.account_refs import AccountRefs
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slot, Slots

Needs = Literal["agent", "administrator", "operator", ""]

_ACTIONS: dict[State, tuple[str, Needs]] = {
    State.NOT_CONNECTED: ("connect", "agent"),
    State.DISCONNECTED: ("connect_again", "agent"),
    State.REVOKED: ("connect_again", "agent"),
    State.RECONSENT_REQUIRED: ("review_consent", "agent"),
    State.CALENDAR_MISSING: ("create_calendar", "agent"),
}
"""What somebody has to do in each state; the words are the web's. A pause is shown with who can lift it."""


_PAGE_WAITS = 2.5
"""Seconds that a page waits for Google before it is shown without what Google knows."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What Google said to a page, or who has to end what kept it from answering."""

    info: CalendarInfo | None = None
    contents: Contents | None = None
    trouble: Literal["", "google", "ours", "administrator"] = ""


@dataclass(frozen=True)
class StatusPage:
    """Reads, and tells. Google is asked only for the agent's own page."""

    slots: Slots
    connections: Connections
    organization_index: OrganizationIndex
    sessions: Sessions
    grants: Grants
    access: Access
    calendar: CalendarApi
    transport: Transport
    account_refs: AccountRefs
    promises: Promises
    terms: ConsentTerms
    clock: Clock

    def connection(self, agent: Agent) -> ConnectionView:
        """Return the connection as both roles may see it."""
        slot = self.slots.read(agent)
        return connection_view(slot.facts, self.terms, slot.now)

    def settings(self, agent: Agent, *, agent_retention: Millis = 0) -> SettingsView:
        """Return everything that the agent's page says, with the account as Google names it at this moment.

        `agent_retention`: the term that connecting would set, where it is not the operator's.
        """
        return self._told(agent, self._account, agent_retention)

    def leaving(self, agent: Agent) -> SettingsView:
        """Return what the agent's page says before a disconnect, with what the calendar holds at this moment."""
        return self._told(agent, self._contents)

    def readable(self, slot: Slot) -> dict[str, Content]:
        """Return the content that waits for Google, by session, as far as it can be opened."""
        grant = self._open(slot)
        opened = {
            session: _readable(grant, session, sealed)
            for session, sealed in self.sessions.waiting(slot.agent).items()
        }
        return {session: content for session, content in opened.items() if content}

    def _told(
        self, agent: Agent, ask: Callable[[Slot], "_Asked"], agent_retention: Millis = 0
    ) -> SettingsView:
        slot = self.slots.read(agent)
        with self.transport.within(_PAGE_WAITS):
            asked = ask(slot)
        if asked.info is None and asked.contents is None:
            # Asking may have proved that the permission or the calendar is gone.
            slot = self.slots.read(agent)
        facts = slot.facts
        if not facts.end.agent_retention:
            facts = replace(facts, end=replace(facts.end, agent_retention=agent_retention))
        return SettingsView(
            connection=connection_view(facts, self.terms, slot.now),
            calendar=self._calendar(facts, asked, slot.now),
            account=AccountView(
                address=mask(asked.info.data_owner or "") if asked.info else "",
                other_agents=bool(slot.grant)
                and self.account_refs.shared(facts.account.ref, slot.connection_ids),
                moved=facts.account.moved,
            ),
            sessions=self._sessions(slot),
            consent=ConsentView(
                policy=facts.consent.policy,
                policy_outdated=facts.policy_outdated(self.terms),
                permission_changed=facts.consent.scope != self.terms.scope,
            ),
            end=self._end(facts, slot.now),
            timeline=timeline(facts, self.terms, slot.now, self.promises),
            trouble=asked.trouble if slot.grant and facts.calendar.status != "missing" else "",
            organization_closed=self.organization_index.is_closed(agent.organization),
        )

    def _calendar(self, facts: Facts, asked: "_Asked", now: Millis) -> CalendarView:
        return CalendarView(
            status=facts.calendar.status,
            name=asked.info.summary if asked.info else "",
            language=facts.locale if facts.connection_id else "",
            deletion=facts.calendar.deletion,
            deletion_tried_until=self._ended_at(facts, now) + keys.CALENDAR_DELETION_MAX,
            contents=asked.contents,
        )

    def _sessions(self, slot: Slot) -> SessionsView:
        records = self.sessions.all(slot.agent)
        today = self.clock.now() // DAY
        coming = Counter(record.status for record in records if record.end_day >= today)
        reasons = Counter(record.reason for record in records if record.end_day >= today)
        return SessionsView(
            scheduled=coming[Status.SCHEDULED],
            changed_in_google=reasons[CHANGED_IN_GOOGLE],
            deleted_in_google=reasons[DELETED_IN_GOOGLE],
            lost=coming[Status.LOST] - reasons[DELETED_IN_GOOGLE],
            waiting=self._waiting(slot, records),
        )

    def _end(self, facts: Facts, now: Millis) -> EndView:
        retention = self.promises.retention(facts.end.agent_retention)
        return EndView(
            retention=retention,
            erased_if_ended_now=facts.hold.disclosed_erasure(now + retention, now),
            keys_gone_by=self._ended_at(facts, now) + keys.TEARDOWN_MAX,
            held_until=facts.hold.disclosed_until(now),
        )

    def _ended_at(self, facts: Facts, now: Millis) -> Millis:
        """Return when the connection ended; `now` if it stands."""
        return facts.grant.since if facts.state(self.terms) in REFUSING_STATES else now

    def _account(self, slot: Slot) -> "_Asked":
        calendar_id = slot.facts.calendar.id
        return self._ask(slot, lambda token: _Asked(info=self.calendar.get_calendar(token, calendar_id)))

    def _contents(self, slot: Slot) -> "_Asked":
        calendar_id, now = slot.facts.calendar.id, as_datetime(self.clock.now())
        return self._ask(slot, lambda token: _Asked(contents=self.calendar.contents(token, calendar_id, now)))

    def _ask(self, slot: Slot, question: Callable[[Secret], "_Asked"]) -> "_Asked":
        """Ask Google about the calendar; a page is not kept waiting for that.

        Where it was never made, the token alone tells whether somebody has to act before it is.
        """
        facts = slot.facts
        if not slot.grant or facts.calendar.status == "missing" or not facts.usable(self.terms):
            return _Asked()
        try:
            grant = self.grants.open(slot.agent, facts.connection_id, slot.grant)
            if not facts.calendar.since:
                self.access.usable(slot.agent, grant)
                return _Asked()
            return self.access.with_token(slot.agent, grant, question)
        except CalendarMissing:
            self.connections.calendar_missing(slot.agent, facts)
            return _Asked()
        except ServiceError as trouble:
            return _Asked(trouble=_whose(trouble))

    def _waiting(self, slot: Slot, records: list[Record]) -> tuple[WaitingSession, ...]:
        contents = self.readable(slot)
        shown = []
        for record in records:
            if record.status not in {Status.PENDING, Status.WAITING, Status.FAILED}:
                continue
            content = contents.get(record.session)
            shown.append(
                WaitingSession(
                    record.session,
                    record.status,
                    record.reason,
                    content.title if content else "",
                    content.start if content else 0,
                    content.time_zone if content else "",
                    record.end_day * DAY,
                    _waits_until(record, content),
                )
            )
        return tuple(shown)

    def _open(self, slot: Slot) -> Grant | None:
        if not slot.grant:
            return None
        try:
            return self.grants.open(slot.agent, slot.facts.connection_id, slot.grant)
        except StoreUnavailable:
            return None


def connection_view(facts: Facts, terms: ConsentTerms, now: Millis) -> ConnectionView:
    """Return what is shown of these facts at `now` (database time)."""
    state = facts.state(terms)
    action, needs = _ACTIONS.get(state, ("", ""))
    if state is State.PAUSED:
        action = "resume"
        needs = "agent" if facts.pause.by_agent else "administrator"
    if state is State.CALENDAR_MISSING and not facts.calendar.lost_at:
        action, needs = "", ""  # it was never made: the worker is at it
    return ConnectionView(
        state=state,
        since=facts.since(terms),
        erase_due=facts.hold.disclosed_erasure(facts.end.erase_due, now),
        revocation=facts.end.revocation,
        revocation_at=facts.end.revocation_at,
        paused_by_agent=facts.pause.by_agent,
        paused_by_organization=facts.pause.by_organization,
        last_admin_action=AdminAction.of_text(facts.last_admin_action),
        action=action,
        needs=needs,
    )


def _whose(trouble: ServiceError) -> Literal["", "google", "ours", "administrator"]:
    if isinstance(trouble, AccessRevoked | InsufficientScope):
        return ""  # no trouble, but a state of the connection
    if isinstance(trouble, AdminBlocked):
        return "administrator"
    if isinstance(trouble, ClientRejected | RefreshRefused) or not isinstance(trouble, GoogleError):
        return "ours"
    return "google"


def mask(address: str) -> str:
    """Return an address so that its owner knows it and nobody else learns it: `ma•••@gmail.com`."""
    local, at, domain = address.partition("@")
    return f"{local[:2]}•••@{domain}" if at else ""


def _waits_until(record: Record, content: Content | None) -> Millis:
    until = record.waiting_since + keys.WAITING_MAX if record.waiting_since else 0
    return until if content and until < content.start else 0


def _readable(grant: Grant | None, session: str, sealed: str) -> Content | None:
    if grant is None:
        return None
    try:
        return grant.open_content(session, sealed)
    except StoreUnavailable:
        return None
