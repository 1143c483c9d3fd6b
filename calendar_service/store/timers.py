"""Which agents are due now. A timer is only a wake-up: the slot's own record is the truth (law 2)."""

from collections.abc import Iterator
from itertools import islice
from typing import Final, cast

from calendar_service.domain.audit import OVERDUE_AFTER
from calendar_service.domain.clock import Millis
from calendar_service.domain.names import Agent
from calendar_service.domain.timers import TimerKind
from calendar_service.store import answers, keys
from calendar_service.store.audit_log import MAINTENANCE
from calendar_service.store.database import Command, Database

_WALK_STEP: Final = 500
"""How many agents a walk over all of them reads in one round trip."""


class Timers:
    """The timer sets of all shards, and the timers of each agent's slot."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sets = [keys.timers(shard) for shard in keys.all_shards()]
        """The timer set of each shard: a worker reads all of them in every round."""

    # --- of all ---

    def due(self, limit: int) -> Iterator[Agent]:
        """Yield up to `limit` due agents of each shard, each leased for 30 seconds so that no other worker gets it."""
        now = self._now()
        counts = self._database.read([("ZCOUNT", timers, "-inf", now) for timers in self._sets])
        for timers, count in zip(self._sets, counts, strict=True):
            if count:
                claimed = self._database.script("claim_due", {"due": timers}, limit=limit, lease=keys.LEASE)
                yield from (Agent.of_member(member) for member in claimed)

    def backlog(self) -> tuple[int, Millis, int]:
        """Return how many agents are due, for how long the first has been, and of how many an erasure is overdue.

        All by the database's time, in one round trip.
        """
        now = self._now()
        commands: list[Command] = []
        for shard, timers in enumerate(self._sets):
            commands.append(("ZCOUNT", timers, "-inf", now))
            commands.append(("ZRANGE", timers, 0, 0, "WITHSCORES"))
            commands.append(("ZCOUNT", keys.erasure_deadlines(shard), "-inf", f"({now - OVERDUE_AFTER}"))
        rows = self._database.read(commands)
        first = min((int(at) for entries in rows[1::3] for _, at in entries), default=now)
        return sum(rows[::3]), max(0, now - first), sum(rows[2::3])

    def far(self) -> Iterator[Agent]:
        """Yield every agent that has a timer more than two days ahead. Walks all agents, a few hundred at a time."""
        horizon = self._now() + keys.PUT_OFF_MAX
        entries = self._entries()
        while step := list(islice(entries, _WALK_STEP)):
            counts = self._database.read(
                ("ZCOUNT", keys.slot_part(shard, member, "due"), f"({horizon}", "+inf")
                for shard, member, _ in step
            )
            for (_, member, at), count in zip(step, counts, strict=True):
                if count or at > horizon:
                    yield Agent.of_member(member)

    def _entries(self) -> Iterator[tuple[int, str, Millis]]:
        """Yield each agent of the timer sets with its shard and the time at which it is due; one may come twice."""
        sizes = self._database.read(("ZCARD", timers) for timers in self._sets)
        for shard, timers in enumerate(self._sets):
            cursor, has_more = 0, sizes[shard] > 0
            while has_more:
                ((cursor, members),) = self._database.read([("ZSCAN", timers, cursor, "COUNT", _WALK_STEP)])
                yield from ((shard, member, int(at)) for member, at in members)
                has_more = cursor != 0

    # --- of one agent ---

    def start_item(self, agent: Agent, timer: str) -> Millis | None:
        """Record that a due item of a live connection starts, and move its timer to the end of a lease.

        Returns that instant (database time), or None if the connection ended: then the timer is removed.
        """
        answer = self._database.step("start_item", agent, MAINTENANCE, timer=timer)
        return int(answer[1]) if cast(answers.StartItem, answer[0]) == "ok" else None

    def reschedule(
        self, agent: Agent, timer: str, after: Millis | None, expected: Millis | None = None
    ) -> None:
        """Make one timer of the slot due `after` ms from now by the database's clock; None removes it.

        `expected`: the instant at which it was due when the work began; if it is due at another one by now, nothing
        changes. With an empty `timer` only the agent's entry among the shard's timers is updated.
        """
        self._database.step(
            "reschedule",
            agent,
            MAINTENANCE,
            timer=timer,
            after="" if after is None else after,
            expected="" if expected is None else expected,
        )

    def reset_far(self, agent: Agent) -> int:
        """Make the agent's timers due now that a wrong clock set more than two days ahead; return how many."""
        fixed = [kind.value for kind in TimerKind if not kind.may_reset]
        return int(self._database.step("reset_far_timers", agent, MAINTENANCE, fixed=fixed)[1])

    def _now(self) -> int:
        return self._database.time_at(self._sets[0])
