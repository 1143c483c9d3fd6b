"""The sessions of an agent's slot: accepted, leased, settled (laws 2-4). Must not know Google.

A session's lease is part of its record: `leased`, a fencing token that grows with each lease, and the holder's random
id. Its end is the session's timer, 30 seconds ahead by the database's clock. Who settles has to name both, and changes
nothing otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts
from calendar_service.domain.errors import RecordUnreadable
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Record, new_nonce
from calendar_service.store import answers, keys
from calendar_service.store.audit_log import MAINTENANCE, Actor, EntryKind, entry
from calendar_service.store.database import Database
from calendar_service.store.slots import facts_of, record_of
from calendar_service.store.throttle import STATE_FIELDS, ThrottleState
from calendar_service.store.waiting_load import ServiceLoad, refusal

_RANGE = 200
"""How many records are read at a time where all are."""


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days (UTC, since 1970), the first and the last included."""

    first: int
    last: int


ALL_DAYS = DayRange(0, 10_000_000)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the list of an agent's sessions, which is in the order of their last days, then of their names."""

    day: int
    name: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything that one operation on a session needs, read in one round trip."""

    agent: Agent
    facts: Facts
    grant: str
    record: Record | None
    text: str
    """The record as it stands in the store, or empty: `accept` compares it, so no decision rests on an old reading."""
    content: str
    """The sealed content that waits for Google's confirmation, or empty."""
    closed: bool
    """The agent's organization is off-boarded."""
    throttle_state: ThrottleState
    """Breaker and refusals at that moment."""


