"""What a worker does with a due item of one agent: a handler for each kind, and what trouble means for the item.

An item's name is its kind, for sessions and teardowns followed by a colon and which one. Must not decide what the
journeys decide: a handler calls one, and turns its answer into the time at which the item is due next.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from calendar_service.domain.clock import MINUTE, SECOND, Millis, is_current_minute
from calendar_service.domain.connection import Facts
from calendar_service.domain.errors import (
    AccessRevoked,
    GoogleError,
    NotConnected,
    RecordUnreadable,
    ServiceError,
    StoreUnavailable,
)
from calendar_service.domain.names import Agent
from calendar_service.domain.timers import TimerKind
from calendar_service.journeys.throttle.backoff import pause
from calendar_service.store.slots import TimedSlot
from calendar_service.wiring import Service
from calendar_service.worker.periodic import SURPRISE
from calendar_service.worker.reports import DatabaseTrouble, report_clock_difference, report_deliveries

PROBES = 300
"""Probes that one worker sends in a minute at most, and as many change detections."""
IDENTIFIERS_KEPT_DAYS = 30
"""How many days a session's record stays after the day of its end (law 11)."""
_AT_ONCE: Millis = 3 * SECOND
_SOON: Millis = 30 * SECOND
_LATER: Millis = 5 * MINUTE
_CLOCK: Millis = 10 * MINUTE
_TRIES = 2
"""Only sessions count their tries. Every other item backs off as if it had been tried so often."""

Delay = Millis | Literal["never"] | None
"""After how long an item is due again; None: the timer stays as the journey or the claim has set it."""


@dataclass
class PerMinute:
    """Admits at most `limit` in a minute: it spreads the backlog after an outage. Safe for many threads."""

    limit: int
    _minute: int = 0
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def admit(self, now: Millis) -> bool:
        """Tell whether one more may go in the minute of `now` (the process's clock)."""
        with self._lock:
            if not is_current_minute(self._minute, now):
                self._minute, self._count = now // MINUTE, 0
            self._count += 1
            return self._count <= self.limit


Handler = Callable[[Agent, str], Delay]
"""Takes the agent, and which one of the kind (empty where there is only one)."""


def due_items(slot: TimedSlot) -> list[str]:
    """Return the names of the items that are due, by the database's clock.

    An erased agent has no timers any more; a teardown that is left of it is always due (law 7).
    """
    due = [item for item, at in slot.due.items() if at <= slot.now]
    if slot.facts == Facts():
        due = due or [TimerKind.TEARDOWN.of(teardown.connection_id) for teardown in slot.teardowns]
    return due


