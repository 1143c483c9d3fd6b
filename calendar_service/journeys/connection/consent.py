"""The consent: to Google's consent page and back, up to the exchange of the code (SC-1, SC-5, laws 1, 5).

Knows the store and Google. Must not know the web.
"""

from dataclasses import dataclass

from calendar_service.domain.clock import Clock
from calendar_service.domain.consent import is_newer
from calendar_service.domain.errors import ClientRejected, ConsentRefused, GoogleError
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Operator
from calendar_service.domain.secret import Secret
from calendar_service.google.oauth import CodeRefused, OAuth, Tokens, check_callback_issuer
from calendar_service.journeys.connection.new_grant import NewGrants
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.views import ConsentOutcome
from calendar_service.store import keys
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grants
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.slots import Slots
from calendar_service.store.tickets import Browser, Pending, Tickets, digest, new_secret

_VERIFIER = "pkce verifier"
_ERRORS = {"access_denied": "cancelled", "admin_policy_enforced": "blocked", "org_internal": "blocked"}


@dataclass(frozen=True)
class PendingConsents:
    """Consents that were begun and that Google has not answered: each ten minutes, once, for one browser."""

    tickets: Tickets
    slots: Slots
    connections: Connections
    grants: Grants
    clock: Clock

    def keep(self, browser: Browser, cookie: str, policy: str, verifier: Secret) -> str:
        """Keep a consent that begins now; return its state, 256 random bits."""
        state, agent = new_secret(), browser.whose
        # Without the PKCE verifier a code that was stolen on its way through the browser buys nothing. It is sealed,
        # so a copy of the database does not hold it either.
        sealed = self.grants.seal_alone(agent, _VERIFIER, verifier)
        expires = self.clock.now() + keys.OAUTH_STATE
        pending = Pending(agent.organization, agent.agent, digest(cookie), sealed, policy, expires)
        self.tickets.keep_pending(state, pending)
        # After it is kept: a crash in between leaves a state that nobody was given, and the former attempt stays the
        # newest. The other way round it would be superseded by one that cannot complete.
        self.connections.begin(agent, digest(state))
        return state

    def take(self, unverified_state: str) -> Pending:
        """Take the consent of this state, once; raise `ConsentRefused` if it is used, expired or unknown."""
        # Taken by one atomic command, before anything is compared: of two callbacks with one state, a replay of the
        # first among them, the second gets nothing whatever becomes of the first.
        pending = self.tickets.take_pending(unverified_state)
        if pending is None:
            raise ConsentRefused("expired")
        return pending

    def is_newest(self, agent: Agent, state_digest: str) -> bool:
        """Tell whether this is the consent that the agent began last, and no disconnect came since."""
        return self.slots.read(agent).facts.consent.pending_state == state_digest

    def verifier(self, pending: Pending) -> Secret:
        """Open the consent's PKCE verifier; raise `RecordUnreadable` if no key at hand opens it."""
        return self.grants.open_alone(_agent(pending), _VERIFIER, pending.verifier)


@dataclass(frozen=True)
class ConsentJourney:
    """Leads an agent's browser to Google's consent page, and takes Google's answer."""

    pending: PendingConsents
    organization_index: OrganizationIndex
    oauth: OAuth
    throttle: Throttle
    operator: Operator
    new_grants: NewGrants

    def begin(self, browser: Browser, cookie: str, shown: str) -> str:
        """Return Google's consent address for this browser; the state lives ten minutes and once.

        `shown`: the version of the policy that the agent was shown. Raises `ConsentRefused` if another is in force.
        """
        agent = browser.whose
        self.organization_index.refuse_closed(agent.organization)
        # A page that was open while a new version came into force showed the older one (SC-5).
        if shown != self.operator.policy.version:
            raise ConsentRefused("policy_changed")
        self._require_google_client()
        verifier = self.oauth.new_verifier()
        state = self.pending.keep(browser, cookie, shown, verifier)
        return self.oauth.consent_url(state=state, verifier=verifier)

    def finish(
        self, browser: Browser | None, cookie: str, *, state: str, code: str, error: str, issuers: list[str]
    ) -> ConsentOutcome:
        """Take Google's answer: check the callback, exchange the code, keep the grant, make the calendar.

        Raises `ConsentRefused`; then nothing is stored. Raises `OrganizationClosed` also for an organization that was
        off-boarded meanwhile; then the connection is ended again. Raises `Busy` if too many requests wait for Google;
        then the consent is as before, and may be answered again.
        """
        # Before the state is taken: whoever finds no place has used up nothing.
        with self.throttle.consent_slot(wanted=bool(browser and code)):
            return self._finish(browser, cookie, state=state, code=code, error=error, issuers=issuers)

    def _finish(
        self, browser: Browser | None, cookie: str, *, state: str, code: str, error: str, issuers: list[str]
    ) -> ConsentOutcome:
        # Google gives tokens for a code once. Everything that can be refused without them is refused before the
        # exchange: a refusal then leaves no permission at Google that nobody here could revoke.
        pending = self.pending.take(state)
        # An attacker who lets a victim's browser open the attacker's callback would connect the victim's agent to the
        # attacker's account (login CSRF): the state belongs to the browser and the agent that began it.
        if browser is None or pending.browser != digest(cookie) or browser.whose != _agent(pending):
            raise ConsentRefused("other_browser")
        # A code of another authorization server, passed off as Google's, would be handed to Google's (mix-up).
        check_callback_issuer(issuers)
        if error or not code:
            raise ConsentRefused(_ERRORS.get(error, "google_error"))
        self._refuse_outdated(browser.whose, digest(state), pending)
        self._require_google_client()
        tokens = self._exchange(code, self.pending.verifier(pending))
        failpoint("connect.after_exchange")
        return self.new_grants.keep(browser, digest(state), pending.policy, tokens)

    def _refuse_outdated(self, agent: Agent, state_digest: str, pending: Pending) -> None:
        """Refuse a consent that was overtaken while Google's page was open."""
        self.organization_index.refuse_closed(agent.organization)
        # A version that came into force meanwhile was never shown (SC-5).
        if is_newer(self.operator.policy.version, pending.policy):
            raise ConsentRefused("policy_changed")
        # A newer attempt or a disconnect came. The store compares again when the connection is to stand, for those
        # that come during the exchange.
        if not self.pending.is_newest(agent, state_digest):
            raise ConsentRefused("superseded")

    def _require_google_client(self) -> None:
        # A grant of another client could not be refreshed by the processes that are configured rightly. The same
        # reading refuses a database that was replaced by another service's.
        try:
            self.throttle.client_check.require()
        except ClientRejected:
            raise ConsentRefused("operator") from None

    def _exchange(self, code: str, verifier: Secret) -> Tokens:
        try:
            return self.oauth.exchange(code=Secret(code), verifier=verifier)
        except CodeRefused:
            # Google's `invalid_grant` for a code: anybody can send one, and it proves nothing of a grant (law 5).
            raise ConsentRefused("code_refused") from None
        except GoogleError:
            # The code may be spent: it is not sent again, and the agent begins anew.
            raise ConsentRefused("google_trouble") from None


def _agent(pending: Pending) -> Agent:
    return Agent(pending.organization, pending.agent)
