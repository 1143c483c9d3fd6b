"""What the agent's own page says of the connection. Must not change anything but what asking Google proves."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import REFUSING_STATES, Facts, Revocation
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Promises
from calendar_service.journeys.connection.calendar_now import CalendarAnswer, CalendarNow
from calendar_service.journeys.connection.session_summary import SessionSummaries
from calendar_service.journeys.connection.shared_accounts import SharedAccounts
from calendar_service.journeys.connection.status import connection_view
from calendar_service.journeys.connection.timeline import timeline
from calendar_service.journeys.views import AccountView, CalendarView, ConsentView, EndView, SettingsView
from calendar_service.store import keys
from calendar_service.store.file_rewrites import FileRewriteStore
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
    files: FileRewriteStore
    promises: Promises
    terms: ConsentTerms

    def settings(self, agent: Agent, *, agent_retention: Millis = 0, sessions_page: int = 1) -> SettingsView:
        """Return everything that the agent's page says, with the account as Google names it now or seconds ago.

        `agent_retention`: the term that connecting would set, where it is not the operator's. `sessions_page`: which
        page of the sessions that are not applied.
        """
        return self._view(agent, self.calendar_now.account, agent_retention, sessions_page)

    def leaving(self, agent: Agent) -> SettingsView:
        """Return what the agent's page says before a disconnect, with what the calendar holds at Google."""
        return self._view(agent, self.calendar_now.contents)

    def _view(
        self,
        agent: Agent,
        ask: Callable[[Slot], CalendarAnswer],
        agent_retention: Millis = 0,
        sessions_page: int = 1,
    ) -> SettingsView:
        slot = self.slots.read(agent)
        answer = ask(slot)
        if not answer.is_google:
            # Asking may have proved that the permission or the calendar is gone.
            slot = self.slots.read(agent)
        facts = slot.facts
        in_files_until = self._in_files_until(facts)
        if not facts.end.agent_retention:
            facts = replace(facts, end=replace(facts.end, agent_retention=agent_retention))
        return SettingsView(
            connection=connection_view(facts, self.terms, slot.now),
            calendar=self._calendar(facts, answer, slot.now),
            account=AccountView(
                address=answer.address,
                other_agents=bool(slot.grant) and self.shared_accounts.other_agents(slot),
                is_known=_is_account_known(slot),
                moved=facts.account.moved,
                former_revocation=facts.account.former_revocation,
            ),
            sessions=self.session_summaries.of(slot, sessions_page),
            consent=ConsentView(
                policy=facts.consent.policy,
                policy_outdated=facts.policy_outdated(self.terms),
                permission_changed=facts.consent.scope != self.terms.scope,
            ),
            end=self._end(facts, in_files_until, slot.now),
            timeline=timeline(facts, self.terms, slot.now, self.promises, in_files_until),
            trouble=answer.trouble if slot.grant else "",
            organization_closed=self.organization_index.is_closed(agent.organization),
        )

    def _calendar(self, facts: Facts, answer: CalendarAnswer, now: Millis) -> CalendarView:
        return CalendarView(
            status=facts.calendar.status,
            name=answer.name,
            language=facts.locale if facts.connection_id else "",
            deletion=facts.calendar.deletion,
            deletion_tried_until=self._ended_at(facts, now) + keys.CALENDAR_DELETION_MAX,
            contents=answer.contents,
        )

    def _in_files_until(self, facts: Facts) -> Millis | None:
        """Return until when at most the files hold the token that was destroyed, as `FileRewriteStore.gone_by` does."""
        is_destroyed = facts.end.revocation not in {"", Revocation.PENDING}
        return self.files.gone_by(facts.end.revocation_at) if is_destroyed else None

    def _end(self, facts: Facts, in_files_until: Millis | None, now: Millis) -> EndView:
        retention = self.promises.retention(facts.end.agent_retention)
        return EndView(
            retention=retention,
            erased_if_ended_now=facts.hold.disclosed_erasure(now + retention, now),
            keys_gone_by=self._ended_at(facts, now) + keys.TEARDOWN_MAX,
            keys_in_files_until=in_files_until,
            held_since=facts.hold.disclosed_since(now),
            held_until=facts.hold.disclosed_until(now),
            may_erase=not facts.hold.stands(now),
        )

    def _ended_at(self, facts: Facts, now: Millis) -> Millis:
        """Return when the connection ended; `now` if it stands."""
        return facts.grant.since if facts.state(self.terms) in REFUSING_STATES else now


def _is_account_known(slot: Slot) -> bool:
    """Tell whether the account of the connection is known, to itself or to its teardown, which may have learned it."""
    learned = {teardown.connection_id: teardown.account_ref for teardown in slot.teardowns}
    return bool(slot.facts.account.ref or learned.get(slot.facts.connection_id))
