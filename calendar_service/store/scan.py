"""Scans of the whole store: every agent, account and sealed record. Too slow for a request: reads every key's name.

Names are taken as they are found, some hundred at a time, so that a scan needs no more memory among many agents.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypeVar, cast

import msgspec

from calendar_service.domain.audit import OVERDUE_AFTER, UNVERIFIED_AFTER, ChainEnds
from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts, GrantState
from calendar_service.domain.names import Agent
from calendar_service.store import answers, keys
from calendar_service.store.account_refs import AccountRef, AccountRefs
from calendar_service.store.audit_log import MAINTENANCE
from calendar_service.store.database import Command, Database
from calendar_service.store.slots import STATE_FACTS, state_facts_of

Value = TypeVar("Value")

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
        self._account_refs = AccountRefs(database)

    def agents(self) -> Iterator[Agent]:
        """Yield every agent that has facts or a teardown, once, in the order of `Agent.member`.

        It alone holds all names, for their order: some hundred bytes an agent.
        """
        yield from map(Agent.of_member, sorted({_member_of(name) for name in self._agents_parts()}))

    def states(self) -> Iterator[tuple[Agent, Facts]]:
        """Yield every agent that has facts with `STATE_FACTS` of them, in no order, many agents in one round trip."""
        for names in self._steps(self._names(keys.any_part("facts"))):
            rows = self._database.read(("HMGET", name, *STATE_FACTS) for name in names)
            yield from zip(map(_agent_of, names), map(state_facts_of, rows), strict=True)

    def session_statuses(self) -> Iterator[SessionStatus]:
        """Yield how every session of every agent stands, in no order."""
        names = self._names(keys.any_part("sessions"))
        for texts in self._answers((("HVALS", name) for name in names), _SESSIONS_STEP):
            yield from (msgspec.json.decode(text, type=SessionStatus) for text in texts)

    def misplaced_agents(self) -> int:
        """Count the agents' keys that lie in another shard than the one that our identity key gives."""
        return sum(
            not name.startswith(keys.slot(self._database.slot_keys(_agent_of(name)).shard, ""))
            for name in self._agents_parts()
        )

    def ends(self, now: Millis) -> ChainEnds:
        """Count ended connections, those under a legal hold, overdue erasures, and grants not proved alive lately.

        A connection under a hold that is not to be told yet is counted as one that is not over: if it were counted as
        due, or as held, the published numbers would tell of the hold. `now`: the database's time.
        """
        due_count = on_hold = late = unverified = 0
        counted: set[str] = (
            set()
        )  # the numbers are published: who is in one must not be found and counted twice
        for names in self._steps(self._names(keys.any_part("facts"))):
            rows = self._database.read(("HMGET", name, *_DATES) for name in names)
            for name, (*dates, grant, proof) in zip(names, rows, strict=True):
                due, until, silent = (int(date or 0) for date in dates)
                is_due = bool(due) and not min(until, silent) > now
                is_unverified = grant == GrantState.LIVE and int(proof) + UNVERIFIED_AFTER < now
                if name in counted or not (is_due or is_unverified):
                    continue
                counted.add(name)
                due_count += is_due
                on_hold += is_due and until > now
                late += is_due and max(due, until) + OVERDUE_AFTER < now
                unverified += is_unverified
        for texts in self._answers(("HVALS", name) for name in {*self._names(keys.any_part("teardowns"))}):
            started = [int(json.loads(text)["started"]) for text in texts]
            late += sum(at + keys.TEARDOWN_MAX + OVERDUE_AFTER < now for at in started)
        return ChainEnds(due_count, on_hold, late, unverified)

    def account_refs(self) -> Iterator[tuple[str, AccountRef]]:
        """Yield every account reference with its set."""
        before = len(keys.account_ref(""))
        for names in self._steps(self._names(keys.account_ref("*"))):
            references = [name[before:] for name in names]
            yield from zip(references, self._account_refs.some(references), strict=True)

    def uses(self) -> Iterator[Use]:
        """Yield which connection uses which account: every live connection, then every teardown.

        Connections are read before teardowns, so one that ends in between is seen as a teardown, too.
        """
        for names in self._steps(self._names(keys.any_part("facts"))):
            fields = ("grant_state", "connection_id", "account_ref")
            rows = self._database.read(("HMGET", name, *fields) for name in names)
            for name, (grant, connection_id, account_ref) in zip(names, rows, strict=True):
                if grant == GrantState.LIVE:
                    yield Use(_agent_of(name), connection_id, account_ref or "", live=True)
        for names in self._steps(self._names(keys.any_part("teardowns"))):
            for name, texts in zip(
                names, self._database.read(("HGETALL", name) for name in names), strict=True
            ):
                for teardown, text in texts.items():
                    yield Use(_agent_of(name), teardown, json.loads(text)["account_ref"], live=False)

    def closed_organizations(self) -> list[str]:
        """Return the organizations that were off-boarded and not reopened."""
        before = len(keys.closed(""))
        return [name[before:] for name in self._names(keys.closed("*"))]

    def consents_under_way(self) -> Iterator[str]:
        """Yield the sealed PKCE verifier of each consent that was begun and not yet answered."""
        names = self._names(keys.oauth_state("*"))
        texts = self._answers(("GET", name) for name in names)
        yield from (str(json.loads(text)["verifier"]) for text in texts if text)

    def reseal(self, agent: Agent, teardown: str, before: str, after: str) -> bool:
        """Replace the sealed grant `before` by `after`; false if another one stands by now.

        `teardown`: the connection whose teardown holds it; empty for the slot's own.
        """
        answer = self._database.step(
            "reseal_grant", agent, MAINTENANCE, teardown=teardown, before=before, after=after
        )
        return cast(answers.ResealGrant, answer[0]) == "ok"

    def _answers(self, commands: Iterable[Command], most: int = _STEP) -> Iterator[Any]:
        """Yield the answers in the order of the commands; no round trip carries more than `most` of them."""
        for step in self._steps(commands, most):
            yield from self._database.read(step)

    def _steps(self, values: Iterable[Value], most: int = _STEP) -> Iterator[list[Value]]:
        rest = iter(values)
        while step := list(islice(rest, most)):
            yield step

    def _agents_parts(self) -> Iterator[str]:
        return chain.from_iterable(self._names(keys.any_part(part)) for part in ("facts", "teardowns"))

    def _names(self, pattern: str) -> Iterator[str]:
        """Yield the keys' names as the database finds them.

        One may come twice, when the database makes its table smaller in the middle of the scan.
        """
        names: Iterator[str] = self._database.ask(lambda client: client.scan_iter(match=pattern, count=_STEP))
        while step := self._database.ask(lambda _: list(islice(names, _STEP))):
            yield from step


def _member_of(key: str) -> str:
    return key.partition(":a:")[2].rpartition(":")[0]


def _agent_of(key: str) -> Agent:
    return Agent.of_member(_member_of(key))
