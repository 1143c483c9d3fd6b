"""The worker: looks after every agent whose time has come. Must not decide anything a journey decides.

A timer is only a nudge: each matter is read anew, and what fails is looked at again later.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from calendar_service.domain.clock import DAY, MINUTE, SECOND, Millis
from calendar_service.domain.connection import Facts
from calendar_service.domain.errors import AccessRevoked, GoogleError, NotConnected, ServiceError
from calendar_service.domain.names import Agent
from calendar_service.domain.timers import TimerKind
from calendar_service.journeys.order import Matter, fair
from calendar_service.journeys.pauses import pause
from calendar_service.store.files import IN_FILES_AT_MOST, Wish
from calendar_service.wiring import Service

THREADS = 8
BATCH = 32
"""Agents taken from one shard at a time."""
PROBES = 300
"""Proofs of life that one worker asks for in a minute at most, and as many looks at calendars; each finds a place of
its own in the day again."""
REST = 0.5
"""Seconds between two looks when nothing was due."""
IDENTIFIERS_KEPT_DAYS = 30
"""After the day of a session's end (law 11)."""
REWRITE_EVERY: Millis = MINUTE
"""One worker has the append-only files rewritten at most this often, and so soon after an erasure."""
REWRITE_AT_LATEST: Millis = DAY // 2
"""And so often in any case: who erased may have died before asking, and the database's own expiry never asks."""
SEAL_EVERY: Millis = 5 * SECOND
"""The audit trail's new entries get their MACs at most this often; a look when nothing is new is one round trip."""
CHECKPOINT_LOOK: Millis = 10 * MINUTE
"""How often a worker looks whether the day's checkpoint is there."""
SWEEP_EVERY: Millis = MINUTE
"""How soon after the end of a reviewer's link everything behind it goes."""
_SOON: Millis = 30 * SECOND
_LATER: Millis = 5 * MINUTE
_TRIED = 2
"""What is not a session's keeps no count of its tries: each pause after Google's trouble is that of the third."""
_CLOCK: Millis = 10 * MINUTE
_Again = Millis | Literal["never"] | None
"""After how long a matter is looked at again; None: as it is due by now."""
_HELD: Millis = 25 * SECOND
"""Shorter than the lease on an agent."""


@dataclass
class _EachMinute:
    """Lets at most `PROBES` through in a minute: those that an outage held up together go one after another."""

    minute: int = 0
    taken: int = 0

    def take(self, now: Millis) -> bool:
        if self.minute != now // MINUTE:
            self.minute, self.taken = now // MINUTE, 0
        self.taken += 1
        return self.taken <= PROBES


