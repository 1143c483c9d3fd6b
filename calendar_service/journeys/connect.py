"""Connect: from the button to a connection with its one calendar (SC-1, SC-2, laws 1, 3, 6).

Knows the store and Google. Must not know the web.
"""

import secrets
import time
from dataclasses import dataclass

from calendar_service.domain.clock import MINUTE, SECOND, Clock, Millis
from calendar_service.domain.connection import Facts
from calendar_service.domain.connection import Grant as GrantFact
from calendar_service.domain.consent import is_newer
from calendar_service.domain.errors import (
    ConsentRefused,
    GoogleError,
    NotConnected,
    OrganizationClosed,
    ServiceError,
    StoreUnavailable,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Operator
from calendar_service.domain.reviewer import TERM
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import Account, Calendar, CalendarMissing
from calendar_service.google.oauth import CodeRefused, OAuth, Tokens, check_callback_issuer
from calendar_service.identity import IdentityKey
from calendar_service.journeys.access import Access
from calendar_service.journeys.disconnect import REVOKE_DEADLINE, Disconnect
from calendar_service.journeys.views import Outcome
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.journal import Actor
from calendar_service.store.leases import Leases
from calendar_service.store.marks import Marks
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.slots import Slot, Slots
from calendar_service.store.tickets import Browser, Pending, Tickets, digest, new_secret

_AGAIN = 3
_EARLY_PROBE: Millis = MINUTE
"""After a revocation that may still be under way at Google, the new grant is probed this soon."""


@dataclass(frozen=True)
class Connect:
    """The story of a consent, and of the calendar that follows it."""

    tickets: Tickets
    slots: Slots
    connections: Connections
    leases: Leases
    organization_index: OrganizationIndex
    grants: Grants
    marks: Marks
    access: Access
    disconnect: Disconnect
    oauth: OAuth
    calendar: Calendar
    identity: IdentityKey
    operator: Operator
    clock: Clock

    # --- to Google and back ---

    def begin(self, browser: Browser, cookie: str, shown: str) -> str:
        """Return Google's consent address for this browser; the state lives ten minutes and once.

        `shown`: the version of the policy that the agent was shown. Raises `ConsentRefused` if another is in force.
        """
        agent = browser.whose
        self.organization_index.refuse_closed(agent.organization)
        if shown != self.operator.policy.version:
            raise ConsentRefused("policy_changed")
        state, verifier = new_secret(), self.oauth.new_verifier()
        sealed = self.grants.seal_alone(agent, "pkce verifier", verifier)
        expires = self.clock.now() + keys.OAUTH_STATE
        pending = Pending(agent.organization, agent.agent, digest(cookie), sealed, shown, expires)
        self.tickets.keep_pending(state, pending)
        self.connections.begin(agent, digest(state))
        return self.oauth.consent_url(state=state, verifier=verifier)

    def finish(
        self, browser: Browser | None, cookie: str, *, state: str, code: str, error: str, issuers: list[str]
    ) -> Outcome:
        """Take Google's answer: exchange, check, keep, make the calendar.

        Raises `ConsentRefused`; then nothing is stored. Everything that can be refused
        without Google is refused before the code is spent. Raises `OrganizationClosed`
        also for what was closed meanwhile; then the connection is ended again.
        """
        pending = self.tickets.take_pending(state)  # consumed first: a replay finds nothing
        if pending is None:
            raise ConsentRefused("expired")
        if browser is None or pending.browser != digest(cookie):
            raise ConsentRefused("other_browser")
        agent = browser.whose
        if agent != Agent(pending.organization, pending.agent):
            raise ConsentRefused("other_browser")
        check_callback_issuer(issuers)
        if error or not code:
            raise ConsentRefused(_ERRORS.get(error, "google_error"))
        self.organization_index.refuse_closed(agent.organization)
        # A version that came into force while Google's screen was open was never shown (SC-5).
        if is_newer(self.operator.policy.version, pending.policy):
            raise ConsentRefused("policy_changed")
        if self.slots.read(agent).facts.connecting != digest(state):
            raise ConsentRefused("superseded")
        verifier = self.grants.open_alone(agent, "pkce verifier", pending.verifier)
        tokens = self._exchange(code, verifier)
        failpoint("connect.after_exchange")
        return self._keep(browser, digest(state), pending.policy, tokens)

    def _exchange(self, code: str, verifier: Secret) -> Tokens:
        try:
            return self.oauth.exchange(code=Secret(code), verifier=verifier)
        except CodeRefused:
            raise ConsentRefused("code_refused") from None
        except GoogleError:
            raise ConsentRefused("google_trouble") from None

    def _keep(self, browser: Browser, state_digest: str, policy: str, tokens: Tokens) -> Outcome:
        agent = browser.whose
        account = self._account(agent, tokens.access_token)
        mark = self.identity.account_mark(account.primary_id) if account else ""
        self._check_scopes(agent, tokens, mark)
        if tokens.refresh_token is None:
            raise ConsentRefused("no_refresh_token")
        for _ in range(_AGAIN):
            slot = self.slots.read(agent)
            grant, renewal = self._grant(slot, tokens, tokens.refresh_token, mark)
            probe_due = self._join(mark, grant.connection_id)
            facts = {
                "consent_scope": SCOPE,
                "consent_policy": policy,
                "locale": browser.locale,
                "time_zone": browser.time_zone,
            }
            if browser.reviewer:
                facts["own_term"] = str(TERM)
            failpoint("connect.after_mark_before_store")
            answer = self.connections.connect(
                agent, state_digest, slot, grant.connection_id, grant.sealed, facts,
                renewal=renewal, mark=mark, probe_due=probe_due,
            )  # fmt: skip
            if answer == "ok":
                failpoint("connect.after_store")
                self._end_if_closed(agent)
                ready = self._calendar_now(agent, grant, account)
                standing = self.slots.read(agent)
                return Outcome(ready, self._shared(standing), standing.facts.moved_account)
            alone = (
                bool(mark) and not renewal and self.marks.leave(mark, grant.connection_id, REVOKE_DEADLINE)
            )
            if answer == "superseded":
                self._drop(mark, tokens, alone=alone)
                break
            if alone:
                self.marks.revoked(mark)  # nothing was sent: this connection is tried again at once
        raise ConsentRefused("superseded")

    def _end_if_closed(self, agent: Agent) -> None:
        """End the connection of an organization that was off-boarded while Google was asked (RV-3).

        An off-boarding closes first and then reads its members; here the member was
        written first: one of the two always sees the other.
        """
        try:
            self.organization_index.refuse_closed(agent.organization)
        except OrganizationClosed:
            self.disconnect.end(agent, Actor.ADMINISTRATOR)
            raise

    def _shared(self, slot: Slot) -> bool:
        return self.marks.shared(slot.facts.account_mark, slot.connection_ids)

    def _drop(self, mark: str, tokens: Tokens, *, alone: bool) -> None:
        """Give back a permission that came too late, unless another connection uses the account."""
        if not alone:
            return
        try:
            self.oauth.revoke(tokens.refresh_token or tokens.access_token)
        except GoogleError:
            pass  # its token is forgotten all the same, and the page says where to remove the permission
        finally:
            self.marks.revoked(mark)

    def _account(self, agent: Agent, token: Secret) -> Account | None:
        """Ask whose account it is and which calendars there are ours; None if Google has trouble just now."""
        marker = self.identity.calendar_marker(agent.organization, agent.agent)
        try:
            return self.calendar.find_ours(token, marker)
        except GoogleError:
            return None

    def _check_scopes(self, agent: Agent, tokens: Tokens, mark: str) -> None:
        """Refuse another scope than the one asked (SC-1). An answer that names none granted what was asked."""
        granted = tokens.scopes
        if granted is None or granted == {SCOPE}:
            return
        if SCOPE not in granted:
            raise ConsentRefused("scope_less")
        # More than asked: to be revoked, unless that would end another live connection of the account.
        probe = f"refused {secrets.token_hex(8)}"
        if not mark or self._others(agent, mark, probe):
            raise ConsentRefused("scope_more_shared")
        try:
            self.oauth.revoke(tokens.refresh_token or tokens.access_token)
        except GoogleError:
            raise ConsentRefused("scope_more_shared") from None
        raise ConsentRefused("scope_more")

    def _others(self, agent: Agent, mark: str, probe: str) -> bool:
        others = self.marks.join(mark, probe).others
        self.marks.leave(mark, probe)
        own = self.slots.read(agent).facts
        return others > 0 or (own.grant is GrantFact.LIVE and own.account_mark in {mark, ""})

    def _join(self, mark: str, connection_id: str) -> Millis:
        """Join the account's mark before the connection becomes usable, and return when to probe first.

        Only a revocation already sent is waited for, its deadline at most (law 6).
        """
        if not mark:
            return self.clock.now() + _EARLY_PROBE
        if not self._revoking(mark, connection_id):
            return self.access.probe_due()
        deadline = time.monotonic() + REVOKE_DEADLINE / SECOND
        while time.monotonic() < deadline and self._revoking(mark, connection_id):
            time.sleep(0.1)
        return self.clock.now() + _EARLY_PROBE

    def _revoking(self, mark: str, connection_id: str) -> bool:
        return self.marks.join(mark, connection_id).revoking_until > self.clock.now()

    def _grant(self, slot: Slot, tokens: Tokens, refresh: Secret, mark: str) -> tuple[Grant, bool]:
        """Return the grant to keep, and whether it renews the standing connection of the same account.

        A renewal keeps connection and data key, so that what waits stays readable.
        """
        expires = self.clock.now() + tokens.expires_in * SECOND
        facts = slot.facts
        if slot.grant and mark and facts.account_mark == mark:
            try:
                standing = self.grants.open(slot.agent, facts.connection_id, slot.grant)
                return self.grants.next(standing, refresh, tokens.access_token, expires), True
            except StoreUnavailable:
                pass  # it cannot be opened: then a connection of its own, and the old record is replaced
        connection_id = secrets.token_hex(16)
        return self.grants.first(slot.agent, connection_id, refresh, tokens.access_token, expires), False

    # --- the calendar ---

    def _calendar_now(self, agent: Agent, grant: Grant, account: Account | None) -> bool:
        """Make or find the calendar at once if Google lets us; else the worker goes on (`calendar_missing`)."""
        try:
            return self._calendar(agent, grant, account, create=True)
        except ServiceError:
            return False

    def make_calendar(self, agent: Agent, *, create: bool) -> bool:
        """Find the agent's calendar again, or make it; true when it is there.

        `create=False` takes up an existing one of ours and makes none.
        """
        slot = self.slots.read(agent)
        if not slot.facts.usable(SCOPE):
            raise NotConnected("The calendar is not connected, or the agent has to agree first.")
        grant = self.grants.open(agent, slot.facts.connection_id, slot.grant)
        return self._calendar(agent, grant, None, create=create)

    def calendar_never_made(self, agent: Agent) -> bool:
        """Tell whether the worker still has to make the first calendar (and may do so unasked)."""
        facts = self.slots.read(agent).facts
        return facts.usable(SCOPE) and not facts.calendar_since and not facts.calendar_lost_at

    def _calendar(self, agent: Agent, grant: Grant, account: Account | None, *, create: bool) -> bool:
        fence = self.leases.take(agent, "calendar", keys.LEASE)
        if fence is None:
            return False  # somebody else is making it
        try:
            return self._under_lease(agent, grant, account, create=create)
        finally:
            self.leases.release(agent, "calendar", fence)

    def _under_lease(self, agent: Agent, grant: Grant, account: Account | None, *, create: bool) -> bool:
        marker = self.identity.calendar_marker(agent.organization, agent.agent)
        # Asked again unless it was asked for this very consent: an earlier creation may have lost its answer.
        account = account or self.access.with_token(
            agent, grant, lambda token: self.calendar.find_ours(token, marker)
        )
        slot = self.slots.read(agent)
        facts = slot.facts
        if facts.connection_id != grant.connection_id or facts.grant is not GrantFact.LIVE:
            return False
        mark = self.identity.account_mark(account.primary_id)
        self.marks.join(mark, grant.connection_id)
        calendar_id, adopted = self._known(agent, grant, facts, account)
        if not calendar_id:
            if not create:
                return False
            calendar_id = self._create(agent, grant, facts, marker)
        failpoint("connect.after_calendar_before_store")
        found = (calendar_id, mark)
        ready = self.connections.calendar_ready(agent, grant.connection_id, *found, adopted=adopted)
        if not ready:
            # It ended meanwhile, and its errand may have left the mark before it was joined here.
            self.marks.leave(mark, grant.connection_id)
        return ready

    def _known(self, agent: Agent, grant: Grant, facts: Facts, account: Account) -> tuple[str, bool]:
        """Return the calendar that is ours already (SC-2): by its id, else by its marker."""
        stored = facts.calendar_id
        if stored and stored in account.ours:
            return stored, facts.adopted
        if stored:
            try:
                self.access.with_token(agent, grant, lambda token: self.calendar.get_calendar(token, stored))
                return stored, facts.adopted
            except CalendarMissing:
                pass
        # Several by the marker: always the same one, whoever looks.
        found = min(account.ours, default="")
        return found, bool(found)

    def _create(self, agent: Agent, grant: Grant, facts: Facts, marker: str) -> str:
        language = self.operator.language(facts.locale)
        name = self.operator.calendar_name[language]
        description = _DESCRIPTIONS[language].format(app=self.operator.identity.app_name, marker=marker)
        failpoint("connect.before_create")
        return self.access.with_token(
            agent,
            grant,
            lambda token: self.calendar.create(
                token, summary=name, description=description, time_zone=facts.time_zone or "UTC"
            ),
        )


_DESCRIPTIONS = {
    "en": "Made and kept by {app}. Please leave this line, by which the calendar is found again: {marker}",
    "es": "Creado y mantenido por {app}. Por favor conserve esta línea, con la que se reencuentra el calendario: "
    "{marker}",
}
_ERRORS = {"access_denied": "cancelled", "admin_policy_enforced": "blocked", "org_internal": "blocked"}
