"""Everybody the store knows of, found by looking through it. Not for a request's way: it reads every name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from calendar_service.domain.audit import OVERDUE_AFTER, UNVERIFIED_AFTER, ChainEnds
from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import GrantState
from calendar_service.domain.names import Agent
from calendar_service.store import answers, keys
from calendar_service.store.account_refs import AccountRef
from calendar_service.store.audit_log import MAINTENANCE
from calendar_service.store.database import Command, Database

_STEP = 1_000


@dataclass(frozen=True, slots=True)
class Use:
    """A connection's use of one Google account."""

    agent: Agent
    connection_id: str
    account_ref: str
    """Empty while it is not known whose account it is."""
    live: bool
    """It stands; else it is over, and its closing errand is not."""


class Scan:
    """Finds agents also where no index leads to them: an errand outlives the connection's erasure."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def agents(self) -> Iterator[Agent]:
        """Yield every agent that has a connection or an errand, once, in the order of their names."""
        found = {_whose(name) for part in ("facts", "teardowns") for name in self._names(keys.any_part(part))}
        yield from sorted(found, key=lambda agent: (agent.organization, agent.agent))

    def ends(self, now: Millis) -> ChainEnds:
        """Count what is kept of connections that are over, what is past its time, and who was not proved alive."""
        names, teardowns = self._names(keys.any_part("facts")), self._names(keys.any_part("teardowns"))
        found = self._database.read(
            [
                *(
                    ("HMGET", name, "end_erase_due", "hold_until", "grant_state", "grant_last_refresh_ok_at")
                    for name in names
                ),
                *(("HVALS", name) for name in teardowns),
            ]
        )
        facts = found[: len(names)]
        over = [(int(due), int(until or 0)) for due, until, _, _ in facts if int(due or 0)]
        held = sum(until > now for _, until in over)
        late = sum(max(due, until) + OVERDUE_AFTER < now for due, until in over)
        started = [int(json.loads(text)["started"]) for texts in found[len(names) :] for text in texts]
        kept_too_long = sum(at + keys.TEARDOWN_MAX + OVERDUE_AFTER < now for at in started)
        proofs = [int(proof) for _, _, grant, proof in facts if grant == GrantState.LIVE]
        unverified = sum(at + UNVERIFIED_AFTER < now for at in proofs)
        return ChainEnds(len(over), held, late + kept_too_long, unverified)

    def account_refs(self) -> dict[str, AccountRef]:
        """Return every account's mark by its name."""
        names = self._names(keys.account_ref("*"))
        found = iter(
            self._database.read((command, name) for name in names for command in ("HGETALL", "PTTL"))
        )
        before = len(keys.account_ref(""))
        return {name[before:]: AccountRef.of_fields(next(found), next(found)) for name in names}

    def uses(self) -> Iterator[Use]:
        """Yield who uses which account: every connection that stands, and every errand.

        Of each agent the connection is read first: one that ends meanwhile is then found as an errand.
        """
        agents = list(self.agents())
        commands: list[Command] = []
        for agent in agents:
            slot, facts = self._database.slot_keys(agent), ("grant_state", "connection_id", "account_ref")
            commands.append(("HMGET", slot.part("facts"), *facts))
            commands.append(("HGETALL", slot.part("teardowns")))
        found = iter(self._database.read(commands))
        for agent in agents:
            grant, connection_id, account_ref = next(found)
            if grant == GrantState.LIVE:
                yield Use(agent, connection_id, account_ref or "", live=True)
            for teardown, text in next(found).items():
                yield Use(agent, teardown, json.loads(text)["account_ref"], live=False)

    def closed_organizations(self) -> list[str]:
        """Return the organizations that were off-boarded and not reopened."""
        before = len(keys.closed(""))
        return [name[before:] for name in self._names(keys.closed("*"))]

    def consents_under_way(self) -> Iterator[str]:
        """Yield what is sealed for each consent that was begun and not yet answered."""
        names = self._names(keys.oauth_state("*"))
        texts = self._database.read(("GET", name) for name in names)
        yield from (str(json.loads(text)["verifier"]) for text in texts if text)

    def reseal(self, agent: Agent, teardown: str, before: str, after: str) -> bool:
        """Exchange one sealed grant, `teardown`'s or (empty) the slot's own; false when another stands meanwhile."""
        answer = self._database.step(
            "reseal_grant", agent, MAINTENANCE, teardown=teardown, before=before, after=after
        )
        return cast(answers.ResealGrant, answer[0]) == "ok"

    def _names(self, pattern: str) -> list[str]:
        return list(self._database.ask(lambda client: list(client.scan_iter(match=pattern, count=_STEP))))


def _whose(key: str) -> Agent:
    _, _, rest = key.partition(":a:")
    return Agent.of_member(rest.rpartition(":")[0])
