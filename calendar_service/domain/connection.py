"""A connection as independent facts by subject, and the one state that is shown of them.

Instants are milliseconds, 0 = never. The database keeps each fact under its group's name and its own: it has
`facts.grant.since` as `grant_since`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any, Literal

from calendar_service.domain.clock import Millis
from calendar_service.domain.consent import ConsentTerms, is_newer


class GrantState(StrEnum):
    """Google's permission as we know it."""

    NONE = "none"
    LIVE = "live"
    DEAD = "dead"
    RELEASED = "released"


class State(StrEnum):
    """What is shown: the first that applies of this row, else `not_connected`.

    The row: `disconnected`, `revoked`, `reconsent_required`, `paused`, `calendar_missing`, `connected`.
    """

    DISCONNECTED = "disconnected"
    REVOKED = "revoked"
    RECONSENT_REQUIRED = "reconsent_required"
    PAUSED = "paused"
    CALENDAR_MISSING = "calendar_missing"
    CONNECTED = "connected"
    NOT_CONNECTED = "not_connected"


WAITING_STATES = frozenset({State.PAUSED, State.CALENDAR_MISSING, State.RECONSENT_REQUIRED})
"""States in which a session is accepted and waits until a person acts."""

REFUSING_STATES = frozenset({State.NOT_CONNECTED, State.DISCONNECTED, State.REVOKED})
"""States in which a new session is refused, because no act of a person can be waited for."""


class BlockCause(StrEnum):
    """Why Google serves a connection no longer although the grant lives; also the reason of its sessions that wait."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    QUOTA = "quota_exceeded"


class Revocation(StrEnum):
    """How the teardown ended, or that it has not."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    SHARED = "kept_for_another_connection"
    GIVEN_UP = "given_up"
    BY_GOOGLE = "at_google"


@dataclass(frozen=True, slots=True)
class AdminAction:
    """The last action of an administrator or the operator on the connection; the settings page shows it."""

    kind: str
    """As the audit log names it: `connection.paused`, `.resumed` or `.disconnected`."""
    actor: str
    """`administrator` (the organization) or `operator`; never a name."""
    at: Millis

    @classmethod
    def of_text(cls, text: str) -> "AdminAction | None":
        """Return the action from the text that the store's scripts write, or None for an empty one."""
        kind, actor, at = text.split(" ") if text else ("", "", "0")
        return cls(kind, actor, int(at)) if kind else None


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """What is known of Google's permission, outside the sealed grant."""

    state: GrantState = GrantState.NONE
    since: Millis = 0
    connected_at: Millis = 0
    """When this connection began; a renewed consent does not move it."""
    last_refresh_ok_at: Millis = 0
    """When the token endpoint last gave a token, which proves the grant alive (law 7)."""


@dataclass(frozen=True, slots=True)
class PauseFacts:
    """Since when each of the two pauses writing; 0 = it does not."""

    by_agent: Millis = 0
    by_organization: Millis = 0

    @property
    def since(self) -> Millis:
        """Since when writing is paused, by whomever first; 0 = not paused."""
        return min((at for at in (self.by_agent, self.by_organization) if at), default=0)


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """The dedicated calendar."""

    id: str = ""
    since: Millis = 0
    """When the calendar was found or created; 0 = missing now."""
    lost_at: Millis = 0
    number: int = 0
    """Counts the calendars of this slot: a session of an older number is lost."""
    adopted: bool = False
    """The calendar was found by its marker: it may hold events under ids we no longer know (law 3)."""
    time_zone: str = ""
    """To be set at the calendar's creation; empty afterwards (law 11)."""
    deletion: str = ""
    """What the agent asked at the disconnect: empty (it stays), `requested`, then `deleted` or `refused`."""

    @property
    def status(self) -> Literal["there", "missing", "never_made"]:
        """How the calendar stands, or stood at the connection's end."""
        if self.since:
            return "there"
        return "missing" if self.lost_at else "never_made"


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """The channel through which Google notifies the service, and former ones."""

    id: str = ""
    """Random, new with each renewal. Empty: none."""
    resource: str = ""
    """Google's own id of what the channel watches: both are needed to stop it."""
    renew_at: Millis = 0
    to_stop: Mapping[str, str] = field(default_factory=dict)
    """Channels that have to be stopped at Google: what each watches, by the channel's id."""


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """What the agent consented to, and whether it has to consent again."""

    scope: str = ""
    policy: str = ""
    """The version of the policy that the agent was shown."""
    required_since: Millis = 0
    """When Google first said that the permission does not suffice, or the policy outgrew it; 0 = current."""
    pending_state: str = ""
    """Hash of the one OAuth state that may still complete; a disconnect removes it (F29)."""

    def is_outdated(self, terms: ConsentTerms) -> bool:
        """Tell whether the consent on record no longer covers what the service asks (SC-5)."""
        return bool(self.required_since) or self.scope != terms.scope or is_newer(terms.policy, self.policy)


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """What Google last refused to the connection as a whole. The next call that it carries out removes it."""

    cause: str = ""
    """Empty, or a value of `BlockCause`."""
    since: Millis = 0


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The Google account, as keyed hashes."""

    ref: str = ""
    former_ref: str = ""
    """The account of the connection before, while it is not known whether this one is of the same."""
    moved: bool = False
    """The connection before this one was of another account; the agent is told what stays where."""
    former_connection: str = ""
    """The id of the connection before this one, which may be of another account."""
    former_revocation: str = ""
    """What became of its permission: empty, or a value of `Revocation`."""


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """A legal hold."""

    placed_at: Millis = 0
    """When it was placed, or the one whose place it took without a gap."""
    until: Millis = 0
    silent_until: Millis = 0
    """The agent may not be told before; 0 = it may at once."""
    statement: str = ""
    """Who placed the hold, who approved it, and why, as `domain.legal_hold` writes it."""
    calendars: str = ""
    """Calendars that others replaced while a legal hold stood: their ids, each with a space behind it."""

    def stands(self, now: Millis) -> bool:
        """Tell whether a legal hold stands."""
        return self.until > now

    def is_silent(self, now: Millis) -> bool:
        """Tell whether a legal hold stands of which the agent may not be told yet."""
        return self.stands(now) and self.silent_until > now

    def disclosed_until(self, now: Millis) -> Millis:
        """Return until when a legal hold stands; 0 = there is none, or the agent may not be told yet."""
        return self.until if self.stands(now) and not self.is_silent(now) else 0

    def disclosed_since(self, now: Millis) -> Millis:
        """Return since when a legal hold stands; 0 = there is none, or the agent may not be told yet."""
        return self.placed_at if self.disclosed_until(now) else 0

    def disclosed_erasure(self, due: Millis, now: Millis) -> Millis:
        """Return the day of an erasure that is due at `due`, as the agent is told it.

        0 = no day can be told: none is set, or a hold stands of which the agent may not know.
        The plain day would then be false, and the hold's own would tell.
        """
        return 0 if not due or self.is_silent(now) else max(due, self.until)


@dataclass(frozen=True, slots=True)
class EndFacts:
    """The end of the connection, and what follows it."""

    agent_retention: Millis = 0
    """The term until the erasure that the agent chose; 0 = the operator's."""
    erase_due: Millis = 0
    revocation: str = ""
    """Empty, or a value of `Revocation`."""
    revocation_at: Millis = 0


