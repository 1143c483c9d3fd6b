"""The status of a connection, as the API and the agent's settings page show it. Must not change anything."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from calendar_service.domain.clock import DAY, Clock, Millis, as_datetime
from calendar_service.domain.connection import REFUSING_STATES, AdminAction, Facts, State
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
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.secret import Secret
from calendar_service.domain.session import CHANGED_IN_GOOGLE, DELETED_IN_GOOGLE, Content, Record, Status
from calendar_service.google.calendar import CalendarApi, CalendarInfo, CalendarMissing, Contents
from calendar_service.google.transport import Transport
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.connection.timeline import timeline
from calendar_service.journeys.views import ConnectionView, SettingsView, WaitingSession
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
"""What somebody has to do in each state, as a code, and who. A pause is shown with who can lift it."""


_PAGE_WAITS = 2.5
"""Seconds that a page waits for Google before it is shown without Google's answer."""


@dataclass(frozen=True, slots=True)
class _GoogleAnswer:
    """Google's answer for a page, or who has to end the trouble that kept Google from answering."""

    info: CalendarInfo | None = None
    contents: Contents | None = None
    trouble: Literal["", "google", "ours", "administrator"] = ""


@dataclass(frozen=True)
class StatusPage:
    """Reads the state of connections. Only the agent's own page asks Google, too."""

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
    clock: Clock

    def connection(self, agent: Agent) -> ConnectionView:
        """Return the connection as both roles of the API may see it."""
        slot = self.slots.read(agent)
        return connection_view(slot.facts, slot.now)

    def settings(self, agent: Agent, *, agent_retention: Millis = 0) -> SettingsView:
        """Return everything that the agent's settings page shows, with the account as Google names it now.

        `agent_retention`: the retention period that connecting would set, if it is not the operator's.
        """
        return self._settings_view(agent, self._account, agent_retention)

    def leaving(self, agent: Agent) -> SettingsView:
        """Return what the agent's page shows before a disconnect, with how much the calendar holds now."""
        return self._settings_view(agent, self._contents)

    def readable(self, slot: Slot) -> dict[str, Content]:
        """Return the content that waits for Google's confirmation, by session, as far as it can be opened."""
        grant = self._open(slot)
        opened = {
            session: _readable(grant, session, sealed)
            for session, sealed in self.sessions.waiting(slot.agent).items()
        }
        return {session: content for session, content in opened.items() if content}

    def _settings_view(
        self, agent: Agent, ask: Callable[[Slot], "_GoogleAnswer"], agent_retention: Millis = 0
    ) -> SettingsView:
        slot = self.slots.read(agent)
        with self.transport.within(_PAGE_WAITS):
            google_answer = ask(slot)
        if google_answer.info is None and google_answer.contents is None:
            # The call at Google may have proved that the grant or the calendar is gone.
            slot = self.slots.read(agent)
        facts = (
            slot.facts if slot.facts.agent_retention else replace(slot.facts, agent_retention=agent_retention)
        )
        retention = self.promises.retention(facts.agent_retention)
        ended = facts.grant_since if facts.state(SCOPE) in REFUSING_STATES else slot.now
        records = self.sessions.all(agent)
        today = self.clock.now() // DAY
        coming = Counter(record.status for record in records if record.end_day >= today)
        reasons = Counter(record.reason for record in records if record.end_day >= today)
        return SettingsView(
            connection=connection_view(facts, slot.now),
            language=facts.locale if facts.connection_id else "",
            account=mask(google_answer.info.data_owner or "") if google_answer.info else "",
            calendar_name=google_answer.info.summary if google_answer.info else "",
            calendar=facts.calendar,
            scheduled=coming[Status.SCHEDULED],
            changed_in_google=reasons[CHANGED_IN_GOOGLE],
            deleted_in_google=reasons[DELETED_IN_GOOGLE],
            lost=coming[Status.LOST] - reasons[DELETED_IN_GOOGLE],
            waiting=self._waiting(slot, records),
            other_agents=bool(slot.grant)
            and self.account_refs.shared(facts.account_ref, slot.connection_ids),
            moved_account=facts.moved_account,
            calendar_deletion=facts.calendar_deletion,
            trouble=google_answer.trouble if slot.grant and facts.calendar != "missing" else "",
            permission_changed=facts.consent_scope != SCOPE,
            agreed_to=facts.consent_policy,
            policy_outdated=facts.policy_outdated,
            retention=retention,
            erased_if_ended_now=facts.erasure_told(slot.now + retention, slot.now),
            timeline=timeline(facts, slot.now, self.promises),
            keys_gone_by=ended + keys.TEARDOWN_MAX,
            deletion_tried_until=ended + keys.CALENDAR_DELETION_MAX,
            organization_closed=self.organization_index.is_closed(agent.organization),
            held_until=facts.hold_told(slot.now),
            contents=google_answer.contents,
        )

    def _account(self, slot: Slot) -> "_GoogleAnswer":
        calendar_id = slot.facts.calendar_id
        return self._ask(
            slot, lambda token: _GoogleAnswer(info=self.calendar.get_calendar(token, calendar_id))
        )

    def _contents(self, slot: Slot) -> "_GoogleAnswer":
        calendar_id, now = slot.facts.calendar_id, as_datetime(self.clock.now())
        return self._ask(
            slot, lambda token: _GoogleAnswer(contents=self.calendar.contents(token, calendar_id, now))
        )

    def _ask(self, slot: Slot, question: Callable[[Secret], "_GoogleAnswer"]) -> "_GoogleAnswer":
        """Ask Google about the calendar, if the grant may be used for that; an error becomes part of the answer.

        While the calendar was never made, only a usable token is requested: it shows whether somebody has to act first.
        """
        facts = slot.facts
        if not slot.grant or facts.calendar == "missing" or not facts.usable(SCOPE):
            return _GoogleAnswer()
        try:
            grant = self.grants.open(slot.agent, facts.connection_id, slot.grant)
            if not facts.calendar_since:
                self.access.usable(slot.agent, grant)
                return _GoogleAnswer()
            return self.access.with_token(slot.agent, grant, question)
        except CalendarMissing:
            self.connections.calendar_missing(slot.agent, facts)
            return _GoogleAnswer()
        except ServiceError as trouble:
            return _GoogleAnswer(trouble=_who_has_to_act(trouble))

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


