"""From the consent to the last copy in a back-up: what was, what is, what comes, with the dates that are known (ST-5).

Must not know words.
"""

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts, Revocation, State
from calendar_service.domain.operator import Promises
from calendar_service.domain.scope import SCOPE
from calendar_service.journeys.views import Step
from calendar_service.store import keys


def timeline(facts: Facts, now: Millis, promises: Promises) -> tuple[Step, ...]:
    """Return the steps in their order; exactly one is `now`, unless nothing was ever connected."""
    state = facts.state(SCOPE)
    if state in {State.DISCONNECTED, State.REVOKED}:
        return (
            _connected(facts, "past"),
            Step(state.value, "now", facts.grant_since),
            *_ended(facts, now, promises),
        )
    to_come = _to_come(promises.term(facts.own_term), promises, is_held=facts.held(now))
    if state is State.NOT_CONNECTED:
        return Step("connected", "next"), *to_come
    if state is State.CONNECTED:
        return _connected(facts, "now"), *to_come
    return _connected(facts, "past"), Step(state.value, "now", facts.since(SCOPE)), *to_come


def _connected(facts: Facts, when: str) -> Step:
    return Step("connected", when, facts.connected_at)


def _to_come(term: Millis, promises: Promises, *, is_held: bool) -> tuple[Step, ...]:
    """Return what a disconnect would begin; under a legal hold no term can be named."""
    erased, gone = (0, 0) if is_held else (term, term + promises.copies_kept)
    return (
        Step("disconnected", "next"),
        Step("keys_destroyed", "next", after=keys.ERRAND_MAX),
        Step("erased", "next", after=erased),
        Step("copies_gone", "next", after=gone),
    )


def _ended(facts: Facts, now: Millis, promises: Promises) -> tuple[Step, ...]:
    pending = facts.revocation == Revocation.PENDING
    keys_destroyed = (
        Step("keys_destroyed", "next", facts.grant_since + keys.ERRAND_MAX)
        if pending
        else Step("keys_destroyed", "past", facts.revocation_at)
    )
    # Until the agent may be told of a hold, the plain date would be false and the hold's own would tell.
    erased = 0 if facts.held_in_silence(now) else facts.erasable_at
    gone = erased + promises.copies_kept if erased else 0
    return keys_destroyed, Step("erased", "next", erased), Step("copies_gone", "next", gone)
