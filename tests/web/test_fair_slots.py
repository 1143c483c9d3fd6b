"""One caller's requests hold up no other's: who gets a slot, in counts."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from time import sleep

import pytest

from calendar_service.domain.caller_limits import CallerLimits, SlotLimit
from calendar_service.domain.token_bucket import Rate
from calendar_service.web import fair_slots
from calendar_service.web.fair_slots import ACTIVE, ANONYMOUS, FairSlots

NOISY, QUIET = "noisy", "quiet"
LIMIT = SlotLimit(most=4, processor_time=Rate(burst=250, seconds=1))
RUNNING, WAITING = 5, 6
CHEAP, DEAR = 0.001, 0.1
"""Seconds of processor time."""


@dataclass
class Room:
    """The slots of a process, its clock, and requests that wait in threads of their own."""

    limit: SlotLimit = LIMIT
    now: int = 1_000_000
    answers: list[tuple[str, bool]] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    slots: FairSlots = field(init=False)

    def __post_init__(self) -> None:
        self.slots = FairSlots(RUNNING, WAITING, self.limit, lambda: self.now)

    def spend(self, caller: str, seconds: float, times: int = 1) -> None:
        """Let requests come and go, one after the other."""
        for _ in range(times):
            assert self.slots.enter(caller)
            self.slots.leave(caller, seconds)

    def send(self, caller: str) -> None:
        """Send a request, and return when it runs, waits or is refused."""
        before = self._count(caller)

        def enter() -> None:
            self.answers.append((caller, self.slots.enter(caller)))

        self.threads.append(threading.Thread(target=enter, daemon=True))
        self.threads[-1].start()
        while self._count(caller) == before:
            sleep(0)

    def until(self, *answers: tuple[str, bool]) -> None:
        """Wait until exactly these requests were decided."""
        while len(self.answers) < len(answers):
            sleep(0)
        assert self.answers == [*answers]

    def end(self) -> None:
        """Let all go that still wait, so that no thread is left."""
        while any(thread.is_alive() for thread in self.threads):
            self.now += ACTIVE
            for caller in (NOISY, QUIET, ANONYMOUS, "third"):
                while self.slots.running(caller):
                    self.slots.leave(caller, 0)

    def _count(self, caller: str) -> int:
        refused = sum(not has_slot for _, has_slot in self.answers)
        return self.slots.running(caller) + self.slots.waiting(caller) + refused


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.end()


# --- who comes next ---


def test_a_free_slot_goes_to_the_caller_with_fewest_however_long_others_wait(room: Room) -> None:
    room.spend(NOISY, CHEAP, 20)
    for caller in (*[NOISY] * 4, "third"):
        assert room.slots.enter(caller)
    for _ in range(3):
        room.send(NOISY)
    room.send(QUIET)
    room.slots.leave(NOISY, CHEAP)
    room.until((QUIET, True))


def test_requests_of_one_caller_run_in_the_order_of_their_arrival(room: Room) -> None:
    for _ in range(RUNNING):
        room.spend("third", CHEAP, 20)
    for caller in (*["third"] * 4, ANONYMOUS):
        assert room.slots.enter(caller)
    room.send(NOISY)
    room.send(QUIET)
    room.slots.leave("third", CHEAP)
    room.until((NOISY, True))
    room.slots.leave("third", CHEAP)
    room.until((NOISY, True), (QUIET, True))


def test_one_caller_never_has_every_slot(room: Room) -> None:
    room.spend(NOISY, CHEAP, 20)
    for _ in range(RUNNING + 1):
        room.send(NOISY)
    assert (room.slots.running(NOISY), room.slots.waiting(NOISY)) == (LIMIT.most, 2)
    room.send(QUIET)
    assert (room.slots.running(QUIET), room.slots.waiting(QUIET)) == (1, 0)


# --- the share of processor time ---


@pytest.mark.parametrize(("seconds", "running"), [(CHEAP, 4), (0.08, 3), (0.12, 2), (0.3, 1)])
def test_as_many_run_as_the_rest_of_the_share_pays_for(room: Room, seconds: float, running: int) -> None:
    for _ in range(20):
        room.spend(NOISY, seconds)
        room.now += 3_000  # the share is whole again
    for _ in range(5):
        room.send(NOISY)
    assert room.slots.running(NOISY) == running


def test_the_first_requests_of_a_caller_are_taken_to_be_dear(room: Room) -> None:
    dear = replace(LIMIT, most=20)
    first = Room(dear)
    first.slots = FairSlots(20, 20, dear, lambda: first.now)
    for _ in range(10):
        first.send(NOISY)
    assert first.slots.running(NOISY) == 5
    first.end()


def test_a_caller_over_its_share_waits_for_it_while_others_are_active(room: Room) -> None:
    room.spend(QUIET, CHEAP)
    room.spend(NOISY, DEAR, 3)
    room.send(NOISY)
    assert (room.slots.running(NOISY), room.slots.waiting(NOISY)) == (0, 1)
    room.now += 201  # 50 ms are owed, and 250 ms come back in a second
    room.until((NOISY, True))


@pytest.mark.parametrize("readings", range(12))
def test_a_share_that_comes_back_while_a_request_is_looked_at_is_not_slept_over(readings: int) -> None:
    """Nobody else would wake the request: it would wait until another caller sends one."""
    times = [1_000] * 1_000
    slots = FairSlots(RUNNING, WAITING, LIMIT, lambda: times.pop(0))
    assert slots.enter(QUIET)
    slots.leave(QUIET, CHEAP)
    for _ in range(3):
        assert slots.enter(NOISY)
        slots.leave(NOISY, DEAR)
    times[:] = [1_000] * readings + [6_000] * 1_000  # the share is whole again, and the other is still active
    request = threading.Thread(target=slots.enter, args=(NOISY,), daemon=True)
    request.start()
    request.join(10)
    assert not request.is_alive()
    assert slots.running(NOISY) == 1


def test_a_caller_over_its_share_has_one_slot_while_it_is_alone(room: Room) -> None:
    room.spend(NOISY, DEAR, 3)
    for _ in range(3):
        room.send(NOISY)
    assert (room.slots.running(NOISY), room.slots.waiting(NOISY)) == (1, 2)
    room.slots.leave(NOISY, DEAR)
    room.until((NOISY, True), (NOISY, True))
    assert (room.slots.running(NOISY), room.slots.waiting(NOISY)) == (1, 1)


def test_a_caller_that_was_active_long_ago_makes_nobody_wait(room: Room) -> None:
    room.spend(QUIET, CHEAP)
    room.now += ACTIVE
    room.spend(NOISY, DEAR, 4)


def test_anonymous_requests_have_a_share_and_make_nobody_wait(room: Room) -> None:
    room.spend(ANONYMOUS, CHEAP)
    room.spend(NOISY, DEAR, 4)
    room.spend(ANONYMOUS, DEAR, 3)
    room.send(ANONYMOUS)
    assert room.slots.waiting(ANONYMOUS) == 1


def test_no_request_however_long_is_owed_for_longer_than_a_second(room: Room) -> None:
    room.spend(QUIET, CHEAP)
    room.spend(NOISY, 60)
    room.send(NOISY)
    assert room.slots.waiting(NOISY) == 1
    room.now += 1_001
    room.until((NOISY, True))


def test_the_next_request_of_a_caller_waits_for_the_share_that_the_one_before_used(room: Room) -> None:
    room.spend(QUIET, CHEAP)
    room.spend(NOISY, DEAR, 2)
    for _ in range(3):
        room.send(NOISY)
    assert (room.slots.running(NOISY), room.slots.waiting(NOISY)) == (1, 2)
    room.slots.leave(NOISY, DEAR)
    assert (room.slots.running(NOISY), room.slots.waiting(NOISY)) == (0, 2)
    room.now += 205
    room.until((NOISY, True), (NOISY, True))


# --- too many ---


def full_of(room: Room, *callers: str) -> None:
    """Fill every slot and every waiting place; these callers wait."""
    room.spend("third", CHEAP, 20)
    for caller in (*["third"] * 4, ANONYMOUS):
        assert room.slots.enter(caller)
    for caller in callers:
        room.send(caller)


def test_when_too_many_wait_the_newest_of_the_caller_with_most_is_refused(room: Room) -> None:
    full_of(room, *[NOISY] * WAITING)
    room.send(QUIET)
    room.until((NOISY, False))
    assert (room.slots.waiting(NOISY), room.slots.waiting(QUIET)) == (WAITING - 1, 1)
    room.slots.leave("third", CHEAP)
    room.slots.leave("third", CHEAP)
    while len(room.answers) < 3:
        sleep(0)
    assert set(room.answers) == {(NOISY, False), (NOISY, True), (QUIET, True)}


def test_when_too_many_wait_the_caller_with_most_is_refused_itself(room: Room) -> None:
    full_of(room, *[NOISY] * (WAITING - 1), QUIET)
    assert not room.slots.enter(NOISY)
    assert (room.slots.waiting(NOISY), room.slots.waiting(QUIET)) == (WAITING - 1, 1)


def test_callers_that_wait_as_much_displace_each_other_not(room: Room) -> None:
    full_of(room, *[NOISY, QUIET] * (WAITING // 2))
    assert not room.slots.enter(QUIET)
    assert not room.slots.enter(NOISY)


# --- memory ---


def test_callers_of_whom_nothing_is_known_are_forgotten(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_slots, "_CALLERS_REMEMBERED", 8)
    small = Room()
    small.slots._most_callers = 8
    small.spend(NOISY, 60)
    for number in range(100):
        small.spend(f"caller {number}", CHEAP)
        small.now += 10
    assert len(small.slots._callers) <= 16
    assert NOISY in small.slots._callers


def test_a_bench_lifts_the_share() -> None:
    limit = CallerLimits.lifted().slots
    assert limit.most > 1_000
    assert limit.processor_time.burst > 1_000_000
