"""The agent's dedicated calendar: find it again, or make it (SC-2, laws 1, 3).

Knows the store and Google. Must not know the web.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.connection import Facts
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import (
    AccessRevoked,
    Busy,
    GoogleError,
    NotConnected,
    RequestRefused,
    ServiceError,
    UnknownRefusal,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Operator
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import AccountCalendars, CalendarApi, CalendarMissing
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.connection.shared_accounts import SharedAccounts
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.log import Log
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grant
from calendar_service.store.leases import Leases
from calendar_service.store.slots import Slot, Slots

_CALLS = 2
"""Units of Google's rate: looking for the marker, and making the calendar or looking at the stored one."""


@dataclass(frozen=True)
class MarkedCalendars:
    """The service's calendars in one account: each agent's is known by a marker in its description."""

    calendar: CalendarApi
    identity: IdentityKey
    operator: Operator
    log: Log

    def find(self, token: Secret, agent: Agent) -> AccountCalendars:
        """Ask whose account the token is for, and which of its calendars bear the agent's marker."""
        return self.calendar.find_ours(token, self._marker(agent))

    def require(self, token: Secret, calendar_id: str) -> None:
        """Raise `CalendarMissing` if the account has no such calendar."""
        self.calendar.get_calendar(token, calendar_id)

    def create(self, token: Secret, agent: Agent, facts: Facts) -> str:
        """Create the agent's calendar in the language and time zone of the consent; return its id.

        If Google refuses the zone, the calendar is made in UTC. A calendar that is refused in UTC too alarms the
        operator, because no later try will make it.
        """
        for zone in dict.fromkeys((facts.calendar.time_zone or "UTC", "UTC")):
            with suppress(RequestRefused):  # nothing was made
                return self._create(token, agent, facts, zone)
        self.log.alarm("google.calendar_refused")
        raise UnknownRefusal("Google refuses to make the calendar, in UTC too")

    def _create(self, token: Secret, agent: Agent, facts: Facts, zone: str) -> str:
        language = self.operator.language(facts.locale)
        # The marker travels in the request itself: a calendar whose answer is lost can be found by it.
        description = _DESCRIPTIONS[language].format(
            app=self.operator.identity.app_name, marker=self._marker(agent)
        )
        return self.calendar.create(
            token, summary=self.operator.calendar_name[language], description=description, time_zone=zone
        )

    def _marker(self, agent: Agent) -> str:
        return self.identity.calendar_marker(agent.organization, agent.agent)


