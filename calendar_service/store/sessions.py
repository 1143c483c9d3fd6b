"""The sessions of an agent's slot: accepted, leased, settled (laws 2-4). Must not know Google."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Record
from calendar_service.store import answers, keys
from calendar_service.store.audit_log import MAINTENANCE, Actor, EntryKind, entry
from calendar_service.store.database import Database
from calendar_service.store.slots import facts_of, record_of
from calendar_service.store.throttle import STATE_FIELDS, ThrottleState


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one operation has to know, read in one round trip."""

    agent: Agent
    facts: Facts
    grant: str
    record: Record | None
    text: str
    """The record as it is kept: `accept` compares it, so that nothing is decided on an old reading."""
    content: str
    """The sealed content that waits, or empty."""
    closed: bool
    throttle_state: ThrottleState
    """Breaker and refusals at that moment."""


class Sessions:
    """The sessions of all agents."""

    def __init__(self, database: Database, policy: str) -> None:
        """Take the database, and the version of the policy by which each reading judges a consent."""
        self._database = database
        self._policy = policy

    def load(self, agent: Agent, session: str) -> Loaded:
        """Return everything that one operation on one session needs."""
        slot = self._database.slot_keys(agent)
        facts, grant, text, content, closed, throttle_state = self._database.read(
            [
                ("HGETALL", slot.part("facts")),
                ("GET", slot.part("grant")),
                ("HGET", slot.part("sessions"), session),
                ("HGET", slot.part("waiting"), session),
                ("EXISTS", keys.closed(agent.organization)),
                ("HMGET", keys.THROTTLE, *STATE_FIELDS),
            ]
        )
        return Loaded(
            agent,
            facts_of(facts, self._policy),
            grant or "",
            record_of(session, text),
            text or "",
            content or "",
            bool(closed),
            ThrottleState.of(throttle_state),
        )

    def confirm(self, agent: Agent) -> None:
        """Make sure that what was loaded is acknowledged; raise `StoreUnavailable` if it may not be told."""
        self._database.confirm(self._database.slot_keys(agent).part("sessions"))

    def some(self, agent: Agent, sessions: Sequence[str]) -> Mapping[str, tuple[Record | None, str]]:
        """Return these sessions' records, each with the sealed content that waits, or empty.

        Those that only a newer version understands are left out (F35).
        """
        slot = self._database.slot_keys(agent)
        parts = [slot.part(name) for name in ("sessions", "waiting")]
        texts, contents = self._database.read(("HMGET", part, *sessions) for part in parts)
        found: dict[str, tuple[Record | None, str]] = {}
        for name, text, content in zip(sessions, texts, contents, strict=True):
            with suppress(StoreUnavailable):
                found[name] = record_of(name, text), content or ""
        return found

    def all(self, agent: Agent) -> list[Record]:
        """Return all sessions of the agent, by name."""
        return [record for record, _ in self.kept(agent)]

    def kept(self, agent: Agent) -> list[tuple[Record, str]]:
        """Return all sessions of the agent, by name, each also as it is kept."""
        texts = self._database.ask(
            lambda client: client.hgetall(self._database.slot_keys(agent).part("sessions"))
        )
        return [
            (Record.of_json(name, text), text)
            for name, text in sorted(cast(Mapping[str, str], texts).items())
        ]

    def waiting(self, agent: Agent) -> Mapping[str, str]:
        """Return the sealed content that waits, by session."""
        kept = self._database.ask(
            lambda client: client.hgetall(self._database.slot_keys(agent).part("waiting"))
        )
        return cast(Mapping[str, str], kept)

    def accept(
        self,
        loaded: Loaded,
        wanted: Record,
        content: str,
        actor: Actor,
        *,
        here: bool,
        end: Millis | None,
        only: Literal["", "keep", "drop"] = "",
    ) -> tuple[answers.AcceptSession, int]:
        """Accept the wanted state, durably.

        `here`: the caller goes to Google with it, else the worker does. `end`: the
        session's, for one that waits for a person. `only`: `keep` notes the record and
        nothing else, `drop` also lets waiting content go. The second value is the
        fencing number of the lease.
        """
        answer = self._database.step(
            "accept_session",
            loaded.agent,
            entry(EntryKind.ACCEPTED, actor),
            connection_id=loaded.facts.connection_id,
            session=wanted.session,
            loaded=loaded.text,
            wanted=wanted.to_json(),
            content=content,
            inline="1" if here else "0",
            latest=_or_nothing(end),
            only=only,
        )
        return cast(answers.AcceptSession, answer[0]), int(answer[1]) if len(answer) > 1 else 0

    def take(self, agent: Agent, session: str) -> tuple[Record, Millis] | None:
        """Take a session whose time has come, with the database's time; None if it is gone or somebody else has it."""
        answer = self._database.step("lease_session", agent, MAINTENANCE, session=session)
        if cast(answers.LeaseSession, answer[0]) != "ok":
            return None
        return Record.of_json(session, answer[1]), int(answer[2])

    def settle(
        self,
        agent: Agent,
        connection_id: str,
        record: Record,
        *,
        again: Millis | None,
        latest: Millis | None,
        destroy_content: bool,
    ) -> bool:
        """Write how an attempt ended; false if the lease was lost, and then nothing is written.

        `again`: how long until it is looked at again, counted by the database's clock, and for one that waits
        for a person from when its wait began; None = not at all. `latest`: the instant at which it is in any case.
        """
        answer = self._database.step(
            "settle_session",
            agent,
            entry(EntryKind.SETTLED, Actor.SERVICE),
            connection_id=connection_id,
            session=record.session,
            fencing_number=record.fencing_token,
            record=record.to_json(),
            again_after=_or_nothing(again),
            latest=_or_nothing(latest),
            destroy_content="1" if destroy_content else "0",
        )
        return cast(answers.SettleSession, answer[0]) == "ok"

    def found(self, agent: Agent, connection_id: str, text: str, record: Record, done: str) -> bool:
        """Note what a person did in Google, and tell it, unless the session changed since `text` was read.

        `done`: `changed`, `deleted` or `restored`.
        """
        answer = self._database.step(
            "record_external_change",
            agent,
            entry(EntryKind.FOUND, Actor.GOOGLE),
            connection_id=connection_id,
            session=record.session,
            loaded=text,
            record=record.to_json(),
            change=done,
        )
        return cast(answers.RecordExternalChange, answer[0]) == "ok"

    def purge_old(self, agent: Agent, days_kept: int) -> answers.PurgeOldSessions:
        """Drop the identifiers of sessions long over."""
        answer = self._database.step(
            "purge_old_sessions",
            agent,
            entry(EntryKind.TIDIED, Actor.SERVICE),
            process_now=self._database.clock.now(),
            days_kept=days_kept,
        )
        return cast(answers.PurgeOldSessions, answer[0])


def _or_nothing(value: Millis | None) -> Millis | str:
    return "" if value is None else value