@dataclass
class Worker:
    """One process's worker. `stop` ends it between two agents."""

    service: Service
    stop: threading.Event = field(default_factory=threading.Event)
    rewritten_at: Millis = 0
    sealed_at: Millis = 0
    checked_at: Millis = 0
    rewrite_owed: bool = False
    """A rewrite is asked for at the next look, whoever is at it."""
    rewriting: Wish | None = None
    """Rewrites for this wish were begun on all servers, and are not known to be done."""
    renewal_owed: bool = True
    """A policy that came with this start is not told yet."""
    held: list[tuple[Matter, Millis]] = field(default_factory=list)
    """Sessions whose time has come, and until when they are this worker's to do."""
    probes: _EachMinute = field(default_factory=_EachMinute)
    looks: _EachMinute = field(default_factory=_EachMinute)
    swept_at: Millis = 0
    """When reviewers' links were looked over last."""

    def run(self) -> None:
        """Work until stopped."""
        self.service.log.event("worker.started")
        self.rewrite_owed = True  # what another process erased and could no longer rewrite goes now (law 7)
        self._apart(self._realign)
        with ThreadPoolExecutor(THREADS, thread_name_prefix="worker") as pool:
            while not self.stop.is_set():
                if not self._round(pool):
                    self.stop.wait(REST)
        self.service.log.event("worker.stopped")

    def round(self, each: Callable[..., Iterable[None]] = map) -> int:
        """Look after everything that is due now; return how many agents that were. `each` runs many at once."""
        if self.renewal_owed:
            self._apart(self._renew)
        agents = list(self.service.timers.due(BATCH))
        list(each(self.tend, agents))
        list(each(self._session, self._turns()))
        self._after_agents()
        return len(agents)

    def _round(self, pool: ThreadPoolExecutor) -> int:
        try:
            return self.round(pool.map)
        except ServiceError as trouble:
            self.service.log.event("worker.trouble", code=trouble.code)
            return 0

    def _turns(self) -> Iterator[Matter]:
        """Yield the sessions whose turn it is; what has to wait is kept until its agent may be another worker's."""
        now, held, self.held = self.service.clock.now(), self.held, []
        sessions = {matter: until for matter, until in held if now < until <= now + _HELD}
        turn = "go"
        for matter in fair(sessions):
            if matter.cost and turn != "wait":
                turn = self.service.flow.turn(matter.account, matter.cost)
            if matter.cost and turn != "go":
                self.held.append((matter, sessions[matter]))
            else:
                yield matter

    def _session(self, matter: Matter) -> None:
        self._matter(matter.agent, TimerKind.SESSION.of(matter.session))

    def tend(self, agent: Agent) -> None:
        """Look after one agent; trouble with one matter leaves the others alone."""
        try:
            slot = self.service.slots.read(agent)
            due = [what for what, at in slot.due.items() if at <= slot.now]
            if slot.facts == Facts():  # the slot is gone: only an errand may be left (law 7)
                due = due or [TimerKind.TEARDOWN.of(errand.connection_id) for errand in slot.errands]
            prefix = TimerKind.SESSION.of("")
            sessions = [what.removeprefix(prefix) for what in due if what.startswith(prefix)]
            for what in due:
                if not what.startswith(prefix):
                    self._matter(agent, what, slot.due.get(what))
            if sessions:
                until = self.service.clock.now() + _HELD
                matters = self.service.order.due(slot, sessions)
                self.held.extend((matter, until) for matter in matters)
                for name in {*sessions} - {matter.session for matter in matters}:
                    self.service.timers.reschedule(agent, TimerKind.SESSION.of(name), self._unknown())
            if not due:
                self.service.timers.reschedule(agent, "", None)
        except ServiceError as trouble:
            self.service.log.event("worker.trouble", code=trouble.code)
        except Exception as error:
            self.service.log.failure("worker.surprise", error)

    def _matter(self, agent: Agent, what: str, found: Millis | None = None) -> None:
        """Look after one matter. It is not put off if something made it due meanwhile, at another time than `found`."""
        kind, _, name = what.partition(":")
        known = TimerKind.known(kind)
        if known and known.records_start:
            found = self.service.timers.start_item(agent, kind)
            if found is None:
                return
        again = self._again(agent, kind, name)
        if again is not None:
            self.service.timers.reschedule(agent, what, None if again == "never" else again, found)

    def _again(self, agent: Agent, kind: str, name: str) -> _Again:
        """Do one chore; return after how long it is looked at again."""
        if kind not in self._chores:
            return self._unknown()
        try:
            with self.service.flow.unhurried():
                return self._chores[kind](agent, name)
        except (AccessRevoked, NotConnected):
            return None  # the journey has noted it, and what depended on it
        except GoogleError as trouble:
            self.service.log.event("worker.google_trouble", code=trouble.code, journey=kind)
            return max(_SOON, pause(trouble, _TRIED))
        except ServiceError as trouble:
            self.service.log.alarm("worker.record_trouble", code=trouble.code, journey=kind)
            return _LATER
        except Exception as error:
            self.service.log.failure("worker.surprise", error, journey=kind)
            return _LATER

    def _unknown(self) -> Millis:
        """Leave it to a newer version, which runs beside this one (F35)."""
        self.service.log.event("worker.unknown_matter")
        return _SOON

    @property
    def _chores(self) -> dict[str, Callable[[Agent, str], _Again]]:
        return {
            TimerKind.SESSION: self.service.schedule.resume,
            TimerKind.TEARDOWN: self.service.disconnect.run_errands,
            TimerKind.ERASE: self._erase,
            TimerKind.HOLD: self._hold,
            TimerKind.PROBE: self._probe,
            TimerKind.CALENDAR: self._calendar,
            TimerKind.CHANNEL: self._channel,
            TimerKind.CHANGE_DETECTION: self._look,
            TimerKind.PURGE_SESSIONS: self._tidy,
            TimerKind.WEBHOOK: self._webhook,
            TimerKind.WEBHOOK_EXPIRY: self._letters,
        }

    def _erase(self, agent: Agent, _: str) -> _Again:
        answer = self.service.disconnect.erase_due(agent)
        if answer == "clock":
            return self._clocks_differ()
        if answer in {"ok", "held"}:  # a held one was given the hold's end by the same step
            return None
        return "never" if answer == "not_ended" else _SOON

    def _hold(self, agent: Agent, _: str) -> None:
        self.service.holds.end(agent)

    def _probe(self, agent: Agent, _: str) -> None:
        # Without leave it stays due, and is looked at again when the lease on its agent ends.
        if self.service.flow.aside() and self.probes.take(self.service.clock.now()):
            self.service.access.probe(agent)
            self.service.flow.answered()

    def _calendar(self, agent: Agent, _: str) -> _Again:
        connect = self.service.connect
        if not connect.calendar_never_made(agent):
            return "never"
        if not self.service.flow.aside() or connect.make_calendar(agent, create=True):
            return None
        return _SOON

    def _channel(self, agent: Agent, _: str) -> _Again:
        after = self.service.channels.keep(agent)
        return "never" if after is None else after

    def _look(self, agent: Agent, _: str) -> _Again:
        return self.service.look.once(agent) if self.looks.take(self.service.clock.now()) else None

    def _tidy(self, agent: Agent, _: str) -> _Again:
        answer = self.service.sessions.purge_old(agent, IDENTIFIERS_KEPT_DAYS)
        return self._clocks_differ() if answer == "clock" else None

    def _clocks_differ(self) -> Millis:
        """Tell the operator; return after how long it is worth another look."""
        self.service.log.alarm("erasure.clocks_differ", clause="ST-5")
        return _CLOCK

    def _webhook(self, agent: Agent, _: str) -> None:
        self._tell(self.service.notify.deliver(agent))

    def _letters(self, agent: Agent, _: str) -> None:
        self.service.notify.letters.end(agent)

    def _tell(self, outcomes: Mapping[str, int]) -> None:
        """Say what the operator has to know: what was given up, and a receiver that wants none."""
        if outcomes.get("given_up"):
            self.service.log.alarm("webhook.given_up", count=outcomes["given_up"])
        if outcomes.get("refused"):
            self.service.log.alarm("webhook.refused", status=410)
        if outcomes.get("later"):
            self.service.log.event("webhook.later", count=outcomes["later"])

    def _after_agents(self) -> None:
        self._tell(self.service.notify.deliver_erased())
        self._apart(self._look_at_files)
        self._seal()
        self._apart(self._sweep_reviewers)

    def _apart(self, chore: Callable[[], None]) -> None:
        """Do what concerns the whole house; trouble with it keeps no agent waiting."""
        try:
            chore()
        except ServiceError as trouble:
            self.service.log.event("worker.trouble", code=trouble.code)
        except Exception as error:
            self.service.log.failure("worker.surprise", error)

    def _seal(self) -> None:
        """Look after the audit trail; trouble with it never keeps an erasure back."""
        now, sealer = self.service.clock.now(), self.service.sealer
        if abs(now - self.sealed_at) < SEAL_EVERY:
            return
        try:
            if sealer.seal():
                return  # there is more: go on in the next round
            self.sealed_at = now
            if abs(now - self.checked_at) >= CHECKPOINT_LOOK:
                self.checked_at = now
                if sealer.checkpoint():
                    self._apart(self._once_a_day)
        except ServiceError as trouble:
            self.service.log.event("worker.trouble", code=trouble.code)
        except Exception as error:
            self.sealed_at = now
            self.service.log.failure("audit.surprise", error)

    def _realign(self) -> None:
        """Look at once after what a clock that was ahead, and was put right since, had put far off."""
        if moved := self.service.register.realign():
            self.service.log.event("clock.realigned", count=moved)

    def _once_a_day(self) -> None:
        """Mend what a death or an outage left half done: marks of accounts, off-boardings, timers."""
        if mended := self.service.shared_accounts.put_right():
            self.service.log.event("marks.put_right", count=mended)
        if ended := self.service.organizations.go_on():
            self.service.log.event("organization.off_boarding_went_on", count=ended)
        self._realign()

    def _renew(self) -> None:
        """Tell whose consent a newer policy outgrew; nothing of theirs is used meanwhile (SC-5)."""
        self.renewal_owed = False  # what a surprise left is told at the next start
        try:
            told = self.service.renewal.tell()
        except ServiceError:
            self.renewal_owed = True
            raise
        if told:
            self.service.log.event("consent.outgrown", count=told)

    def _sweep_reviewers(self) -> None:
        now = self.service.clock.now()
        if abs(now - self.swept_at) < SWEEP_EVERY:
            return
        self.swept_at = now
        if self.service.reviewers.sweep() == "clock":
            self._clocks_differ()

    def _look_at_files(self) -> None:
        """Have the database's files written anew where something was erased, until that is known to be done."""
        now, files = self.service.clock.now(), self.service.files
        since = abs(now - self.rewritten_at)  # also where a clock was put back
        if self.rewriting:
            self._rewrite_ends(self.rewriting)
        elif since >= REWRITE_EVERY:
            if self.rewrite_owed or (self.rewritten_at > 0 and since >= REWRITE_AT_LATEST):
                files.want()
                files.give_back()
                self.rewrite_owed, self.rewritten_at = False, now
            if wish := files.take():
                self.rewritten_at = now
                self._rewrite_begins(wish)

    def _rewrite_begins(self, wish: Wish) -> None:
        answer = self.service.files.begin()
        if answer == "ok":
            self.rewriting = wish
        elif answer == "again" and wish.taken - wish.since < IN_FILES_AT_MOST:
            self.service.files.give_back()
        else:
            self._left_in_files(wish)

    def _rewrite_ends(self, wish: Wish) -> None:
        answer = self.service.files.outcome()
        if answer == "ok":
            self.service.files.done(wish)
        elif answer != "running":
            self._left_in_files(wish)
        self.rewriting = wish if answer == "running" else None

    def _left_in_files(self, wish: Wish) -> None:
        seconds = (wish.taken - wish.since) // SECOND
        self.service.log.alarm("erasure.left_in_files", seconds=seconds, clause="ST-5")


def run(service: Service, stop: threading.Event) -> None:
    """Work until `stop` is set."""
    Worker(service, stop).run()
