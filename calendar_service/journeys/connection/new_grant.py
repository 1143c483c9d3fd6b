"""Keeping a new grant: from Google's tokens to a connection that stands (SC-1, laws 3, 5, 6).

Knows the store and Google. Must not know the web.
"""

import secrets
from dataclasses import dataclass

from calendar_service.domain.clock import MINUTE, SECOND, Clock, Millis
from calendar_service.domain.connection import Revocation
from calendar_service.domain.errors import ConsentRefused, OrganizationClosed, RecordUnreadable
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.reviewer_links import RETENTION
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import AccountCalendars
from calendar_service.google.oauth import Tokens
from calendar_service.journeys.connection.access import probe_due
from calendar_service.journeys.connection.dedicated_calendar import DedicatedCalendar
from calendar_service.journeys.connection.disconnect import Disconnect
from calendar_service.journeys.connection.shared_accounts import SharedAccounts
from calendar_service.journeys.views import ConsentOutcome
from calendar_service.store.audit_log import Actor
from calendar_service.store.connections import Connections
from calendar_service.store.file_rewrites import FileRewriteStore
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.slots import Slot, Slots
from calendar_service.store.tickets import Browser

_ATTEMPTS = 3
_SCOPE_MORE = {Revocation.CONFIRMED: "scope_more", Revocation.SHARED: "scope_more_shared"}
"""The reason that the agent is told, by how the permission was given back."""
_EARLY_PROBE: Millis = MINUTE
"""After a revocation that may still be under way at Google, the new grant is probed this soon."""


