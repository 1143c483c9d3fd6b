"""What Google says of the agent's calendar, for the agent's own page. Nothing of it is stored."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import SECOND, Clock, Millis, as_datetime
from calendar_service.domain.connection import BlockCause
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import (
    AccessRevoked,
    Busy,
    GoogleError,
    InsufficientScope,
    ServiceError,
)
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import CalendarApi, CalendarMissing, Contents
from calendar_service.journeys.connection.access import Access, block_cause
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.views import Trouble
from calendar_service.store.slots import Slot

_PAGE_WAITS = 2.5
"""Seconds that a page waits for Google before it is shown without what Google knows."""

KEPT: Millis = 10 * SECOND
"""For how long a page that is opened again is answered without asking Google again."""
_KEPT_AT_MOST = 1_000
"""Answers kept at a time: some hundred bytes each."""


@dataclass(frozen=True, slots=True)
class CalendarAnswer:
    """What Google said to a page, or who has to end what kept it from answering."""

    name: str = ""
    """The calendar's title; empty if it was not asked, or Google gave no answer."""
    address: str = ""
    """The account's address, masked; empty likewise, or if Google does not name it."""
    contents: Contents | None = None
    trouble: Trouble = ""
    is_google: bool = False
    """Google gave this answer, now or within the last seconds."""


class RecentAnswers:
    """Google's answers of the last seconds, in the memory of this process alone. Safe to share between threads.

    An agent who reloads a page spends none of the rate that the sessions need. A timer drops what nobody asks for
    again: an answer names an account, and must not outlast its seconds.
    """

    def __init__(self, seconds: float = KEPT / SECOND) -> None:
        """Begin with none. `seconds`: after which nothing is left of what was put before."""
        self._seconds = seconds
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[str, ...], tuple[Millis, CalendarAnswer]] = OrderedDict()
        self._timer: threading.Timer | None = None

    def __len__(self) -> int:
        """Return how many answers are kept now."""
        return len(self._answers)

    def get(self, key: tuple[str, ...], now: Millis) -> CalendarAnswer | None:
        """Return the answer that was put under this key within the last seconds."""
        with self._lock:
            self._drop_old(now)
            answer = self._answers.get(key)
            return answer[1] if answer else None

    def put(self, key: tuple[str, ...], answer: CalendarAnswer, now: Millis) -> None:
        """Keep this answer for seconds."""
        with self._lock:
            self._answers[key] = now, answer
            self._answers.move_to_end(key)
            if len(self._answers) > _KEPT_AT_MOST:
                self._answers.popitem(last=False)
            if self._timer is None:
                self._timer = threading.Timer(self._seconds, self._drop_all)
                self._timer.daemon = True
                self._timer.start()

    def _drop_all(self) -> None:
        with self._lock:
            self._timer = None
            self._answers.clear()

    def _drop_old(self, now: Millis) -> None:
        # The oldest is first, unless the clock was set back: then an answer counts as old too.
        while self._answers:
            at, _ = next(iter(self._answers.values()))
            if at <= now < at + KEPT:
                return
            self._answers.popitem(last=False)


@dataclass(frozen=True)
class CalendarNow:
    """Asks Google about the agent's calendar, within the seconds that a page waits."""

    access: Access
    calendar: CalendarApi
    throttle: Throttle
    identity: IdentityKey
    terms: ConsentTerms
    clock: Clock
    recent: RecentAnswers = field(default_factory=RecentAnswers)

    def account(self, slot: Slot) -> CalendarAnswer:
        """Ask whose account the calendar is in, and its name."""
        calendar_id = slot.facts.calendar.id

        def question(token: Secret) -> CalendarAnswer:
            info = self.calendar.get_calendar(token, calendar_id)
            return CalendarAnswer(name=info.summary, address=mask(info.data_owner or ""), is_google=True)

        return self._ask(slot, "account", question)

    def contents(self, slot: Slot) -> CalendarAnswer:
        """Ask what the calendar holds."""
        calendar_id, now = slot.facts.calendar.id, as_datetime(self.clock.now())

        def question(token: Secret) -> CalendarAnswer:
            contents = self.calendar.contents(token, calendar_id, now, self.identity.event_hash)
            return CalendarAnswer(contents=contents, is_google=True)

        return self._ask(slot, "contents", question)

    def _ask(self, slot: Slot, what: str, question: Callable[[Secret], CalendarAnswer]) -> CalendarAnswer:
        """Ask Google about the calendar, unless it answered this a moment ago; a page is not kept waiting for that.

        Where there is no calendar to ask about, what Google refused last tells who has to act. Where it was never made,
        the token is asked for besides.
        """
        facts = slot.facts
        if not slot.grant or not facts.usable(self.terms):
            return CalendarAnswer()
        last = CalendarAnswer(trouble=_TROUBLES.get(facts.block.cause, ""))
        if facts.calendar.status == "missing":
            return last
        # A block that began since is a newer word of Google's.
        key = (what, facts.connection_id, facts.calendar.id, facts.block.cause)
        recent = self.recent.get(key, self.clock.now())
        if recent:
            return recent
        try:
            grant = self.access.open(slot)
            with (
                self.throttle.inline_read(slot.agent.organization, facts.account.ref),
                self.throttle.transport.within(_PAGE_WAITS),
            ):
                if not facts.calendar.since:
                    self.access.usable(slot.agent, grant)
                    return last
                answer = self.access.in_calendar(slot.agent, facts, grant, question)
        except CalendarMissing:
            return CalendarAnswer()
        except ServiceError as trouble:
            return CalendarAnswer(trouble=_responsible(trouble))
        self.recent.put(key, answer, self.clock.now())
        return answer


def mask(address: str) -> str:
    """Return an address so that its owner knows it and nobody else learns it: `ma•••@gmail.com`."""
    local, at, domain = address.partition("@")
    return f"{local[:2]}•••@{domain}" if at else ""


_TROUBLES: Mapping[str, Trouble] = {
    BlockCause.ADMINISTRATOR: "administrator",
    BlockCause.OPERATOR: "ours",
    BlockCause.QUOTA: "quota",
}


def _responsible(trouble: ServiceError) -> Trouble:
    if isinstance(trouble, AccessRevoked | InsufficientScope):
        return ""  # no trouble, but a state of the connection
    if isinstance(trouble, Busy):
        return "not_asked"
    if not isinstance(trouble, GoogleError):
        return "ours"
    cause = block_cause(trouble)
    return _TROUBLES[cause] if cause else "google"
