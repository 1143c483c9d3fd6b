"""When more is asked than agents agreed to: first the policy, then each consent again (SC-5, UP-1).

Until then a grant is not used; that is decided at every reading, and never depends on what is told here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from calendar_service.domain.consent import ConsentTerms, is_newer
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Localized
from calendar_service.store.connections import Connections
from calendar_service.store.consents import Consents
from calendar_service.store.scan import Scan
from calendar_service.store.slots import Slots


@dataclass(frozen=True)
class Reconsent:
    """The story of a permission or a policy that outgrew the consents."""

    consents: Consents
    slots: Slots
    connections: Connections
    scan: Scan
    terms: ConsentTerms
    """What an agent who connects now agrees to."""
    changes: Localized
    """What the policy in force says is new in it."""

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Yield why nobody may be asked for this yet, each with its remedy."""
        known = self.consents.known()
        if known is None:
            return
        newer = is_newer(self.terms.policy, known.policy)
        if known.scope != self.terms.scope and not newer:
            yield (
                f"another permission is asked than before, and the policy is not newer than version {known.policy}, "
                "under which agents consented",
                "publish a policy that says so, and raise policy.version",
            )
        if newer and not any(self.changes.values()):
            yield (
                f"policy.version is {self.terms.policy}, after {known.policy}, and nothing says what changed",
                "tell agents in policy.changes what they are asked to agree to",
            )

    def outdated_consents(self) -> Iterator[tuple[Agent, str, str]]:
        """Yield whose consent no longer covers what is asked: agent, connection, version of the policy agreed to."""
        for agent in self.scan.agents():
            facts = self.slots.read(agent).facts
            if facts.is_live and facts.consent.is_outdated(self.terms):
                yield agent, facts.connection_id, facts.consent.policy

    def tell(self) -> int:
        """Note for each of them that the agent has to be asked, and tell the backend; return how many it was news to.

        Asked again, it goes on where it was interrupted; it is done once for each version.
        """
        known = self.consents.known()
        older = known is not None and is_newer(known.policy, self.terms.policy)
        if known == self.terms or older or any(self.refusals()):
            return 0
        told = sum(self.connections.consent_outdated_by_policy(*one) for one in self.outdated_consents())
        self.consents.note(self.terms)
        return told
