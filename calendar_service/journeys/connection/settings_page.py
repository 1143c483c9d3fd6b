"""What the agent's own page says of the connection. Must not change anything but what asking Google proves."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import REFUSING_STATES
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Promises
from calendar_service.domain.scope import SCOPE
from calendar_service.journeys.connection.calendar_now import CalendarAnswer, CalendarNow
from calendar_service.journeys.connection.session_summary import SessionSummaries
from calendar_service.journeys.connection.shared_accounts import SharedAccounts
from calendar_service.journeys.connection.status import connection_view
from calendar_service.journeys.connection.timeline import timeline
from calendar_service.journeys.views import SettingsView
from calendar_service.store import keys
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.slots import Slot, Slots


@dataclass(frozen=True)
class SettingsPage:
    """Reads what is stored and what Google says now, for the agent alone."""

    slots: Slots
    organization_index: OrganizationIndex
    shared_accounts: SharedAccounts
    calendar_now: CalendarNow
    session_summaries: SessionSummaries
    promises: Promises

    def settings(self, agent: Agent, *, agent_retention: Millis = 0) -> SettingsView:
        """Return everything that the agent's page says, with the account as Google names it at this moment.

        `agent_retention`: the term that connecting would set, where it is not the operator's.
        """
        return self._view(agent, self.calendar_now.account, agent_retention)

    def leaving(self, agent: Agent) -> SettingsView:
        """Return what the agent's page says before a disconnect, with what the calendar holds at this moment."""
        return self._view(agent, self.calendar_now.contents)

    def _view(
        self, agent: Agent, ask: Callable[[Slot], CalendarAnswer], agent_retention: Millis = 0
    ) -> SettingsView:
        slot = self.slots.read(agent)
        answer = ask(slot)
        if answer.info is None and answer.contents is None:
            # Asking may have proved that the permission or the calendar is gone.
            slot = self.slots.read(agent)
        facts = (
            slot.facts if slot.facts.agent_retention else replace(slot.facts, agent_retention=agent_retention)
        )
        retention = self.promises.retention(facts.agent_retention)
        ended = facts.grant_since if facts.state(SCOPE) in REFUSING_STATES else slot.now
        sessions = self.session_summaries.of(slot)
        return SettingsView(
            connection=connection_view(facts, slot.now),
            language=facts.locale if facts.connection_id else "",
            account=mask(answer.info.data_owner or "") if answer.info else "",
            calendar_name=answer.info.summary if answer.info else "",
            calendar=facts.calendar,
            scheduled=sessions.scheduled,
            changed_in_google=sessions.changed_in_google,
            deleted_in_google=sessions.deleted_in_google,
            lost=sessions.lost,
            waiting=sessions.waiting,
            other_agents=bool(slot.grant) and self.shared_accounts.other_agents(slot),
            moved_account=facts.moved_account,
            calendar_deletion=facts.calendar_deletion,
            trouble=answer.trouble if slot.grant and facts.calendar != "missing" else "",
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
            contents=answer.contents,
        )


def mask(address: str) -> str:
    """Return an address so that its owner knows it and nobody else learns it: `ma•••@gmail.com`."""
    local, at, domain = address.partition("@")
    return f"{local[:2]}•••@{domain}" if at else ""
