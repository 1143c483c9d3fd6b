"""An agent's slot as a whole: read it, and take the steps of a connection's life. Must not know Google."""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, cast

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import Facts
from calendar_service.domain.connection import Grant as GrantFact
from calendar_service.domain.consent import is_newer
from calendar_service.domain.errors import OrganizationClosed
from calendar_service.domain.hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Record
from calendar_service.domain.timers import TimerKind
from calendar_service.store import answers, keys
from calendar_service.store.database import Database, ask_time
from calendar_service.store.journal import MAINTENANCE, Actor, Kind, entry, note


@dataclass(frozen=True, slots=True)
class Errand:
    """What is left to do at Google after a disconnect; the only holder of its sealed token (law 6)."""

    connection_id: str
    grant: str
    mark: str
    started: Millis
    tries: int
    delete_calendar: bool
    calendar_id: str
    channels: Mapping[str, str] = field(default_factory=dict)
    """Channels that Google has to stop: what each watches, by the channel's id."""
    calendar_fate: str = ""
    """What became of a deletion that the agent asked for: empty, `deleted` or `refused`."""

    def to_json(self) -> str:
        """Return the errand as the store keeps it, under its connection's id."""
        kept = asdict(self)
        del kept["connection_id"]
        return json.dumps({**kept, "started": str(self.started)})

    @classmethod
    def of_json(cls, connection_id: str, text: str) -> "Errand":
        """Return the errand that a script or `to_json` wrote."""
        kept = json.loads(text)
        return cls(connection_id=connection_id, **{**kept, "started": int(kept["started"])})

    def retried(self) -> "Errand":
        """Return the errand after one more try that proved nothing."""
        return replace(self, tries=self.tries + 1)


@dataclass(frozen=True, slots=True)
class Slot:
    """An agent's slot at one moment."""

    agent: Agent
    facts: Facts
    grant: str
    """The sealed grant, or empty."""
    errands: tuple[Errand, ...]
    due: Mapping[str, Millis]
    now: Millis
    """The database's time."""

    @property
    def connection_ids(self) -> tuple[str, ...]:
        """The agent's connections: the present one, and former ones whose errands have not ended."""
        return self.facts.connection_id, *(errand.connection_id for errand in self.errands)


