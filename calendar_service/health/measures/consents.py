"""Measures of the consents (SC-5). They name no agent."""

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
        return self.reconsent.terms.policy

    @cached_property
    def refusals(self) -> tuple[str, ...]:
        """Why agents may not be asked for this yet; empty if they may."""
        return tuple(why for why, _ in self.reconsent.refusals())

    @cached_property
    def outdated(self) -> int:
        """How many live consents do not cover what is asked; reads every agent's slot."""
        return sum(1 for _ in self.reconsent.outdated_consents())
