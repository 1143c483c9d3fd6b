"""The life of a connection: every script that changes its state, with its audit entry. Must not know Google."""

import json
from collections.abc import Mapping
from typing import cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import BlockCause, Facts
from calendar_service.domain.names import Agent
from calendar_service.store import answers
from calendar_service.store.audit_log import MAINTENANCE, Actor, EntryKind, entry
from calendar_service.store.database import Database
from calendar_service.store.slots import Slot, Teardown


class Connections:
    """Changes the connections of all agents. Each method runs one script, which also appends the audit entry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- connecting ---

    def begin(self, agent: Agent, state_digest: str) -> None:
        """Make the consent of this state the only one that may complete; an earlier one is superseded."""
        audit_entry = entry(EntryKind.CONSENT_BEGUN, Actor.AGENT)
        self._database.step("begin_consent", agent, audit_entry, state=state_digest)

    def connect(
        self, agent: Agent, state_digest: str, slot: Slot, connection_id: str, grant: str, facts: Mapping[str, str],
        *, reconsent: bool, account_ref: str, probe_due: Millis,
    ) -> answers.ConnectAgent:  # fmt: skip
        """Store the grant and facts of a consent that Google answered: the connection stands from here on.

        `slot`: as the caller read it; the answer is `again` if the connection is another one by now. `reconsent`: the
        standing connection renews its consent. `probe_due`: an instant of the process's clock.
        """
        answer = self._database.step(
            "connect_agent",
            agent,
            entry(EntryKind.CONNECTED, Actor.AGENT),
            state=state_digest,
            expected_connection_id=slot.facts.connection_id,
            connection_id=connection_id,
            grant=grant,
            reconsent="1" if reconsent else "0",
            account_ref=account_ref,
            facts=json.dumps(dict(facts)),
            probe_due=probe_due,
        )
        return cast(answers.ConnectAgent, answer[0])

    def calendar_ready(
        self, agent: Agent, connection_id: str, calendar_id: str, account_ref: str, *, adopted: bool
    ) -> bool:
        """Store the dedicated calendar and its account; false if the connection ended meanwhile.

        `adopted`: the calendar was found by its marker alone, so it may hold events that no record knows.
        """
        answer = self._database.step(
            "set_calendar",
            agent,
            entry(EntryKind.CALENDAR_READY, Actor.SERVICE),
            connection_id=connection_id,
            calendar=calendar_id,
            adopted="1" if adopted else "0",
            account_ref=account_ref,
        )
        return cast(answers.SetCalendar, answer[0]) == "ok"

    def calendar_missing(self, agent: Agent, facts: Facts) -> None:
        """Record that the calendar of these facts is no longer in the account, unless it was replaced since."""
        self._database.step(
            "mark_calendar_missing",
            agent,
            entry(EntryKind.CALENDAR_MISSING, Actor.GOOGLE),
            connection_id=facts.connection_id,
            calendar=facts.calendar.id,
        )

    def set_block(self, agent: Agent, connection_id: str, cause: BlockCause | None) -> bool:
        """Record what Google refuses to the connection as a whole, None: nothing; true if this cause is new."""
        answer = self._database.step(
            "set_block", agent, MAINTENANCE, connection_id=connection_id, cause=cause.value if cause else ""
        )
        return cast(answers.SetBlock, answer[0]) == "begun"

    # --- consent, pause, retention, the token ---

    def consent_needed(self, agent: Agent, connection_id: str, number: int) -> None:
        """Record that Google refused token `number` for its scope (SC-5), unless a newer token is stored."""
        self._database.step(
            "require_reconsent",
            agent,
            entry(EntryKind.CONSENT_NEEDED, Actor.GOOGLE),
            connection_id=connection_id,
            outdated_policy="",
            token_number=number,
        )

    def consent_outdated_by_policy(self, agent: Agent, connection_id: str, policy: str) -> bool:
        """Record that a consent under version `policy` is outdated (SC-5); false if it was recorded, or was renewed."""
        answer = self._database.step(
            "require_reconsent",
            agent,
            entry(EntryKind.CONSENT_NEEDED, Actor.OPERATOR),
            connection_id=connection_id,
            outdated_policy=policy,
            token_number="",
        )
        return cast(answers.RequireReconsent, answer[0]) == "ok"

    def pause(self, agent: Agent, actor: Actor, *, paused: bool) -> answers.SetPause:
        """Set or lift the actor's own pause."""
        fact = "pause_by_agent" if actor is Actor.AGENT else "pause_by_organization"
        audit_entry = entry(EntryKind.PAUSED if paused else EntryKind.RESUMED, actor)
        answer = self._database.step("set_pause", agent, audit_entry, fact=fact, on="1" if paused else "0")
        return cast(answers.SetPause, answer[0])

    def choose_retention(self, agent: Agent, term: Millis) -> answers.SetRetention:
        """Store the agent's own retention period, 0 for the operator's."""
        audit_entry = entry(EntryKind.RETENTION_CHOSEN, Actor.AGENT)
        return cast(
            answers.SetRetention, self._database.step("set_retention", agent, audit_entry, retention=term)[0]
        )

    def save_refreshed(
        self, agent: Agent, connection_id: str, number: int, grant: str, probe_due: Millis
    ) -> bool:
        """Store a refreshed grant that was made from token `number`; false if another token is stored by now, or none.

        `probe_due`: when the next proof of life is due, an instant of the process's clock.
        """
        answer = self._database.step(
            "save_refreshed_grant",
            agent,
            MAINTENANCE,
            connection_id=connection_id,
            token_number=number,
            grant=grant,
            probe_due=probe_due,
        )
        return cast(answers.SaveRefreshedGrant, answer[0]) == "ok"

    # --- the end ---

    def disconnect(
        self,
        agent: Agent,
        actor: Actor,
        *,
        delete_calendar: bool,
        erase_after: Millis,
        teardown_lease: Millis,
    ) -> tuple[answers.DisconnectAgent, str]:
        """End the connection and move its sealed token into a teardown; the second value is its id if it ended now.

        `erase_after`: the operator's retention period. `teardown_lease`: how long workers leave the teardown alone.
        """
        answer = self._database.step(
            "disconnect_agent",
            agent,
            entry(EntryKind.DISCONNECTED, actor),
            delete_calendar="1" if delete_calendar else "0",
            erase_after=erase_after,
            teardown_lease=teardown_lease,
        )
        return cast(answers.DisconnectAgent, answer[0]), answer[1] if len(answer) > 1 else ""

    def give_back(
        self, agent: Agent, connection_id: str, grant: str, *, account_ref: str, teardown_lease: Millis
    ) -> None:
        """Leave the sealed grant of a refused consent to a teardown. `teardown_lease`: as in `disconnect`."""
        self._database.step(
            "give_back_grant",
            agent,
            entry(EntryKind.TEARDOWN, Actor.SERVICE),
            connection_id=connection_id,
            grant=grant,
            account_ref=account_ref,
            teardown_lease=teardown_lease,
        )

    def mark_revoked(
        self, agent: Agent, connection_id: str, number: int, erase_after: Millis
    ) -> answers.MarkRevoked:
        """End the connection because Google proved token `number` dead; `newer` if another token is stored by now."""
        answer = self._database.step(
            "mark_revoked",
            agent,
            entry(EntryKind.REVOKED, Actor.GOOGLE),
            connection_id=connection_id,
            token_number=number,
            erase_after=erase_after,
        )
        return cast(answers.MarkRevoked, answer[0])

    def erase(
        self, agent: Agent, actor: Actor, number: str, receipt: str, *, timed: bool
    ) -> answers.EraseConnection:
        """Erase an ended connection and store its receipt; with `timed` only if its term is over and the clocks agree.

        `number` and `receipt`: of the signed receipt, without its salt.
        """
        answer = self._database.step(
            "erase_connection",
            agent,
            entry(EntryKind.ERASED, actor),
            mode="due" if timed else "now",
            process_now=self._database.clock.now(),
            receipt_number=number,
            receipt=receipt,
        )
        return cast(answers.EraseConnection, answer[0])

    def teardown_step(self, agent: Agent, teardown: Teardown, after: Millis) -> None:
        """Store the teardown as it is after one more try; the next is due `after` ms from now."""
        self._database.step(
            "update_teardown",
            agent,
            entry(EntryKind.TEARDOWN, Actor.SERVICE),
            connection_id=teardown.connection_id,
            teardown=teardown.to_json(),
            outcome="pending",
            after=after,
            calendar_deletion="",
        )

    def teardown_done(self, agent: Agent, teardown: Teardown, outcome: str) -> None:
        """Remove the teardown with its sealed token, and record its outcome."""
        self._database.step(
            "update_teardown",
            agent,
            entry(EntryKind.TEARDOWN, Actor.SERVICE),
            connection_id=teardown.connection_id,
            teardown="",
            outcome=outcome,
            after=0,
            calendar_deletion=teardown.calendar_deletion,
        )
