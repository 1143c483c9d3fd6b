"""Scans of the whole store: every agent, account and sealed record. Too slow for a request: reads every key's name."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import msgspec

from calendar_service.domain.audit import OVERDUE_AFTER, UNVERIFIED_AFTER, ChainEnds
from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts, GrantState
from calendar_service.domain.names import Agent
from calendar_service.store import answers, keys
from calendar_service.store.account_refs import AccountRef
from calendar_service.store.audit_log import MAINTENANCE
from calendar_service.store.database import Command, Database
from calendar_service.store.slots import facts_of

_STEP = 1_000
_SESSIONS_STEP = 50
"""Of so many agents the sessions are read in one round trip: each may have thousands."""
_DATES = ("end_erase_due", "hold_until", "hold_silent_until", "grant_state", "grant_last_refresh_ok_at")
"""The facts that are read of every agent."""


@dataclass(frozen=True, slots=True)
class Use:
    """One connection that uses a Google account, or whose teardown still does."""

    agent: Agent
    connection_id: str
    account_ref: str
    """Empty while the account is unknown."""
    live: bool
    """False: the connection ended, and its teardown has not."""


class SessionStatus(msgspec.Struct, frozen=True):
    """How one session stands: of its record, what can be counted without saying whose it is."""

    status: str
    reason: str = ""
    pending_since: Millis = 0
    waiting_since: Millis = 0

    @property
    def since(self) -> Millis:
        """Since when it has been pending, or has waited (database time); 0 for every other status."""
        return self.pending_since or self.waiting_since


class Scan:
    """Scans all keys. It finds agents that no index names any more: a teardown outlives the connection's erasure."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def agents(self) -> Iterator[Agent]:
        """Yield every agent that has facts or a teardown, once, in the order of their names."""
        agents = {
            _agent_of(name) for part in ("facts", "teardowns") for name in self._names(keys.any_part(part))
        }
        yield from sorted(agents, key=lambda agent: (agent.organization, agent.agent))

    def facts(self) -> Iterator[tuple[Agent, Facts]]:
        """Yield every agent with the facts of its connection, many agents in one round trip."""
        agents = list(self.agents())
        rows = self._in_steps(("HGETALL", self._database.slot_keys(agent).part("facts")) for agent in agents)
        yield from zip(agents, map(facts_of, rows), strict=True)

    def session_statuses(self) -> Iterator[SessionStatus]:
        """Yield how every session of every agent stands, in no order."""
        names = self._names(keys.any_part("sessions"))
        for texts in self._in_steps((("HVALS", name) for name in names), _SESSIONS_STEP):
            yield from (msgspec.json.decode(text, type=SessionStatus) for text in texts)

    def misplaced_agents(self) -> int:
        """Count the agents' keys that lie in another shard than the one that our identity key gives."""
        names = [name for part in ("facts", "teardowns") for name in self._names(keys.any_part(part))]
        return sum(
            not name.startswith(keys.slot(self._database.slot_keys(_agent_of(name)).shard, ""))
            for name in names
        )

    def ends(self, now: Millis) -> ChainEnds:
        """Count ended connections, those under a legal hold, overdue erasures, and grants not proved alive lately.

        A connection under a hold that is not to be told yet is counted as one that is not over: if it were counted as
        due, or as held, the published numbers would tell of the hold. `now`: the database's time.
        """
        names, teardowns = self._names(keys.any_part("facts")), self._names(keys.any_part("teardowns"))
        due_count = on_hold = late = unverified = 0
        for *dates, grant, proof in self._in_steps(("HMGET", name, *_DATES) for name in names):
            due, until, silent = (int(date or 0) for date in dates)
            if due and not min(until, silent) > now:
                due_count += 1
                on_hold += until > now
                late += max(due, until) + OVERDUE_AFTER < now
            unverified += grant == GrantState.LIVE and int(proof) + UNVERIFIED_AFTER < now
        for texts in self._in_steps(("HVALS", name) for name in teardowns):
            started = [int(json.loads(text)["started"]) for text in texts]
            late += sum(at + keys.TEARDOWN_MAX + OVERDUE_AFTER < now for at in started)
        return ChainEnds(due_count, on_hold, late, unverified)

    def account_refs(self) -> dict[str, AccountRef]:
        """Return every account's reference set, by the account reference."""
        names = self._names(keys.account_ref("*"))
        rows = self._in_steps((command, name) for name in names for command in ("HGETALL", "PTTL"))
        before = len(keys.account_ref(""))
        return {name[before:]: AccountRef.of_fields(next(rows), next(rows)) for name in names}

    def uses(self) -> Iterator[Use]:
        """Yield which connection uses which account: every live connection, and every teardown.

        An agent's connection is read before its teardowns, so one that ends in between is seen as a teardown.
        """
        agents = list(self.agents())
        rows = self._in_steps(command for agent in agents for command in self._use_commands(agent))
        for agent in agents:
            grant, connection_id, account_ref = next(rows)
            if grant == GrantState.LIVE:
                yield Use(agent, connection_id, account_ref or "", live=True)
            for teardown, text in next(rows).items():
                yield Use(agent, teardown, json.loads(text)["account_ref"], live=False)

    def _use_commands(self, agent: Agent) -> Iterator[Command]:
        slot = self._database.slot_keys(agent)
        yield ("HMGET", slot.part("facts"), "grant_state", "connection_id", "account_ref")
        yield ("HGETALL", slot.part("teardowns"))

    def closed_organizations(self) -> list[str]:
        """Return the organizations that were off-boarded and not reopened."""
        before = len(keys.closed(""))
        return [name[before:] for name in self._names(keys.closed("*"))]

    def consents_under_way(self) -> Iterator[str]:
        """Yield the sealed PKCE verifier of each consent that was begun and not yet answered."""
        names = self._names(keys.oauth_state("*"))
        texts = self._in_steps(("GET", name) for name in names)
        yield from (str(json.loads(text)["verifier"]) for text in texts if text)

    def reseal(self, agent: Agent, teardown: str, before: str, after: str) -> bool:
        """Replace the sealed grant `before` by `after`; false if another one stands by now.

        `teardown`: the connection whose teardown holds it; empty for the slot's own.
        """
        answer = self._database.step(
            "reseal_grant", agent, MAINTENANCE, teardown=teardown, before=before, after=after
        )
        return cast(answers.ResealGrant, answer[0]) == "ok"

    def _in_steps(self, commands: Iterable[Command], most: int = _STEP) -> Iterator[Any]:
        """Yield the answers in the order of the commands; no round trip carries more than `most` of them."""
        rest = iter(commands)
        while step := list(islice(rest, most)):
            yield from self._database.read(step)

    def _names(self, pattern: str) -> list[str]:
        return list(self._database.ask(lambda client: list(client.scan_iter(match=pattern, count=_STEP))))


def _agent_of(key: str) -> Agent:
    _, _, rest = key.partition(":a:")
    return Agent.of_member(rest.rpartition(":")[0])
