"""What is shown of a connection: to the API, to the agent, and as the agent's export. Must not change anything."""

from dataclasses import dataclass
from typing import Any, Literal

from calendar_service.domain.clock import DAY, Clock, Millis, rfc3339
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.errors import ServiceError, StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.session import Content, Status
from calendar_service.google.calendar import Calendar, CalendarInfo, CalendarMissing
from calendar_service.google.transport import Transport
from calendar_service.journeys.access import Access
from calendar_service.journeys.views import ConnectionView, SettingsView, WaitingSession
from calendar_service.store.connections import Connections, Slot
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.sessions import Sessions

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


@dataclass(frozen=True)
class Overview:
    """Reads, and tells. Google is asked only for the agent's own page."""

    connections: Connections
    sessions: Sessions
    grants: Grants
    access: Access
    calendar: Calendar
    transport: Transport
    clock: Clock

    def connection(self, agent: Agent) -> ConnectionView:
        """Return the connection as both roles may see it."""
        return connection_view(self.connections.slot(agent).facts)

    def settings(self, agent: Agent, *, ask_google: bool = True) -> SettingsView:
        """Return everything that the agent's page says.

        The account is read from Google at this moment, unless the page does not show it;
        a page is not kept waiting for that.
        """
        slot = self.connections.slot(agent)
        with self.transport.within(_PAGE_WAITS):
            calendar, answered = self._calendar(slot) if ask_google else (None, True)
        if not answered:
            slot = self.connections.slot(
                agent
            )  # it may have proved that the permission or the calendar is gone
        records = self.sessions.all(agent)
        today = self.clock.now() // DAY
        return SettingsView(
            connection=connection_view(slot.facts),
            account=mask(calendar.data_owner or "") if calendar else "",
            calendar_name=calendar.summary if calendar else "",
            calendar_id=slot.facts.calendar_id,
            scheduled=sum(r.status is Status.SCHEDULED and r.over_day >= today for r in records),
            waiting=self._waiting(slot),
            other_agents=slot.facts.other_agents,
            moved_account=slot.facts.moved_account,
            calendar_fate=slot.facts.calendar_fate,
            google_trouble=not answered and bool(slot.grant and slot.facts.calendar_since),
            agreed_to=slot.facts.consent_policy,
            policy_outgrown=slot.facts.policy_outgrown,
            held_until=_held_until(slot.facts, slot.now),
        )

    def export(self, agent: Agent) -> dict[str, Any]:
        """Return everything that is kept of the agent, made on the fly, for the agent's own browser only."""
        slot = self.connections.slot(agent)
        facts = slot.facts
        return {
            "organization": agent.organization,
            "agent": agent.agent,
            "exported_at": rfc3339(self.clock.now()),
            "connection": _told(facts) | _hold(facts, slot.now),
            "sessions": [
                {
                    "session": record.session,
                    "status": record.status.value,
                    "event_id": record.event_id if record.placed else None,
                    "ends_on": rfc3339(record.over_day * DAY)[:10],
                    "reason": record.reason or None,
                }
                for record in self.sessions.all(agent)
            ],
            "waiting": [
                {"session": waiting.session, "title": waiting.title, "start": rfc3339(waiting.start)}
                for waiting in self._waiting(slot)
                if waiting.start
            ],
        }

    def _calendar(self, slot: Slot) -> tuple[CalendarInfo | None, bool]:
        """Return the calendar as Google describes it now, and whether Google answered (or was not to be asked)."""
        facts = slot.facts
        if not slot.grant or not facts.calendar_since or not facts.usable(SCOPE):
            return None, True
        try:
            grant = self.grants.open(slot.agent, facts.connection_id, slot.grant)
            info = self.access.with_token(
                slot.agent, grant, lambda token: self.calendar.get_calendar(token, facts.calendar_id)
            )
        except CalendarMissing:
            self.connections.calendar_missing(slot.agent, facts.connection_id)
            return None, False
        except ServiceError:
            return None, False
        return info, True

    def _waiting(self, slot: Slot) -> tuple[WaitingSession, ...]:
        sealed = self.sessions.waiting(slot.agent)
        grant = self._open(slot)
        shown = []
        for record in self.sessions.all(slot.agent):
            if record.status not in {Status.PENDING, Status.WAITING, Status.FAILED}:
                continue
            text = sealed.get(record.session)
            content = _readable(grant, record.session, text) if text else None
            shown.append(
                WaitingSession(
                    record.session,
                    record.status,
                    record.reason,
                    content.title if content else "",
                    content.start if content else 0,
                    content.time_zone if content else "",
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


def connection_view(facts: Facts) -> ConnectionView:
    """Return what is shown of these facts."""
    state = facts.state(SCOPE)
    action, needs = _ACTIONS.get(state, ("", ""))
    if state is State.PAUSED:
        action = "resume"
        needs = "agent" if facts.paused_by_agent else "administrator"
    if state is State.CALENDAR_MISSING and not facts.calendar_lost_at:
        action, needs = "", ""  # it was never made: the worker is at it
    return ConnectionView(
        state=state,
        since=facts.since(SCOPE),
        erase_due=facts.erase_due,
        revocation=facts.revocation,
        revocation_at=facts.revocation_at,
        paused_by_agent=bool(facts.paused_by_agent),
        paused_by_organization=bool(facts.paused_by_organization),
        action=action,
        needs=needs,
    )


def _held_until(facts: Facts, now: Millis) -> Millis:
    """Return until when a legal hold lasts, where the agent may be told of it."""
    return facts.hold_until if facts.hold_until > now >= facts.hold_told_from else 0


def _hold(facts: Facts, now: Millis) -> dict[str, str]:
    until = _held_until(facts, now)
    return {"kept_by_law_until": rfc3339(until)} if until else {}


def mask(address: str) -> str:
    """Return an address so that its owner knows it and nobody else learns it: `ma•••@gmail.com`."""
    local, at, domain = address.partition("@")
    return f"{local[:2]}•••@{domain}" if at else ""


def _readable(grant: Grant | None, session: str, sealed: str) -> Content | None:
    if grant is None:
        return None
    try:
        return grant.open_content(session, sealed)
    except StoreUnavailable:
        return None


def _told(facts: Facts) -> dict[str, Any]:
    instants = {
        "since": facts.since(SCOPE),
        "last_proof_of_life": facts.proof_at,
        "paused_by_you": facts.paused_by_agent,
        "paused_by_organization": facts.paused_by_organization,
        "erase_due": facts.erase_due,
        "revocation_at": facts.revocation_at,
    }
    return {
        "own_term_in_days": facts.own_term / DAY or None,
        "state": facts.state(SCOPE).value,
        "calendar_id": facts.calendar_id or None,
        "permission": facts.consent_scope or None,
        "policy_version_consented": facts.consent_policy or None,
        "revocation": facts.revocation or None,
        "tokens": "kept sealed; never exported" if facts.grant.value == "live" else "none kept",
        **{name: rfc3339(at) if at else None for name, at in instants.items()},
    }
