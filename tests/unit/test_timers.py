"""What each kind of timer allows."""

from calendar_service.domain.timers import TimerKind


def test_deadlines_that_were_told_or_promised_are_never_reset() -> None:
    assert {kind for kind in TimerKind if not kind.may_reset} == {
        TimerKind.ERASE,
        TimerKind.HOLD,
        TimerKind.WEBHOOK_EXPIRY,
    }


def test_the_start_is_recorded_of_what_can_become_due_while_it_runs() -> None:
    assert {kind for kind in TimerKind if kind.records_start} == {
        TimerKind.CHANNEL,
        TimerKind.CHANGE_DETECTION,
    }


def test_a_kind_of_a_newer_version_is_unknown() -> None:
    assert [TimerKind.known(kind) for kind in ("erase", "polish", "")] == [TimerKind.ERASE, None, None]


def test_a_timer_bears_the_name_of_what_it_is_for() -> None:
    assert TimerKind.SESSION.of("s1") == "session:s1"