class Connections:
    """The steps of a connection's life, each one script together with its journal entry."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- reading ---

    def slot(self, agent: Agent) -> Slot:
        """Return the slot in one round trip."""
        slot_keys = self._database.slot_keys(agent)
        facts, grant, errands, due, time = self._database.read(
            [
                ("HGETALL", slot_keys.part("facts")),
                ("GET", slot_keys.part("grant")),
                ("HGETALL", slot_keys.part("errands")),
                ("ZRANGE", slot_keys.part("due"), 0, -1, "WITHSCORES"),
                ask_time(slot_keys.part("facts")),
            ]
        )
        return Slot(
            agent,
            facts_of(facts, self._database.policy),
            grant or "",
            tuple(Errand.of_json(name, text) for name, text in errands.items()),
            {what: int(at) for what, at in due},
            self._database.instant(time),
        )

    def is_closed(self, organization: str) -> bool:
        """Tell whether the organization was off-boarded."""
        return bool(self._database.ask(lambda client: client.exists(keys.closed(organization))))

    def refuse_closed(self, organization: str) -> None:
        """Raise `OrganizationClosed` if the organization was off-boarded."""
        if self.is_closed(organization):
            raise closed()

    def set_closed(self, organization: str, actor: Actor, *, is_closed: bool) -> None:
        """Close an organization, or reopen it; its entry names none."""
        name = keys.closed(organization)
        if self.is_closed(organization) == is_closed:
            self._database.confirm(name)
            return
        # It lies on another server than the journal, so the entry is a step of its own, and comes first: a crash in
        # between leaves an act written down that is asked for again, never one that is not.
        note(self._database, Kind.ORGANIZATION_CLOSED if is_closed else Kind.ORGANIZATION_REOPENED, actor)
        if is_closed:
            self._database.script("set_flag", {"flag": name})
        else:
            self._database.write("DEL", name)

    def members(self, organization: str) -> Iterator[Agent]:
        """Yield the organization's agents that have a slot, in a stable order."""
        indexes = [keys.index(shard, organization) for shard in keys.all_shards()]
        for names in self._database.read(("SMEMBERS", index) for index in indexes):
            yield from (Agent.of_member(member) for member in sorted(names))

    def receipt(self, number: str) -> str | None:
        """Return a receipt as it was signed; None for what is no number of one that is kept."""
        shard = _shard_of_receipt(number)
        if shard is None:
            return None
        return cast(str | None, self._database.ask(lambda client: client.hget(keys.receipts(shard), number)))

    def new_receipt_number(self, agent: Agent) -> str:
        """Return a random number for a receipt; it names the shard in which the receipt will lie."""
        return f"{self._database.slot_keys(agent).shard}-{secrets.token_hex(12)}"

    # --- connecting ---

    def begin(self, agent: Agent, state_digest: str) -> None:
        """Let the consent of this state be the one that may complete."""
        made = entry(Kind.CONSENT_BEGUN, Actor.AGENT)
        self._database.step("begin_consent", agent, made, state=state_digest)

    def connect(
        self, agent: Agent, state_digest: str, slot: Slot, connection_id: str, grant: str, facts: Mapping[str, str],
        *, renewal: bool, mark: str, probe_due: Millis,
    ) -> answers.ConnectAgent:  # fmt: skip
        """Let the connection stand."""
        answer = self._database.step(
            "connect_agent",
            agent,
            entry(Kind.CONNECTED, Actor.AGENT),
            state=state_digest,
            expected_connection_id=slot.facts.connection_id,
            connection_id=connection_id,
            grant=grant,
            renewal="1" if renewal else "0",
            account_ref=mark,
            facts=json.dumps(dict(facts)),
            probe_due=probe_due,
        )
        return cast(answers.ConnectAgent, answer[0])

    def calendar_ready(
        self, agent: Agent, connection_id: str, calendar_id: str, mark: str, *, adopted: bool
    ) -> bool:
        """Note the dedicated calendar; false when the connection is gone."""
        answer = self._database.step(
            "set_calendar",
            agent,
            entry(Kind.CALENDAR_READY, Actor.SERVICE),
            connection_id=connection_id,
            calendar=calendar_id,
            adopted="1" if adopted else "0",
            account_ref=mark,
        )
        return cast(answers.SetCalendar, answer[0]) == "ok"

    def calendar_missing(self, agent: Agent, facts: Facts) -> None:
        """Note that the calendar of these facts is no longer in the account, unless another stands by now."""
        self._database.step(
            "mark_calendar_missing",
            agent,
            entry(Kind.CALENDAR_MISSING, Actor.GOOGLE),
            connection_id=facts.connection_id,
            calendar=facts.calendar_id,
        )

    # --- notifications ---

    def listener(self, channel_id: str) -> Agent | None:
        """Return whose calendar this channel is about; None if it is not in force."""
        index = keys.channels(int(channel_id[:2], 16))
        member = self._database.ask(lambda client: client.hget(index, channel_id))
        return Agent.of_member(member) if member else None

    def new_channel_id(self, agent: Agent) -> str:
        """Return a random id for a channel; it names the shard, so that a notification finds its agent in one place."""
        return f"{self._database.slot_keys(agent).shard:02x}{secrets.token_hex(16)}"

    def nudge(self, agent: Agent, channel_id: str) -> None:
        """Let the calendar be looked at soon, unless it will be."""
        self._database.step("wake_change_detection", agent, MAINTENANCE, channel=channel_id)

    def channel_opened(
        self,
        agent: Agent,
        connection_id: str,
        calendar_id: str,
        channel_id: str,
        resource_id: str,
        renew_at: Millis,
    ) -> bool:
        """Let this channel be the one in force; false if it is to be stopped, because what it watches is gone."""
        answer = self._database.step(
            "open_channel",
            agent,
            entry(Kind.CHANNEL_OPENED, Actor.SERVICE),
            connection_id=connection_id,
            calendar=calendar_id,
            channel=channel_id,
            resource=resource_id,
            renew_at=renew_at,
        )
        return cast(answers.OpenChannel, answer[0]) == "ok"

    def channel_stopped(self, agent: Agent, connection_id: str, channel_id: str) -> None:
        """Forget a channel that Google has stopped."""
        made = entry(Kind.CHANNEL_STOPPED, Actor.SERVICE)
        self._database.step("remove_channel", agent, made, connection_id=connection_id, channel=channel_id)

    # --- timers ---

    def matter_begins(self, agent: Agent, timer: str) -> Millis | None:
        """Take one due item of a live connection; return when it is due from now on, None if the connection ended."""
        answer = self._database.step("start_item", agent, MAINTENANCE, timer=timer)
        return int(answer[1]) if cast(answers.StartItem, answer[0]) == "ok" else None

    def realign(self, agent: Agent) -> int:
        """Let be due now what a clock that was ahead put far off; return how many timers that were."""
        fixed = [kind.value for kind in TimerKind if not kind.may_reset]
        return int(self._database.step("reset_far_timers", agent, MAINTENANCE, fixed=fixed)[1])

    def postpone(
        self, agent: Agent, timer: str, after: Millis | None, expected: Millis | None = None
    ) -> None:
        """Let one timer of the slot be due `after` ms from now (None: not at all).

        With `expected`, when it was due: not if something made it due at another time meanwhile. Without a
        timer's name, only the agent's own entry among the shard's timers is set anew.
        """
        self._database.step(
            "reschedule",
            agent,
            MAINTENANCE,
            timer=timer,
            after="" if after is None else after,
            expected="" if expected is None else expected,
        )

    # --- consent, pauses, retention ---

    def consent_needed(self, agent: Agent, connection_id: str, number: int) -> None:
        """Note that Google says the permission of token `number` does not suffice (SC-5), unless a newer one stands."""
        self._database.step(
            "require_reconsent",
            agent,
            entry(Kind.CONSENT_NEEDED, Actor.GOOGLE),
            connection_id=connection_id,
            outdated_policy="",
            token_number=number,
        )

    def consent_outgrown(self, agent: Agent, connection_id: str, policy: str) -> bool:
        """Note that a consent under version `policy` no longer covers what is asked (SC-5); false if it did already."""
        answer = self._database.step(
            "require_reconsent",
            agent,
            entry(Kind.CONSENT_NEEDED, Actor.OPERATOR),
            connection_id=connection_id,
            outdated_policy=policy,
            token_number="",
        )
        return cast(answers.RequireReconsent, answer[0]) == "ok"

    def pause(self, agent: Agent, actor: Actor, *, paused: bool) -> answers.SetPause:
        """Set or lift the actor's own pause."""
        fact = "paused_by_agent" if actor is Actor.AGENT else "paused_by_organization"
        made = entry(Kind.PAUSED if paused else Kind.RESUMED, actor)
        answer = self._database.step("set_pause", agent, made, fact=fact, on="1" if paused else "0")
        return cast(answers.SetPause, answer[0])

    def choose_term(self, agent: Agent, term: Millis) -> answers.SetRetention:
        """Keep the agent's own term, 0 for the operator's."""
        made = entry(Kind.TERM_CHOSEN, Actor.AGENT)
        return cast(
            answers.SetRetention, self._database.step("set_retention", agent, made, retention=term)[0]
        )

    # --- the legal hold ---

    def hold(self, agent: Agent, hold: Hold, *, replace: bool) -> answers.PlaceHold:
        """Place a hold."""
        answer = self._database.step(
            "place_hold",
            agent,
            entry(Kind.HOLD_PLACED, Actor.OPERATOR),
            ends_at=hold.until,
            told_from=hold.told_from,
            words=hold.words(),
            replace="1" if replace else "0",
        )
        return cast(answers.PlaceHold, answer[0])

    def hold_ends(self, agent: Agent, actor: Actor, *, released: bool) -> answers.LiftHold:
        """Lift a hold, or forget one that is over."""
        made = entry(Kind.HOLD_RELEASED if released else Kind.HOLD_OVER, actor)
        answer = self._database.step("lift_hold", agent, made, mode="released" if released else "over")
        return cast(answers.LiftHold, answer[0])

    # --- the token ---

    def lease(self, agent: Agent, name: str, length: Millis) -> int | None:
        """Take a named lease (`refresh`, `calendar`); return its fencing number, or None if it is taken."""
        answer = self._database.step("take_lease", agent, MAINTENANCE, name=name, length=length)
        return int(answer[1]) if cast(answers.TakeLease, answer[0]) == "ok" else None

    def release(self, agent: Agent, name: str, fencing_number: int) -> None:
        """Give the lease back if it is still ours."""
        self._database.step("release_lease", agent, MAINTENANCE, name=name, fencing_number=fencing_number)

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
        self, agent: Agent, actor: Actor, *, delete_calendar: bool, erase_after: Millis, errand_lease: Millis
    ) -> tuple[answers.DisconnectAgent, str]:
        """End the connection; the second value is its id if this step ended it."""
        answer = self._database.step(
            "disconnect_agent",
            agent,
            entry(Kind.DISCONNECTED, actor),
            delete_calendar="1" if delete_calendar else "0",
            erase_after=erase_after,
            teardown_lease=errand_lease,
        )
        return cast(answers.DisconnectAgent, answer[0]), answer[1] if len(answer) > 1 else ""

    def dead(self, agent: Agent, connection_id: str, number: int, erase_after: Millis) -> answers.MarkRevoked:
        """Mark the grant dead on Google's word about token `number`."""
        answer = self._database.step(
            "mark_revoked",
            agent,
            entry(Kind.REVOKED, Actor.GOOGLE),
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
            entry(Kind.ERASED, actor),
            mode="due" if timed else "now",
            process_now=self._database.clock.now(),
            receipt_number=number,
            receipt=receipt,
        )
        return cast(answers.EraseConnection, answer[0])

    def errand_step(self, agent: Agent, errand: Errand, after: Millis) -> None:
        """Keep the errand for another try `after` ms from now."""
        self._database.step(
            "update_teardown",
            agent,
            entry(Kind.ERRAND, Actor.SERVICE),
            connection_id=errand.connection_id,
            teardown=errand.to_json(),
            outcome="pending",
            after=after,
            calendar_deletion="",
        )

    def errand_done(self, agent: Agent, errand: Errand, outcome: str) -> None:
        """End the errand: its token is gone from here on."""
        self._database.step(
            "update_teardown",
            agent,
            entry(Kind.ERRAND, Actor.SERVICE),
            connection_id=errand.connection_id,
            teardown="",
            outcome=outcome,
            after=0,
            calendar_deletion=errand.calendar_fate,
        )

    def tidy(self, agent: Agent, days_kept: int) -> answers.PurgeOldSessions:
        """Drop the identifiers of sessions long over."""
        answer = self._database.step(
            "purge_old_sessions",
            agent,
            entry(Kind.TIDIED, Actor.SERVICE),
            process_now=self._database.clock.now(),
            days_kept=days_kept,
        )
        return cast(answers.PurgeOldSessions, answer[0])