class Sessions:
    """The sessions of all agents."""

    def __init__(self, database: Database, load: ServiceLoad) -> None:
        """Take the database, and what tells how much more may wait in it."""
        self._database = database
        self._load = load

    def load(self, agent: Agent, session: str) -> Loaded:
        """Return everything that one operation on one session needs."""
        slot = self._database.slot_keys(agent)
        # One pipeline, not one atomic step: another process may write between two of these reads. Whatever is decided
        # on them is checked again by the script that accepts it.
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
            facts_of(facts),
            grant or "",
            record_of(session, text),
            text or "",
            content or "",
            bool(closed),
            ThrottleState.of(throttle_state),
        )

    def confirm(self, agent: Agent) -> None:
        """Wait until enough replicas have what was loaded; else raise `StoreUnavailable`.

        For an answer that reports a state without writing: the state could come from a write that is lost yet (F4).
        """
        self._database.confirm(self._database.slot_keys(agent).part("sessions"))

    def some(self, agent: Agent, sessions: Sequence[str]) -> Mapping[str, tuple[Record | None, str]]:
        """Return the records of these sessions, each with the sealed content that waits, or empty.

        Sessions whose record only a newer version of the service can read are left out (F35).
        """
        slot = self._database.slot_keys(agent)
        parts = [slot.part(name) for name in ("sessions", "waiting")]
        texts, contents = self._database.read(("HMGET", part, *sessions) for part in parts)
        records: dict[str, tuple[Record | None, str]] = {}
        for name, text, content in zip(sessions, texts, contents, strict=True):
            with suppress(RecordUnreadable):
                records[name] = record_of(name, text), content or ""
        return records

    def soonest(self, agent: Agent, sessions: Sequence[str], most: int) -> list[str]:
        """Return up to `most` of these sessions, those of the earliest days, in one round trip."""
        days = self._database.slot_keys(agent).part("days")
        (scores,) = self._database.read([("ZMSCORE", days, *sessions)])
        day_of = dict(zip(sessions, (float(score or 0) for score in scores), strict=True))
        return sorted(sessions, key=day_of.__getitem__)[:most]

    def all(self, agent: Agent) -> list[Record]:
        """Return all sessions of the agent, by name."""
        return [record for record, _ in self.with_texts(agent)]

    def with_texts(self, agent: Agent) -> list[tuple[Record, str]]:
        """Return all sessions of the agent, by name, each also as the text that stands in the store."""
        texts = self._database.ask(
            lambda client: client.hgetall(self._database.slot_keys(agent).part("sessions"))
        )
        return [
            (Record.of_json(name, text), text)
            for name, text in sorted(cast(Mapping[str, str], texts).items())
        ]

    def listed(
        self, agent: Agent, days: DayRange, after: Position | None, count: int
    ) -> tuple[list[Record], Position | None]:
        """Return up to `count` sessions of these days behind `after`, and the position of the next ones; None: no more.

        They come by the day of their end, then by name. What is read grows with `count`, not with the agent's sessions.
        """
        key = self._database.slot_keys(agent).part("days")
        end, begin = self._database.read(
            [("ZCOUNT", key, "-inf", days.last), ("ZCOUNT", key, "-inf", f"({days.first}")]
        )
        if after:
            begin = max(begin, self._rank_behind(key, after))
        if begin >= end:
            return [], None
        last = min(begin + count, end) - 1
        (names,) = self._database.read([("ZRANGE", key, begin, last, "WITHSCORES")])
        records = self._records(agent, [name for name, _ in names])
        has_more = names and last < end - 1
        return records, Position(int(names[-1][1]), names[-1][0]) if has_more else None

    def newest_before(self, agent: Agent, day: int, count: int) -> tuple[list[Record], bool]:
        """Return up to `count` sessions that ended before this day, the last ones, in order; true if there are more."""
        key = self._database.slot_keys(agent).part("days")
        (names,) = self._database.read(
            [("ZRANGE", key, f"({day}", "-inf", "BYSCORE", "REV", "LIMIT", 0, count + 1)]
        )
        return self._records(agent, names[:count][::-1]), len(names) > count

    def in_ranges(self, agent: Agent) -> Iterator[list[Record]]:
        """Yield all sessions of the agent as `listed` orders them, some hundred at a time."""
        position: Position | None = None
        while True:
            records, position = self.listed(agent, ALL_DAYS, position, _RANGE)
            yield records
            if position is None:
                return

    def _rank_behind(self, key: str, position: Position) -> int:
        """Return how many sessions stand at this position or before, also if its session has moved or is gone."""
        score, rank, before, same_day = self._database.read(
            [
                ("ZSCORE", key, position.name),
                ("ZRANK", key, position.name),
                ("ZCOUNT", key, "-inf", f"({position.day}"),
                ("ZCOUNT", key, position.day, position.day),
            ]
        )
        if score is not None and int(score) == position.day:
            return int(rank) + 1
        names = cast(Sequence[str], self._database.read([("ZRANGE", key, before, before + same_day - 1)])[0])
        # The database orders names of one day by their bytes.
        behind = sum(name.encode() <= position.name.encode() for name in names[:same_day])
        return int(before) + behind

    def _records(self, agent: Agent, names: Sequence[str]) -> list[Record]:
        if not names:
            return []
        key = self._database.slot_keys(agent).part("sessions")
        (texts,) = self._database.read([("HMGET", key, *names)])
        records = (record_of(name, text) for name, text in zip(names, texts, strict=True))
        return [record for record in records if record]  # else it was erased since the names were read

    def waiting(self, agent: Agent, names: Sequence[str]) -> Mapping[str, str]:
        """Return the sealed content of these sessions that waits for Google's confirmation, by name; else empty."""
        if not names:
            return {}
        key = self._database.slot_keys(agent).part("waiting")
        (contents,) = self._database.read([("HMGET", key, *names)])
        return {name: content or "" for name, content in zip(names, contents, strict=True)}

    def accept(
        self,
        loaded: Loaded,
        record: Record,
        content: str,
        actor: Actor,
        *,
        inline: bool,
        end: Millis | None,
        only: Literal["", "keep", "drop"] = "",
    ) -> tuple[answers.AcceptSession, Record]:
        """Accept the desired state of a session, durably; the second value is the record, with the lease if leased.

        `content`: sealed; empty if none waits. `inline`: the caller goes to Google with it now, else the worker does.
        `end`: the session's end, at which one that waits for a person is looked at.
        `only`: for `Schedule` alone, where the record changes and Google does not have to. `keep` writes the record and
        leaves waiting content and timer (a repetition under a newer version); `drop` writes the record and removes both
        (a cancel of what is certainly not at Google).
        Raises `TooManyRequests`, or `StoreUnavailable`, if there is no room for more content; a cancel needs none.
        """
        allowed, limit = self._load.allowed(loaded.agent.organization, len(content))
        # One script compares the stored record with `loaded`, writes the new one with its content, takes the lease if
        # it is free, sets the timer and appends the audit entry. A crash before leaves nothing. A crash after leaves an
        # accepted state and a timer: a worker goes on when the lease has ended.
        holder = new_nonce()
        answer = self._database.step(
            "accept_session",
            loaded.agent,
            entry(EntryKind.ACCEPTED, actor),
            connection_id=loaded.facts.connection_id,
            session=record.session,
            loaded=loaded.text,
            record=record.to_json(),
            content=content,
            inline="1" if inline else "0",
            holder=holder,
            latest=_or_nothing(end),
            only=only,
            most_sessions=allowed.sessions,
            most_bytes=allowed.bytes,
            most_records=self._load.limits.agent_records,
        )
        outcome = cast(answers.AcceptSession, answer[0])
        if outcome == "full":
            raise refusal("agent_records" if answer[1] == "records" else limit)
        if outcome == "leased":
            record = replace(record, leased=True, fencing_token=int(answer[1]), holder=holder)
        return outcome, record

    def lease(self, agent: Agent, session: str) -> tuple[Record, Millis] | None:
        """Lease a session that is due; return its record and the database's time.

        None if the session is gone, or not due by the database's clock, as when another process has the lease.
        """
        # If the former lease ended without a settlement, the record comes back in doubt: its holder died or is late,
        # and may have written at Google. The new holder then looks for the event before it writes.
        answer = self._database.step("lease_session", agent, MAINTENANCE, session=session, holder=new_nonce())
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
        """Write how an attempt ended, and give the lease back; false if the lease was lost: then nothing is written.

        `again`: after how long a worker takes the session again, by the database's clock; for one that waits for a
        person it counts from the beginning of the wait. None: not at all. `latest`: the instant at which it does in
        any case.
        """
        # Fenced by connection, fencing token and holder: one that was paused past its lease must not overwrite what its
        # successor settled. A crash before leaves the lease to end, and the record in doubt.
        answer = self._database.step(
            "settle_session",
            agent,
            entry(EntryKind.SETTLED, Actor.SERVICE),
            connection_id=connection_id,
            session=record.session,
            fencing_number=record.fencing_token,
            holder=record.holder,
            record=record.to_json(),
            again_after=_or_nothing(again),
            latest=_or_nothing(latest),
            destroy_content="1" if destroy_content else "0",
        )
        return cast(answers.SettleSession, answer[0]) == "ok"

    def record_external_change(
        self, agent: Agent, connection_id: str, text: str, record: Record, change: str
    ) -> bool:
        """Record what a person did to the event, and queue its webhook; false if the session changed since `text`.

        `text`: the record as it stood in the store before Google was asked. `change`: `changed`, `deleted` or
        `restored`.
        """
        # Compared as a text: a write that was accepted or settled meanwhile may be what Google shows, and it must not
        # be reported as a person's.
        answer = self._database.step(
            "record_external_change",
            agent,
            entry(EntryKind.EXTERNAL_CHANGE, Actor.GOOGLE),
            connection_id=connection_id,
            session=record.session,
            loaded=text,
            record=record.to_json(),
            change=change,
        )
        return cast(answers.RecordExternalChange, answer[0]) == "ok"

    def raise_revisions(self, agent: Agent, connection_id: str, least: int) -> answers.RaiseRevisions:
        """Let the revisions of the connection's sessions count from `least` on, and put each such record in doubt.

        For a database that went back: Google may have an event that its record does not know, or a newer state of it.
        """
        answer = self._database.step(
            "raise_revisions", agent, MAINTENANCE, connection_id=connection_id, least=least
        )
        return cast(answers.RaiseRevisions, answer[0])

    def purge_old(self, agent: Agent, days_kept: int) -> answers.PurgeOldSessions:
        """Remove the records of sessions that ended more than `days_kept` days ago; none if the clocks differ."""
        answer = self._database.step(
            "purge_old_sessions",
            agent,
            entry(EntryKind.SESSIONS_PURGED, Actor.SERVICE),
            process_now=self._database.clock.now(),
            days_kept=days_kept,
        )
        return cast(answers.PurgeOldSessions, answer[0])


def _or_nothing(value: Millis | None) -> Millis | str:
    return "" if value is None else value
