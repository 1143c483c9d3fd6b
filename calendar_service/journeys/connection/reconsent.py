"""Reconsent: agents have to consent again when the permission or the policy in force is newer than theirs (SC-5, UP-1).

A grant with an outdated consent is unusable. `Facts.state` enforces that at every reading; this module only records it
and notifies backends.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from calendar_service.domain.consent import ConsentTerms, is_newer
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Localized
from calendar_service.store.connections import Connections
from calendar_service.store.consents import Consents
from calendar_service.store.scan import Scan


@dataclass(frozen=True)
class Reconsent:
    """Finds outdated consents, and notifies their backends once for each version of the policy."""

    consents: Consents
    connections: Connections
    scan: Scan
    terms: ConsentTerms
    """What an agent who connects now agrees to."""
    changes: Localized
    """What the policy in force says is new in it."""

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Yield why no agent may be asked for this consent yet, each reason with its remedy."""
        former = self.consents.newest()
        if former is None:
            return
        newer = is_newer(self.terms.policy, former.policy)
        if former.scope != self.terms.scope and not newer:
            yield (
                f"another permission is asked than before, and the policy is not newer than version {former.policy}, "
                "under which agents consented",
                "publish a policy that says so, and raise policy.version",
            )
        if newer and not any(self.changes.values()):
            yield (
                f"policy.version is {self.terms.policy}, after {former.policy}, and nothing says what changed",
                "tell agents in policy.changes what they are asked to agree to",
            )

    def outdated_consents(
        self, is_stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[Agent, str, str]]:
        """Yield the connections whose consent is outdated: agent, connection, version of the policy agreed to."""
        for agent, facts in takewhile(lambda _: not is_stopped(), self.scan.states()):
            if facts.is_live and facts.consent.is_outdated(self.terms):
                yield agent, facts.connection_id, facts.consent.policy

    def tell(self, is_stopped: Callable[[], bool] = lambda: False) -> int:
        """Record each outdated consent and notify its backend, once for each version; return how many were new.

        Interrupted, or ended early because `is_stopped` tells so, it goes on when it is called again: a connection
        that was recorded is not notified twice.
        """
        newest = self.consents.newest()
        # An older version of the service may run beside a newer one: it must not take the newer one's consents back.
        older = newest is not None and is_newer(newest.policy, self.terms.policy)
        if newest == self.terms or older or any(self.refusals()):
            return 0
        outdated = self.outdated_consents(is_stopped)
        notified = sum(self.connections.consent_outdated_by_policy(*one) for one in outdated)
        if not is_stopped():
            self.consents.note(self.terms)
        return notified
