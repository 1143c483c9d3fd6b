"""A connection as independent facts, and the one state that is shown of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from calendar_service.domain.clock import Millis


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
class Facts:
    """Everything the store keeps of a connection outside its sealed grant. Instants are milliseconds, 0 = never."""

    connection_id: str = ""
    """Random per connect; the pseudonym in journal and webhooks."""
    grant: GrantState = GrantState.NONE
    grant_since: Millis = 0
    connected_at: Millis = 0
    """When this connection began; a renewed consent does not move it."""
    last_refresh_ok_at: Millis = 0
    """When the token endpoint last gave a token, which proves the grant alive (law 7)."""
    paused_by_agent: Millis = 0
    paused_by_organization: Millis = 0
    calendar_id: str = ""
    calendar_since: Millis = 0
    """When the calendar was found or made; 0 = missing now."""
    calendar_lost_at: Millis = 0
    calendar_number: int = 0
    """Counts the calendars of this slot: a session of an older number is lost."""
    adopted: bool = False
    """The calendar was found by its marker: it may hold events under ids we no longer know (law 3)."""
    calendar_deletion: str = ""
    """What the agent asked at the disconnect: empty (it stays), `asked` (delete it), then `deleted` or `refused`."""
    channel_id: str = ""
    """The channel through which Google notifies us; random, new with each renewal. Empty: none."""
    channel_resource: str = ""
    """Google's own id of what the channel watches: both are needed to stop it."""
    channel_renew_at: Millis = 0
    channels_left: str = ""
    """Channels that have to be stopped at Google: a JSON object, resource by channel."""
    consent_scope: str = ""
    consent_policy: str = ""
    policy_outdated: bool = False
    """The policy in force is newer than the one consented; found out at each reading, kept nowhere."""
    consent_needed: Millis = 0
    """When Google first said that the permission does not suffice, or the policy outgrew it; 0 = current."""
    account_ref: str = ""
    former_account_ref: str = ""
    """The account of the connection before, while it is not known whether this one is of the same."""
    moved_account: bool = False
    """The connection before this one was of another account; the agent is told what stays where."""
    locale: str = "en"
    time_zone: str = ""
    """Wanted for the calendar while it is not made; empty afterwards (law 11)."""
    hold: str = ""
    """Who placed a legal hold and why, as `domain.hold` writes it."""
    hold_until: Millis = 0
    hold_told_from: Millis = 0
    held_calendars: str = ""
    """Calendars that others replaced while a legal hold stood: their ids, each with a space behind it."""
    agent_retention: Millis = 0
    """The term until the erasure that the agent chose; 0 = the operator's."""
    erase_due: Millis = 0
    revocation: str = ""
    revocation_at: Millis = 0
    sequence: int = 0
    """How many letters to the backend this connection caused: the number of the last one."""
    last_admin_action: str = ""
    """What organization or operator did last to this connection, as `AdminAction` reads it."""
    webhooks_failing_since: Millis = 0
    """Since when nothing was delivered to the backend; 0 = all is well."""
    webhooks_abandoned_until: Millis = 0
    """Letters up to this instant are not tried any more."""
    pending_consent: str = ""
    """Hash of the one OAuth state that may still complete; a disconnect removes it (F29)."""

    @property
    def erasable_at(self) -> Millis:
        """When identifiers are erased: at the term's end, under a legal hold at its end; 0 = no end is set."""
        return max(self.erase_due, self.hold_until) if self.erase_due else 0

    def held(self, now: Millis) -> bool:
        """Tell whether a legal hold stands."""
        return self.hold_until > now

    def held_in_silence(self, now: Millis) -> bool:
        """Tell whether a legal hold stands of which the agent may not be told yet."""
        return self.held(now) and self.hold_told_from > now

    def erasure_told(self, due: Millis, now: Millis) -> Millis:
        """Return the day of an erasure that is due at `due`, as the agent is told it.

        0 = no day can be told: none is set, or a hold stands of which the agent may not know.
        The plain day would then be false, and the hold's own would tell.
        """
        return 0 if not due or self.held_in_silence(now) else max(due, self.hold_until)

    def hold_told(self, now: Millis) -> Millis:
        """Return until when a legal hold stands; 0 = there is none, or the agent may not be told yet."""
        return self.hold_until if self.held(now) and not self.held_in_silence(now) else 0

    @property
    def calendar(self) -> Literal["there", "missing", "never_made"]:
        """How the calendar stands, or stood at the connection's end."""
        if self.calendar_since:
            return "there"
        return "missing" if self.calendar_lost_at else "never_made"

    @property
    def left_channels(self) -> Mapping[str, str]:
        """The channels that have to be stopped at Google: what each watches, by the channel's id."""
        return dict(json.loads(self.channels_left)) if self.channels_left else {}

    @property
    def paused_since(self) -> Millis:
        """Since when writing is paused, by whomever first; 0 = not paused."""
        return min((at for at in (self.paused_by_agent, self.paused_by_organization) if at), default=0)

    def consent_outdated(self, scope: str) -> bool:
        """Tell whether the consent on record no longer covers what the service asks (SC-5)."""
        return bool(self.consent_needed) or self.policy_outdated or self.consent_scope != scope

    def usable(self, scope: str) -> bool:
        """Tell whether the grant may be used at Google: it lives, and the consent covers what is asked (SC-5)."""
        return self.grant is GrantState.LIVE and not self.consent_outdated(scope)

    def state(self, scope: str) -> State:
        """Return the state that is shown."""
        if self.grant is GrantState.NONE:
            return State.NOT_CONNECTED
        if self.grant is GrantState.RELEASED:
            return State.DISCONNECTED
        if self.grant is GrantState.DEAD:
            return State.REVOKED
        if self.consent_outdated(scope):
            return State.RECONSENT_REQUIRED
        if self.paused_since:
            return State.PAUSED
        return State.CONNECTED if self.calendar_since else State.CALENDAR_MISSING

    def since(self, scope: str) -> Millis:
        """Return since when the shown state holds."""
        return {
            State.NOT_CONNECTED: 0,
            State.DISCONNECTED: self.grant_since,
            State.REVOKED: self.grant_since,
            State.RECONSENT_REQUIRED: self.consent_needed or self.grant_since,
            State.PAUSED: self.paused_since,
            State.CALENDAR_MISSING: self.calendar_lost_at or self.grant_since,
            State.CONNECTED: max(self.grant_since, self.calendar_since),
        }[self.state(scope)]
