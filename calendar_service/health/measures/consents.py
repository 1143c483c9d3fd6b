"""What agents are asked for, against what they agreed to (SC-5). Must not name an agent."""

from dataclasses import dataclass
from functools import cached_property

from calendar_service.journeys.connection.reconsent import Reconsent


@dataclass(frozen=True)
class ConsentMeasures:
    """The consents under the policy in force."""

    reconsent: Reconsent

    @property
    def policy_version(self) -> str:
        """The version that an agent who connects now agrees to."""
        return self.reconsent.in_force.policy

    @cached_property
    def refusals(self) -> tuple[str, ...]:
        """Why nobody may be asked for this yet; empty where everybody may."""
        return tuple(why for why, _ in self.reconsent.refusals())

    @cached_property
    def outdated(self) -> int:
        """How many living consents no longer cover what is asked; reads every agent's slot."""
        return sum(1 for _ in self.reconsent.outdated_consents())
