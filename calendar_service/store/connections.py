"""The life of a connection: every step that changes what it is, with its audit entry. Must not know Google."""

import json
from collections.abc import Mapping
from typing import cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts
from calendar_service.domain.names import Agent
from calendar_service.store import answers
from calendar_service.store.audit_log import MAINTENANCE, Actor, EntryKind, entry
from calendar_service.store.database import Database
from calendar_service.store.slots import Slot, Teardown


class Connections:
    """The steps of a connection's life, each one script together with its audit entry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- connecting ---

    def begin(self, agent: Agent, state_digest: str) -> None:
        """Let the consent of this state be the one that may complete."""
        made = entry(EntryKind.CONSENT_BEGUN, Actor.AGENT)
        self._database.step("begin_consent", agent, made, state=state_digest)

    def connect(
        self, agent: Agent, state_digest: str, slot: Slot, connection_id: str, grant: str, facts: Mapping[str, str],
        *, reconsent: bool, account_ref: str, probe_due: Millis,
    ) -> answers.ConnectAgent:  # fmt: skip
        """Let the connection stand."""
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
        """Note the dedicated calendar; false when the connection is gone."""
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
        """Note that the calendar of these facts is no longer in the account, unless another stands by now."""
        self._database.step(
            "mark_calendar_missing",
            agent,
            entry(EntryKind.CALENDAR_MISSING, Actor.GOOGLE),
            connection_id=facts.connection_id,
            calendar=facts.calendar.id,
        )

    # --- consent, pause, retention, the token ---

    def consent_needed(self, agent: Agent, connection_id: str, number: int) -> None:
        """Note that Google says the permission of token `number` does not suffice (SC-5), unless a newer one stands."""
        self._database.step(
            "require_reconsent",
            agent,
            entry(EntryKind.CONSENT_NEEDED, Actor.GOOGLE),
            connection_id=connection_id,
            outdated_policy="",
            token_number=number,
        )

    def consent_outdated_by_policy(self, agent: Agent, connection_id: str, policy: str) -> bool:
        """Note that a consent under version `policy` no longer covers what is asked (SC-5); false if it did already."""
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
        made = entry(EntryKind.PAUSED if paused else EntryKind.RESUMED, actor)
        answer = self._database.step("set_pause", agent, made, fact=fact, on="1" if paused else "0")
        return cast(answers.SetPause, answer[0])

    def choose_retention(self, agent: Agent, term: Millis) -> answers.SetRetention:
        """Keep the agent's own term, 0 for the operator's."""
        made = entry(EntryKind.RETENTION_CHOSEN, Actor.AGENT)
        return cast(
            answers.SetRetention, self._database.step("set_retention", agent, made, retention=term)[0]
        )

    def refreshed(self, agent: Agent, connection_id: str, number: int, grant: str, probe_due: Millis) -> bool:
        """Keep newer tokens made from number `number`; false when a newer grant stands or none."""
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
        """End the connection; the second value is its id if this step ended it."""
        answer = self._database.step(
            "disconnect_agent",
            agent,
            entry(EntryKind.DISCONNECTED, actor),
            delete_calendar="1" if delete_calendar else "0",
            erase_after=erase_after,
            teardown_lease=teardown_lease,
        )
        return cast(answers.DisconnectAgent, answer[0]), answer[1] if len(answer) > 1 else ""

    def dead(self, agent: Agent, connection_id: str, number: int, erase_after: Millis) -> answers.MarkRevoked:
        """Mark the grant dead on Google's word about token `number`."""
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
        """Erase the connection; `timed`: only if its time has come."""
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
        """Keep the errand for another try `after` ms from now."""
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
        """End the errand: its token is gone from here on."""
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