def connection_view(facts: Facts, now: Millis) -> ConnectionView:
    """Return what is shown of these facts at `now` (database time)."""
    state = facts.state(SCOPE)
    action, needs = _ACTIONS.get(state, ("", ""))
    if state is State.PAUSED:
        action = "resume"
        needs = "agent" if facts.paused_by_agent else "administrator"
    if state is State.CALENDAR_MISSING and not facts.calendar_lost_at:
        action, needs = "", ""  # it was never made: the worker makes it
    return ConnectionView(
        state=state,
        since=facts.since(SCOPE),
        erase_due=facts.erasure_told(facts.erase_due, now),
        revocation=facts.revocation,
        revocation_at=facts.revocation_at,
        paused_by_agent=facts.paused_by_agent,
        paused_by_organization=facts.paused_by_organization,
        last_admin_action=AdminAction.of_text(facts.last_admin_action),
        action=action,
        needs=needs,
    )


def _who_has_to_act(trouble: ServiceError) -> Literal["", "google", "ours", "administrator"]:
    if isinstance(trouble, AccessRevoked | InsufficientScope):
        return ""  # the connection's own state shows it
    if isinstance(trouble, AdminBlocked):
        return "administrator"
    if isinstance(trouble, ClientRejected | RefreshRefused) or not isinstance(trouble, GoogleError):
        return "ours"
    return "google"


def mask(address: str) -> str:
    """Return an address masked, so that only its owner recognizes it: `ma•••@gmail.com`."""
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