class Items:
    """Runs due items. Many threads may use it, each for an agent that this worker has claimed."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.database_trouble = DatabaseTrouble(service.log, service.clock)
        self.probes, self.detections = PerMinute(PROBES), PerMinute(PROBES)
        self.handlers: dict[str, Handler] = {
            TimerKind.SESSION: self.service.sessions.unsettled.resume,
            TimerKind.TEARDOWN: self.service.connection.teardowns.run,
            TimerKind.ERASE: self._erase,
            TimerKind.HOLD: self._end_hold,
            TimerKind.PROBE: self._probe,
            TimerKind.CALENDAR: self._create_calendar,
            TimerKind.CHANNEL: self._keep_channel,
            TimerKind.CHANGE_DETECTION: self._detect_changes,
            TimerKind.PURGE_SESSIONS: self._purge_old_sessions,
            TimerKind.WEBHOOK: self._deliver_webhooks,
            TimerKind.WEBHOOK_EXPIRY: self._end_outbox,
        }

    def run(self, agent: Agent, item: str, due_at: Millis | None = None) -> None:
        """Run one item, then set when it is due next.

        `due_at`: when it was due. If its timer stands at another time afterwards, it became due again meanwhile, and
        that time stays. Raises `StoreUnavailable` if the next time cannot be written: the item stays due.
        """
        name, _, which = item.partition(":")
        handler, kind = self.handlers.get(name), TimerKind.known(name)
        if handler is None:
            self.leave(agent, item, due_at)
            return
        if kind and kind.records_start:
            due_at = self.service.store.timers.start_item(agent, name)
            if due_at is None:
                return  # the connection has ended
        delay = self._delay(name, handler, agent, which)
        if delay is not None:
            self.service.store.timers.reschedule(agent, item, None if delay == "never" else delay, due_at)

    def leave(self, agent: Agent, item: str, due_at: Millis | None = None) -> None:
        """Leave an item that this version does not know to a newer version, which runs beside it (F35)."""
        self.service.log.event("worker.unknown_item")
        self.service.store.timers.reschedule(agent, item, _SOON, due_at)

    def _delay(self, name: str, handler: Handler, agent: Agent, which: str) -> Delay:
        """Run the handler; return after how long the item is due again, also after each kind of trouble."""
        try:
            with self.service.google.throttle.unhurried():
                return handler(agent, which)
        except (AccessRevoked, NotConnected):
            return None  # the journey has recorded it, and set the timers that follow from it
        except GoogleError as trouble:
            self.service.log.event("worker.google_trouble", code=trouble.code, journey=name)
            return max(_SOON, pause(trouble, _TRIES))
        except ServiceError as trouble:
            if isinstance(trouble, StoreUnavailable) and not isinstance(trouble, RecordUnreadable):
                # It passes within seconds as a rule, as in a failover. A write that may have reached Google is in
                # doubt: the next try looks there first.
                self.database_trouble.happened(name)
                return _AT_ONCE
            self.service.log.alarm("worker.record_trouble", code=trouble.code, journey=name)
            return _LATER
        except Exception as error:
            self.service.log.failure(SURPRISE, error, journey=name)
            return _LATER

    def _erase(self, agent: Agent, _: str) -> Delay:
        answer = self.service.connection.erasure.erase_due(agent)
        if answer == "clock":
            report_clock_difference(self.service.log)
            return _CLOCK
        if answer in {"ok", "held"}:  # the same script has moved a held erasure to the end of the hold
            return None
        return "never" if answer == "not_ended" else _SOON

    def _end_hold(self, agent: Agent, _: str) -> None:
        self.service.personal_data.holds.end(agent)

    def _probe(self, agent: Agent, _: str) -> None:
        # A probe that may not be sent stays due, and runs when the lease on its agent has ended.
        if self.service.google.throttle.admit_other() and self.probes.admit(self.service.clock.now()):
            self.service.connection.access.probe(agent)
            self.service.google.throttle.trial_answered()

    def _create_calendar(self, agent: Agent, _: str) -> Delay:
        calendar = self.service.connection.dedicated_calendar
        if not calendar.never_made(agent):
            return "never"
        if not self.service.google.throttle.admit_other() or calendar.ensure(agent, create=True):
            return None
        return _SOON

    def _keep_channel(self, agent: Agent, _: str) -> Delay:
        delay = self.service.connection.channels.keep(agent)
        return "never" if delay is None else delay

    def _detect_changes(self, agent: Agent, _: str) -> Delay:
        return (
            self.service.sessions.change_detector.once(agent)
            if self.detections.admit(self.service.clock.now())
            else None
        )

    def _purge_old_sessions(self, agent: Agent, _: str) -> Delay:
        if self.service.store.sessions.purge_old(agent, IDENTIFIERS_KEPT_DAYS) != "clock":
            return None
        report_clock_difference(self.service.log)
        return _CLOCK

    def _deliver_webhooks(self, agent: Agent, _: str) -> None:
        report_deliveries(self.service.log, self.service.webhook_delivery.deliver(agent))

    def _end_outbox(self, agent: Agent, _: str) -> None:
        self.service.webhook_delivery.outbox.end(agent)
