"""Legal holds: identifiers and their history stay until a hold ends (law 7)."""

from typing import cast

from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.store import answers
from calendar_service.store.audit_log import Actor, EntryKind, entry
from calendar_service.store.database import Database


class LegalHoldStore:
    """Places and lifts holds, each step with its audit entry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def place(self, agent: Agent, hold: Hold, *, replace: bool) -> answers.PlaceHold:
        """Place a hold, or with `replace` put it in place of one that stands."""
        answer = self._database.step(
            "place_hold",
            agent,
            entry(EntryKind.HOLD_PLACED, Actor.OPERATOR),
            ends_at=hold.until,
            silent_until=hold.silent_until,
            statement=hold.statement(),
            replace="1" if replace else "0",
        )
        return cast(answers.PlaceHold, answer[0])

    def lift(self, agent: Agent, actor: Actor, *, released: bool) -> answers.LiftHold:
        """Lift a hold: with `released` whatever its end, else only if its end has passed by the database's clock."""
        audit_entry = entry(EntryKind.HOLD_RELEASED if released else EntryKind.HOLD_OVER, actor)
        answer = self._database.step("lift_hold", agent, audit_entry, mode="released" if released else "over")
        return cast(answers.LiftHold, answer[0])