def closed() -> OrganizationClosed:
    """Return the refusal of everything new in an off-boarded organization."""
    return OrganizationClosed(
        "This organization was off-boarded. Reopen it first (`POST /v1/organizations/{org}/reopen`)."
    )


def _shard_of_receipt(number: str) -> int | None:
    shard, _, rest = number.partition("-")
    well_formed = shard.isascii() and shard.isdigit() and len(rest) == 24 and rest.isalnum()
    return int(shard) if well_formed and int(shard) < keys.SHARDS else None


def facts_of(kept: Mapping[str, str], policy: str) -> Facts:
    """Return the facts that the store keeps, judged by the policy in force; what is absent has its default."""
    known: dict[str, Any] = {}
    for fact in fields(Facts):
        text = kept.get(fact.name)
        if text is None:
            continue
        if fact.name == "grant":
            known["grant"] = GrantFact(text)
        elif isinstance(fact.default, bool):
            known[fact.name] = text == "1"
        elif isinstance(fact.default, int):
            known[fact.name] = int(text)
        else:
            known[fact.name] = text
    outgrown = known.get("grant") is GrantFact.LIVE and is_newer(policy, known.get("consent_policy", ""))
    return Facts(**known, policy_outgrown=outgrown)


def record_of(session: str, text: str | None) -> Record | None:
    """Return a session's record as a script wrote it."""
    return Record.of_json(session, text) if text else None