@dataclass(frozen=True, slots=True)
class WebhookFacts:
    """The webhook events about this connection."""

    sequence: int = 0
    """How many events this connection caused: the number of the last one."""
    failing_since: Millis = 0
    """Since when nothing was delivered to the backend; 0 = all is well."""
    abandoned_until: Millis = 0
    """Events up to this instant are not tried any more."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the store keeps of a connection outside its sealed grant."""

    connection_id: str = ""
    """Random per connect; the pseudonym in audit log and webhooks."""
    locale: str = "en"
    last_admin_action: str = ""
    """What organization or operator did last to this connection, as `AdminAction` reads it."""
    grant: GrantFacts = GrantFacts()
    pause: PauseFacts = PauseFacts()
    calendar: CalendarFacts = CalendarFacts()
    channel: ChannelFacts = field(default_factory=ChannelFacts)
    consent: ConsentFacts = ConsentFacts()
    block: BlockFacts = BlockFacts()
    account: AccountFacts = AccountFacts()
    hold: HoldFacts = HoldFacts()
    end: EndFacts = EndFacts()
    webhooks: WebhookFacts = WebhookFacts()

    @property
    def erasable_at(self) -> Millis:
        """When identifiers are erased: at the term's end, under a legal hold at its end; 0 = no end is set."""
        return max(self.end.erase_due, self.hold.until) if self.end.erase_due else 0

    @property
    def is_live(self) -> bool:
        """Tell whether the grant lives, as far as we know."""
        return self.grant.state is GrantState.LIVE

    def policy_outdated(self, terms: ConsentTerms) -> bool:
        """Tell whether the connection lives under an older version of the policy than the one in force."""
        return self.is_live and is_newer(terms.policy, self.consent.policy)

    def usable(self, terms: ConsentTerms) -> bool:
        """Tell whether the grant may be used at Google: it lives, and the consent covers what is asked (SC-5)."""
        return self.is_live and not self.consent.is_outdated(terms)

    def state(self, terms: ConsentTerms) -> State:
        """Return the state that is shown."""
        if self.grant.state is GrantState.NONE:
            return State.NOT_CONNECTED
        if self.grant.state is GrantState.RELEASED:
            return State.DISCONNECTED
        if self.grant.state is GrantState.DEAD:
            return State.REVOKED
        if self.consent.is_outdated(terms):
            return State.RECONSENT_REQUIRED
        if self.pause.since:
            return State.PAUSED
        return State.CONNECTED if self.calendar.since else State.CALENDAR_MISSING

    def since(self, terms: ConsentTerms) -> Millis:
        """Return since when the shown state holds."""
        return {
            State.NOT_CONNECTED: 0,
            State.DISCONNECTED: self.grant.since,
            State.REVOKED: self.grant.since,
            State.RECONSENT_REQUIRED: self.consent.required_since or self.grant.since,
            State.PAUSED: self.pause.since,
            State.CALENDAR_MISSING: self.calendar.lost_at or self.grant.since,
            State.CONNECTED: max(self.grant.since, self.calendar.since),
        }[self.state(terms)]

    def by_name(self) -> dict[str, Any]:
        """Return every fact by the name under which the database keeps it."""
        return dict(_by_name(self, ""))


def _by_name(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for one in fields(group):
        value = getattr(group, one.name)
        if is_dataclass(value):
            yield from _by_name(value, f"{one.name}_")
        else:
            yield f"{prefix}{one.name}", value