@dataclass(frozen=True)
class NewGrants:
    """Checks what Google granted, and keeps it without ending another connection of the account."""

    slots: Slots
    organization_index: OrganizationIndex
    connections: Connections
    grants: Grants
    shared_accounts: SharedAccounts
    dedicated_calendar: DedicatedCalendar
    disconnect: Disconnect
    files: FileRewriteStore
    clock: Clock

    def keep(self, browser: Browser, state_digest: str, policy: str, tokens: Tokens) -> ConsentOutcome:
        """Let the connection stand, and try its calendar once. Raises `ConsentRefused`; then nothing is stored.

        `state_digest`: of the consent's state, which has to be the agent's newest. `policy`: the version shown.
        Raises `OrganizationClosed` if the organization was off-boarded meanwhile; then the connection is ended again.
        """
        # Until step 4 the tokens are in this process alone. A crash loses them: Google keeps a permission that nobody
        # here can revoke, until the agent connects again or removes it.
        # 1. Ask whose account it is. A crash leaves only the consent that was begun; its state is taken already.
        agent = browser.whose
        account = self.dedicated_calendar.account(agent, tokens.access_token)
        reference = self.shared_accounts.reference(account)
        # 2. Compare the scope, before anything is stored: no crash leaves a wider permission in use.
        self._check_scopes(agent, tokens, reference)
        if tokens.refresh_token is None:
            self._give_back(agent, tokens, reference)
            raise ConsentRefused("no_refresh_token")
        for _ in range(_ATTEMPTS):
            slot = self.slots.read(agent)
            grant, reconsent = self._grant(slot, tokens, tokens.refresh_token, reference)
            # 3. Join the account's set: after step 4, a teardown of this account could be the last on it and revoke
            #    the new grant. A crash leaves a member that never stands: no teardown of the account revokes until the
            #    daily repair drops it, an hour later at the earliest.
            probe_at = self._join(reference, grant.connection_id)
            failpoint("connect.after_account_ref_before_store")
            # 4. One script stores grant, facts, timers of probe and calendar, and hands a former grant that is not
            #    renewed to a teardown. A crash before its answer arrives: the browser gets an error, and the
            #    connection stands without steps 5 and 6.
            answer = self.connections.connect(
                agent, state_digest, slot, grant.connection_id, grant.sealed, _facts(browser, policy),
                reconsent=reconsent, account_ref=reference, probe_due=probe_at,
            )  # fmt: skip
            if answer == "ok":
                failpoint("connect.after_store")
                if reconsent:
                    # The append-only files still hold the token that this one replaces, which is alive at Google.
                    self.files.request()
                return self._complete(agent, grant, account)
            if not reconsent:  # else the member is the standing connection, which goes on using the account
                self.shared_accounts.leave(reference, grant.connection_id)
            if answer == "superseded":
                break
            # `again`: the slot changed since it was read, as when Google ends the grant that was to be renewed.
        # A disconnect or a newer consent came while Google was asked. The newer one may be of this account: the
        # teardown revokes only if no connection uses the account.
        self._give_back(agent, tokens, reference)
        raise ConsentRefused("superseded")

    def _complete(self, agent: Agent, grant: Grant, account: AccountCalendars | None) -> ConsentOutcome:
        # 5. End it again if its organization was off-boarded meanwhile. A crash before leaves that to the off-boarding,
        #    if it reads its members after step 4, and to the worker's daily round in any case.
        self._end_if_closed(agent)
        # 6. Make the calendar. A crash leaves `calendar_missing`: the worker makes a first calendar a minute after step
        #    4; one that was lost waits for the agent.
        ready = self.dedicated_calendar.try_now(agent, grant, account)
        slot = self.slots.read(agent)
        return ConsentOutcome(
            calendar_ready=ready,
            calendar_found=ready and slot.facts.calendar.adopted,
            other_agents=self.shared_accounts.other_agents(slot),
            moved_account=slot.facts.account.moved,
        )

    def _end_if_closed(self, agent: Agent) -> None:
        """End the connection of an organization that was off-boarded while Google was asked (RV-3)."""
        try:
            self.organization_index.refuse_closed(agent.organization)
        except OrganizationClosed:
            # An off-boarding closes, then reads its members; here the member is written, then the closing read: one of
            # the two always sees the other.
            self.disconnect.end(agent, Actor.ADMINISTRATOR)
            raise

    # --- what was granted ---

    def _check_scopes(self, agent: Agent, tokens: Tokens, reference: str) -> None:
        """Refuse another scope than the one asked (SC-1). An answer that names none granted what was asked."""
        granted = tokens.scopes
        if granted is None or granted == {SCOPE}:
            return
        if SCOPE not in granted:
            # Not revoked: it opens no calendar, and a revocation would end every connection of the account.
            raise ConsentRefused("scope_less")
        # More than asked: to be revoked, unless that would end another live connection of the account.
        outcome = self._give_back(agent, tokens, reference)
        raise ConsentRefused(_SCOPE_MORE.get(outcome, "scope_more_pending"))

    def _give_back(self, agent: Agent, tokens: Tokens, reference: str) -> Revocation:
        """Give back a permission that is not kept, unless another connection uses the account."""
        # Google revokes a permission by either of its tokens.
        token = tokens.refresh_token or tokens.access_token
        expires = self.clock.now() + tokens.expires_in * SECOND
        grant = self.grants.first(agent, secrets.token_hex(16), token, tokens.access_token, expires)
        return self.disconnect.give_back(agent, grant, reference)

    def _grant(self, slot: Slot, tokens: Tokens, refresh: Secret, reference: str) -> tuple[Grant, bool]:
        """Return the grant to keep, and whether it renews the standing connection of the same account.

        A renewal keeps connection and data key, so that what waits stays readable.
        """
        expires = self.clock.now() + tokens.expires_in * SECOND
        facts = slot.facts
        if slot.grant and reference and facts.account.ref == reference:
            try:
                standing = self.grants.open(slot.agent, facts.connection_id, slot.grant)
                return self.grants.next(standing, refresh, tokens.access_token, expires), True
            except RecordUnreadable:
                pass  # it cannot be opened: then a connection of its own, and the old record is replaced
        # Random, so that the audit log and the webhooks name a connection without naming its agent.
        connection_id = secrets.token_hex(16)
        return self.grants.first(slot.agent, connection_id, refresh, tokens.access_token, expires), False

    # --- the account's set ---

    def _join(self, reference: str, connection_id: str) -> Millis:
        """Join the account's set, and return when to probe the new grant first."""
        is_early = self.shared_accounts.join(reference, connection_id)
        now = self.clock.now()
        return now + _EARLY_PROBE if is_early else probe_due(now)


def _facts(browser: Browser, policy: str) -> dict[str, str]:
    """Return what is stored of the consent itself."""
    facts = {
        "consent_scope": SCOPE,
        "consent_policy": policy,
        "locale": browser.locale,
        "calendar_time_zone": browser.time_zone,
    }
    if browser.reviewer:
        facts["end_agent_retention"] = str(RETENTION)
    return facts
