"""The timeline of a connection: from the consent to the last copy in a backup, with the dates that are known (ST-5).

Must not know the words in which it is shown.
"""

from dataclasses import replace

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts, Revocation, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.operator import Promises
from calendar_service.journeys.views import Timeline, TimelineStep
from calendar_service.store import keys


def timeline(
    facts: Facts, terms: ConsentTerms, now: Millis, promises: Promises, in_files_until: Millis | None
) -> Timeline:
    """Return the steps in their order at `now` (database time); the one reached last is `now`, if there is any.

    `in_files_until`: until when at most the database's files hold Google's keys that are used no more, as in `EndView`.
    """
    state = facts.state(terms)
    if state in {State.DISCONNECTED, State.REVOKED}:
        return _scaled_from_the_end(
            facts.grant.since,
            now,
            _connected(facts, "past"),
            *_end(state, facts, in_files_until),
            *_after_end(facts, now, promises),
        )
    to_come = _to_come(
        promises.retention(facts.end.agent_retention), promises, is_held=facts.hold.stands(now)
    )
    if state is State.NOT_CONNECTED:
        return Timeline((TimelineStep("connected", "next"), *to_come))
    if state is State.CONNECTED:
        return Timeline((_connected(facts, "now"), *to_come))
    reached = "calendar_on_its_way" if _never_made(state, facts) else state.value
    return Timeline((_connected(facts, "past"), TimelineStep(reached, "now", facts.since(terms)), *to_come))


def _scaled_from_the_end(ended: Millis, now: Millis, *steps: TimelineStep) -> Timeline:
    length = steps[-1].at - ended
    placed = (replace(step, position=_position(step.at - ended, length)) for step in steps)
    return Timeline(tuple(placed), _position(now - ended, length))


def _position(distance: Millis, length: Millis) -> float | None:
    """Return the part of the scale up to here; what is late, as an erasure may be, lies at its end."""
    return min(distance / length, 1.0) if length > 0 and distance >= 0 else None


def _never_made(state: State, facts: Facts) -> bool:
    return state is State.CALENDAR_MISSING and facts.calendar.status == "never_made"


def _connected(facts: Facts, when: str) -> TimelineStep:
    return TimelineStep("connected", when, facts.grant.connected_at)


def _to_come(retention: Millis, promises: Promises, *, is_held: bool) -> tuple[TimelineStep, ...]:
    """Return the steps that a disconnect would begin; under a legal hold the erasure has no date."""
    erased, gone = (
        (0, 0) if is_held else (retention, max(retention, keys.TEARDOWN_MAX) + promises.copies_kept)
    )
    return (
        TimelineStep("disconnected", "next", position=_position(0, gone)),
        *(
            TimelineStep(what, "next", after=after, position=_position(after, gone))
            for what, after in (
                ("keys_destroyed", keys.TEARDOWN_MAX),
                ("erased", erased),
                ("copies_gone", gone),
            )
        ),
    )


def _end(state: State, facts: Facts, in_files_until: Millis | None) -> tuple[TimelineStep, ...]:
    if facts.end.revocation == Revocation.PENDING:
        last = facts.grant.since + keys.TEARDOWN_MAX
        return TimelineStep(state.value, "now", facts.grant.since), TimelineStep(
            "keys_destroyed", "next", last
        )
    ended = TimelineStep(state.value, "past", facts.grant.since)
    if in_files_until is not None:
        unused = TimelineStep("keys_unused", "now", facts.end.revocation_at)
        return ended, unused, TimelineStep("keys_destroyed", "next", in_files_until)
    unused = TimelineStep("keys_unused", "past", facts.end.revocation_at)
    return ended, unused, TimelineStep("keys_destroyed", "now")


def _after_end(facts: Facts, now: Millis, promises: Promises) -> tuple[TimelineStep, TimelineStep]:
    erased = facts.hold.disclosed_erasure(facts.end.erase_due, now)
    kept_until = facts.grant.since + keys.TEARDOWN_MAX if facts.end.revocation == Revocation.PENDING else 0
    gone = max(erased, kept_until) + promises.copies_kept if erased else 0
    return TimelineStep("erased", "next", erased), TimelineStep("copies_gone", "next", gone)