@dataclass(frozen=True)
class DedicatedCalendar:
    """One calendar an agent, in the account that agreed; no other calendar is read."""

    slots: Slots
    leases: Leases
    connections: Connections
    access: Access
    shared_accounts: SharedAccounts
    marked_calendars: MarkedCalendars
    throttle: Throttle
    terms: ConsentTerms

    def account(self, agent: Agent, token: Secret) -> AccountCalendars | None:
        """Ask whose account a new token is for, and which calendars there are ours; None if Google has trouble."""
        try:
            return self.marked_calendars.find(token, agent)
        except GoogleError:
            return None

    def ensure(self, agent: Agent, *, create: bool) -> bool:
        """Find the agent's calendar again, or make it; true when it is there.

        `create=False` takes up an existing one of ours and makes none.
        """
        slot = self._usable(agent)
        return self._ensure(agent, self.access.open(slot), None, create=create)

    def _usable(self, agent: Agent) -> Slot:
        slot = self.slots.read(agent)
        if not slot.facts.usable(self.terms):
            raise NotConnected("The calendar is not connected, or the agent has to agree first.")
        return slot

    def ensure_for_page(self, agent: Agent, *, create: bool) -> Literal["ready", "later", "none"]:
        """Do what `ensure` does when the agent asks for it; `later` where Google has trouble, or may not be asked now.

        `none`: no calendar of ours was found, and none was to be made.
        """
        account = self._usable(agent).facts.account.ref
        try:
            with self.throttle.inline_read(agent.organization, account, _CALLS):
                if self.ensure(agent, create=create):
                    return "ready"
        except AccessRevoked:
            raise
        except (GoogleError, Busy):
            return "later"
        return "later" if create else "none"

    def try_now(self, agent: Agent, grant: Grant, account: AccountCalendars | None) -> bool:
        """Make or find the calendar right after a consent; false if Google has trouble, then the worker goes on.

        `account`: what `account` answered for this very consent.
        """
        try:
            return self._ensure(agent, grant, account, create=True)
        except ServiceError:
            return False

    def never_made(self, agent: Agent) -> bool:
        """Tell whether the worker still has to make the first calendar (and may do so unasked)."""
        facts = self.slots.read(agent).facts
        return facts.usable(self.terms) and not facts.calendar.since and not facts.calendar.lost_at

    def _ensure(self, agent: Agent, grant: Grant, account: AccountCalendars | None, *, create: bool) -> bool:
        # Google gives two calendars to two requests for one. Callback, settings page and worker may come at the same
        # time, so one of them takes the lease; a process that dies with it keeps the others away for its length.
        lease = self.leases.take(agent, "calendar", keys.LEASE)
        if lease is None:
            return False
        try:
            return self._under_lease(agent, grant, account, create=create)
        finally:
            self.leases.release(agent, lease)

    def _under_lease(
        self, agent: Agent, grant: Grant, account: AccountCalendars | None, *, create: bool
    ) -> bool:
        # 1. Look for our marker. Asked again unless it was asked for this very consent: an earlier creation may have
        #    lost its answer, and the calendar stands at Google without our knowing its id.
        account = account or self.access.with_token(
            agent, grant, lambda token: self.marked_calendars.find(token, agent)
        )
        # Read under the lease: what the holder before stored decides whether there is anything left to make.
        facts = self.slots.read(agent).facts
        if facts.connection_id != grant.connection_id or not facts.is_live:
            return False
        # 2. Join the account's set before the calendar's step makes the connection usable: an account that was
        #    unknown at the consent was not joined there. A crash here leaves the connection on the set, where it
        #    belongs, and nothing else.
        reference = self.shared_accounts.reference(account)
        self.shared_accounts.add(reference, grant.connection_id, new_token=not facts.account.ref)
        # 3. Take the one that is ours, or create it. A crash leaves a calendar with our marker whose id is not stored.
        #    Step 1 of the next try finds it: by the worker's timer after a consent, else when the agent asks again.
        calendar_id, adopted = self._existing(agent, grant, facts, account)
        if not calendar_id:
            if not create:
                return False
            calendar_id = self._create(agent, grant, facts)
        failpoint("connect.after_calendar_before_store")
        # 4. Store its id and account in one step, which also removes the worker's timer. The store refuses if the
        #    connection ended meanwhile; the new calendar then stays with the agent, empty, to be found by its marker.
        ready = self.connections.calendar_ready(
            agent, grant.connection_id, calendar_id, reference, adopted=adopted
        )
        if not ready:
            # Its teardown may have left the set before step 2 joined it: nobody else would take it off.
            self.shared_accounts.leave(reference, grant.connection_id)
        return ready

    def _existing(
        self, agent: Agent, grant: Grant, facts: Facts, account: AccountCalendars
    ) -> tuple[str, bool]:
        """Return the calendar that is ours already, and whether its marker alone shows that (SC-2); else empty."""
        stored = facts.calendar.id
        if stored and stored in account.ours:
            return stored, facts.calendar.adopted
        if stored:
            # The agent may have deleted the marker's line from the description: the stored id still counts.
            try:
                self.access.with_token(
                    agent, grant, lambda token: self.marked_calendars.require(token, stored)
                )
                return stored, facts.calendar.adopted
            except CalendarMissing:
                pass
        # Several by the marker: the smallest id, so that every process at every time picks the same one.
        by_marker = min(account.ours, default="")
        return by_marker, bool(by_marker)

    def _create(self, agent: Agent, grant: Grant, facts: Facts) -> str:
        failpoint("connect.before_create")
        return self.access.with_token(
            agent, grant, lambda token: self.marked_calendars.create(token, agent, facts)
        )


_DESCRIPTIONS = {
    "en": "Made and kept by {app}. Please leave this line, by which the calendar is found again: {marker}",
    "es": "Creado y mantenido por {app}. Por favor conserve esta línea, con la que se reencuentra el calendario: "
    "{marker}",
}
