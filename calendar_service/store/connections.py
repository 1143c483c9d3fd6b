"""An agent's slot as a whole: read it, and take the steps of a connection's life. Must not know Google."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, cast

from calendar_service.domain.clock import HOUR, Millis
from calendar_service.domain.connection import Facts
from calendar_service.domain.connection import Grant as GrantFact
from calendar_service.domain.consent import is_newer
from calendar_service.domain.errors import OrganizationClosed
from calendar_service.domain.hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Record
from calendar_service.store import keys
from calendar_service.store.database import CLOCK_TOLERANCE, Database, ask_time
from calendar_service.store.journal import Actor, Kind, entry, note


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

        def look(pipeline: Any) -> None:
            pipeline.hgetall(keys.part(agent, "facts"))
            pipeline.get(keys.part(agent, "grant"))
            pipeline.hgetall(keys.part(agent, "errands"))
            pipeline.zrange(keys.part(agent, "due"), 0, -1, withscores=True)
            ask_time(pipeline, keys.part(agent, "facts"))

        facts, grant, errands, due, time = self._database.read(look)
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
            self._database.script("note", [name])
        else:
            self._database.write("DEL", name)

    def members(self, organization: str) -> Iterator[Agent]:
        """Yield the organization's agents that have a slot, in a stable order."""

        def look(pipeline: Any) -> None:
            for shard in keys.all_shards():
                pipeline.smembers(keys.index(shard, organization))

        for names in self._database.read(look):
            yield from (Agent.of_member(member) for member in sorted(names))

    def receipt(self, number: str, shard: int) -> str | None:
        """Return a receipt as it was signed."""
        return cast(str | None, self._database.ask(lambda client: client.hget(keys.receipts(shard), number)))

    # --- connecting ---

    def begin(self, agent: Agent, state_digest: str) -> None:
        """Let the consent of this state be the one that may complete."""
        self._step("begin", agent, Kind.CONSENT_BEGUN, Actor.AGENT, state_digest, keys.OAUTH_STATE)

    def connect(
        self, agent: Agent, state_digest: str, slot: Slot, connection_id: str, grant: str, facts: Mapping[str, str],
        *, renewal: bool, mark: str, probe_due: Millis,
    ) -> str:  # fmt: skip
        """Let the connection stand. Answers `ok`, `superseded` (another attempt or a disconnect came) or `again`."""
        return self._step(
            "connect", agent, Kind.CONNECTED, Actor.AGENT, state_digest, slot.facts.connection_id, connection_id,
            grant, "1" if renewal else "0", mark, json.dumps(dict(facts)), probe_due,
        )  # fmt: skip

    def calendar_ready(
        self, agent: Agent, connection_id: str, calendar_id: str, mark: str, *, adopted: bool
    ) -> bool:
        """Note the dedicated calendar; false when the connection is gone."""
        found = (connection_id, calendar_id, "1" if adopted else "0", mark)
        answer = self._step("calendar", agent, Kind.CALENDAR_READY, Actor.SERVICE, *found)
        return answer == "ok"

    def calendar_missing(self, agent: Agent, facts: Facts) -> None:
        """Note that the calendar of these facts is no longer in the account, unless another stands by now."""
        asked = (facts.connection_id, facts.calendar_id)
        self._step("missing", agent, Kind.CALENDAR_MISSING, Actor.GOOGLE, *asked)

    # --- notifications ---

    def listener(self, channel_id: str) -> Agent | None:
        """Return whose calendar this channel is about; None if it is not in force."""
        index = keys.channels(int(channel_id[:2], 16))
        member = self._database.ask(lambda client: client.hget(index, channel_id))
        return Agent.of_member(member) if member else None

    def nudge(self, agent: Agent, channel_id: str) -> None:
        """Let the calendar be looked at soon, unless it will be."""
        self._run("nudge", agent, channel_id, keys.LOOK_AFTER)

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
        answer = self._step(
            "channel", agent, Kind.CHANNEL_OPENED, Actor.SERVICE, connection_id, calendar_id,
            channel_id, resource_id, renew_at,
        )  # fmt: skip
        return answer == "ok"

    def channel_stopped(self, agent: Agent, connection_id: str, channel_id: str) -> None:
        """Forget a channel that Google has stopped."""
        self._step("channel_stopped", agent, Kind.CHANNEL_STOPPED, Actor.SERVICE, connection_id, channel_id)

    def matter_begins(self, agent: Agent, what: str) -> Millis | None:
        """Take one matter of a live connection; return when it is due from now on, None if the connection ended."""
        answer = self._run("matter", agent, what, keys.LEASE)
        return int(answer[1]) if answer[0] == "ok" else None

    def realign(self, agent: Agent) -> int:
        """Let be due now what a clock that was ahead put far off; return how many matters that were."""
        return int(self._run("realign", agent, keys.PUT_OFF_MAX)[1])

    def consent_needed(self, agent: Agent, connection_id: str, number: int) -> None:
        """Note that Google says the permission of token `number` does not suffice (SC-5), unless a newer one stands."""
        self._step("consent", agent, Kind.CONSENT_NEEDED, Actor.GOOGLE, connection_id, "", number)

    def consent_outgrown(self, agent: Agent, connection_id: str, policy: str) -> bool:
        """Note that a consent under version `policy` no longer covers what is asked (SC-5); false if it did already."""
        step = (connection_id, policy)
        return self._step("consent", agent, Kind.CONSENT_NEEDED, Actor.OPERATOR, *step) == "ok"

    def pause(self, agent: Agent, actor: Actor, *, paused: bool) -> str:
        """Set or lift the actor's own pause. Answers `ok`, `unchanged` or `not_connected`."""
        name = "paused_by_agent" if actor is Actor.AGENT else "paused_by_organization"
        kind = Kind.PAUSED if paused else Kind.RESUMED
        return self._step("pause", agent, kind, actor, name, "1" if paused else "0")

    def choose_term(self, agent: Agent, term: Millis) -> str:
        """Keep the agent's own term, 0 for the operator's. Answers `ok`, `unchanged` or `not_connected`."""
        return self._step("term", agent, Kind.TERM_CHOSEN, Actor.AGENT, term)

    # --- the legal hold ---

    def hold(self, agent: Agent, hold: Hold, *, replace: bool) -> str:
        """Place a hold. Answers `ok`, `held` (one stands), `over` (it ends in the past) or `not_connected`."""
        asked = (hold.until, hold.told_from, hold.words(), "1" if replace else "0")
        return self._step("hold", agent, Kind.HOLD_PLACED, Actor.OPERATOR, *asked)

    def hold_ends(self, agent: Agent, actor: Actor, *, released: bool) -> str:
        """Lift a hold, or forget one that is over. Answers `ok`, `none` or `early` (it is not over)."""
        kind = Kind.HOLD_RELEASED if released else Kind.HOLD_OVER
        return self._step("hold_ends", agent, kind, actor, "released" if released else "over")

    # --- the token ---

    def lease(self, agent: Agent, what: str, length: Millis) -> int | None:
        """Take a named lease (`refresh`, `calendar`); return its fencing number, or None if it is taken."""
        answer = self._run("lease", agent, what, length)
        return int(answer[1]) if answer[0] == "ok" else None

    def release(self, agent: Agent, what: str, fence: int) -> None:
        """Give the lease back if it is still ours."""
        self._run("release", agent, what, fence)

    def refreshed(self, agent: Agent, connection_id: str, number: int, grant: str, probe_due: Millis) -> bool:
        """Keep newer tokens made from number `number`; false when a newer grant stands or none."""
        answer = self._run("refreshed", agent, connection_id, number, grant, probe_due)
        return cast(str, answer[0]) == "ok"

    # --- the end ---

    def disconnect(
        self, agent: Agent, actor: Actor, *, delete_calendar: bool, erase_after: Millis, errand_lease: Millis
    ) -> tuple[str, str]:
        """End the connection. Answers (`ok`, connection id), (`already`, '') or (`not_connected`, '')."""
        answer = self._run_entry(
            "disconnect", agent, entry(Kind.DISCONNECTED, actor),
            "1" if delete_calendar else "0", erase_after, errand_lease,
        )  # fmt: skip
        return answer[0], answer[1] if len(answer) > 1 else ""

    def dead(self, agent: Agent, connection_id: str, number: int, erase_after: Millis) -> str:
        """Mark the grant dead on Google's word. Answers `ok`, `gone` or `newer` (another token stands)."""
        return self._step("dead", agent, Kind.REVOKED, Actor.GOOGLE, connection_id, number, erase_after, HOUR)

    def erase(self, agent: Agent, actor: Actor, number: str, receipt: str, *, timed: bool) -> str:
        """Erase the connection. Answers `ok`, `not_ended`, `early`, `held` or `clock` (they disagree)."""
        mode, now = ("due" if timed else "now"), self._database.clock.now()
        return self._step("erase", agent, Kind.ERASED, actor, mode, now, number, receipt, CLOCK_TOLERANCE)

    def errand_step(self, agent: Agent, errand: Errand, after: Millis) -> None:
        """Keep the errand for another try `after` ms from now."""
        self._step(
            "errand",
            agent,
            Kind.ERRAND,
            Actor.SERVICE,
            errand.connection_id,
            errand.to_json(),
            "pending",
            after,
            "",
        )

    def errand_done(self, agent: Agent, errand: Errand, outcome: str) -> None:
        """End the errand: its token is gone from here on."""
        self._step(
            "errand",
            agent,
            Kind.ERRAND,
            Actor.SERVICE,
            errand.connection_id,
            "",
            outcome,
            0,
            errand.calendar_fate,
        )

    def tidy(self, agent: Agent, days_kept: int) -> str:
        """Drop the identifiers of sessions long over. Answers `ok` or `clock` (they disagree)."""
        now = self._database.clock.now()
        return self._step("tidy", agent, Kind.TIDIED, Actor.SERVICE, now, days_kept, CLOCK_TOLERANCE)

    def postpone(self, agent: Agent, what: str, after: Millis | None, found: Millis | None = None) -> None:
        """Look at one matter of the slot again `after` ms from now (None: not at all).

        With `found`, when it was due: not if something made it due at another time meanwhile.
        """
        self._run("postpone", agent, what, "" if after is None else after, "" if found is None else found)

    def _step(self, name: str, agent: Agent, kind: Kind, actor: Actor, *arguments: str | int) -> str:
        return cast(str, self._run_entry(name, agent, entry(kind, actor), *arguments)[0])

    def _run(self, name: str, agent: Agent, *arguments: str | int) -> list[Any]:
        return self._run_entry(name, agent, entry(Kind.UPKEEP, Actor.SERVICE), *arguments)

    def _run_entry(
        self, name: str, agent: Agent, made: Mapping[str, object], *arguments: str | int
    ) -> list[Any]:
        return self._database.step(name, agent, made, *arguments)


def closed() -> OrganizationClosed:
    """Return the refusal of everything new in an off-boarded organization."""
    return OrganizationClosed(
        "This organization was off-boarded. Reopen it first (`POST /v1/organizations/{org}/reopen`)."
    )


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
