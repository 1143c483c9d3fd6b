"""Puts the counts of waiting content right: the database's own expiry of a slot, or a restore, can leave them wrong."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final

from calendar_service.domain.names import Agent
from calendar_service.store.scan import Scan
from calendar_service.store.waiting_load import WaitingContent, WaitingCounts

_CHUNK: Final = 500
"""Agents that are read at a time."""


@dataclass(frozen=True)
class WaitingRepair:
    """Compares what is counted with what waits."""

    scan: Scan
    counts: WaitingCounts

    def repair(self, is_stopped: Callable[[], bool] = lambda: False) -> int:
        """Put every agent's count right, then the sums of each organization; return how many were wrong.

        Ends early, with no sum corrected, once `is_stopped` tells so: the next repair does the rest.
        """
        wrong = sum(
            self.counts.recount(agent)
            for agent, waiting in takewhile(lambda _: not is_stopped(), self._really(self.scan.agents()))
            if waiting != WaitingContent()
        )
        # The sums are read before the agents are: whatever changes meanwhile moves a sum, which is then left alone.
        loaded = self.counts.of_shards()
        counted: list[defaultdict[str, WaitingContent]] = [defaultdict(WaitingContent) for _ in loaded]
        for agent, waiting in self._really(self.scan.agents()):
            if is_stopped():
                return wrong
            of_shard = counted[self.counts.shard_of(agent)]
            of_shard[agent.organization] = of_shard[agent.organization].plus(waiting)
        return wrong + sum(
            self.counts.correct(
                shard, organization, before.get(organization, WaitingContent()), now[organization]
            )
            for shard, (before, now) in enumerate(zip(loaded, counted, strict=True))
            for organization in {*before, *now}
            if before.get(organization, WaitingContent()) != now[organization]
        )

    def _really(self, agents: Iterable[Agent]) -> Iterator[tuple[Agent, WaitingContent]]:
        rest = iter(agents)
        while chunk := list(islice(rest, _CHUNK)):
            yield from zip(chunk, self.counts.really(chunk), strict=True)
