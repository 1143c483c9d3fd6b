"""Answers of the journeys to the entry points, as plain values. Must not know how any of it is shown."""

from dataclasses import dataclass
from typing import Literal

from calendar_service.domain.checkpoint import Statement
from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import AdminAction, State
from calendar_service.domain.session import Status
from calendar_service.google.calendar import Contents

InGoogle = Literal["confirmed", "tentative", "cancelled", "missing"]
"""What became of a session's event, as Google says; `missing`: it is not in the calendar."""


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection as both roles of the API and the agent may see it."""

    state: State
    since: Millis
    """Since when it is in this state (database time); 0 if nothing was ever connected."""
    erase_due: Millis
    """When the identifiers are erased, after a legal hold if one stands.

    0 = no erasure is due, because the connection has not ended, or nobody may be informed of a hold yet.
    """
    revocation: str
    """Empty, or a value of `domain.connection.Revocation`."""
    revocation_at: Millis
    paused_by_agent: Millis
    """Since when; 0 = not."""
    paused_by_organization: Millis
    last_admin_action: AdminAction | None
    """What the organization or the operator did last to this connection: for the agent."""
    action: str
    """A code of what somebody has to do, or empty."""
    needs: Literal["agent", "administrator", "operator", ""]
    """Who has to do it; `nobody`: it passes by itself, and `action` says what is waited for."""


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One step in the life of a connection."""

    what: str
    """`connected`, a state that it came to, `calendar_on_its_way`, `keys_unused`, `keys_destroyed`, `erased` or
    `copies_gone`."""
    when: str
    """`past`, `now` or `next`."""
    at: Millis = 0
    """When it was, or when it comes at the latest; 0 = not known yet."""
    after: Millis = 0
    """How long after a disconnect it comes at the latest; 0 = it does not depend on a disconnect, or not known."""
    position: float | None = None
    """Where it lies on the scale from the connection's end (0) to the last copy in a backup (1), as its time does.

    None = before the end, or its date is not known.
    """


@dataclass(frozen=True, slots=True)
class Timeline:
    """The life of a connection."""

    steps: tuple[TimelineStep, ...]
    now: float | None = None
    """Where the present lies on the scale of `TimelineStep.position`; None = the connection has not ended."""


@dataclass(frozen=True, slots=True)
class UnappliedSession:
    """A session that is not applied yet, or failed. Only the agent sees the title, and only while the content waits."""

    session: str
    status: Status
    reason: str
    title: str
    start: Millis
    time_zone: str
    day: Millis
    """The day of its end (UTC), which is known also when the content is gone."""
    waits_until: Millis
    """When it fails at the latest, if it waits for a person's act and begins later than that; else 0."""


@dataclass(frozen=True, slots=True)
class CalendarView:
    """The dedicated calendar, for the agent's own page."""

    status: Literal["there", "missing", "never_made"]
    """How it stands, or stood at the connection's end."""
    name: str
    """The calendar's title as Google gave it seconds ago at most; empty when it could not be read."""
    language: str
    """The language in which the calendar was asked for, and named; empty when nothing is connected."""
    deletion: str
    """After a disconnect: empty (it stays), `requested` (to be deleted, not yet done), `deleted` or `refused`."""
    deletion_tried_until: Millis
    """Until when a deletion is tried at the latest: after a disconnect now, or after the one that was."""
    contents: Contents | None
    """What the calendar holds, counted at Google seconds ago at most; None where it was not asked or did not answer."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """The Google account, for the agent's own page."""

    address: str
    """The account's address, masked, as Google gave it seconds ago at most; empty when it could not be read."""
    other_agents: bool
    """Another connection uses the same Google account now."""
    is_known: bool
    """Google said whose account it is: where not, its permission goes only after Google is asked that."""
    moved: bool
    """The connection before this one was of another account."""
    former_revocation: str
    """What became of that account's permission: empty, or a value of `domain.connection.Revocation`."""


@dataclass(frozen=True, slots=True)
class SessionsView:
    """The agent's sessions. The counts are of sessions of today or later."""

    scheduled: int
    """Sessions that stand in the calendar."""
    changed_in_google: int
    """Of these, the ones that a person changed there since."""
    deleted_in_google: int
    """Sessions that a person deleted there."""
    lost: int
    """Sessions that stood in a calendar which is gone or replaced."""
    underway: int
    """Sessions that are not applied yet, past ones too."""
    failed: int
    """Sessions that could not be written, past ones too."""
    unapplied: tuple[UnappliedSession, ...]
    """One page of these two."""
    page: int
    """The number of that page; the first is 1."""
    has_more: bool
    """There is another page behind it."""
    counted_at_most: int
    """Only so many sessions to come, and so many past ones, are counted; 0 = all are."""


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What the agent agreed to, against what is asked."""

    policy: str
    """The policy's version that the agent agreed to."""
    policy_outdated: bool
    """A newer policy is in force than that: the agent is asked again."""
    permission_changed: bool
    """Another permission is asked for than the one on record (SC-5)."""


@dataclass(frozen=True, slots=True)
class EndView:
    """What a disconnect now would set, or what the one that was has set."""

    retention: Millis
    """How long after a disconnect what is kept is erased."""
    erased_if_ended_now: Millis
    """When what is kept would be erased after a disconnect now; 0 = that may not be told."""
    keys_gone_by: Millis
    """When Google's keys are destroyed at the latest: after a disconnect now, or after the one that was."""
    keys_in_files_until: Millis | None
    """Until when at most Google's keys, used no more, stand in the database's files.

    None = they do not; 0 = they do for too long.
    """
    held_since: Millis
    """Since when a law requires that identifiers are kept; 0 = none does, or the agent may not be told yet."""
    held_until: Millis
    """Until when at most it requires that; 0 likewise."""
    may_erase: bool
    """An erasure that the agent asks for would not be refused for a legal hold, told or not."""


Trouble = Literal["", "google", "ours", "administrator", "quota", "not_asked"]
"""Who or what keeps Google from serving the connection; the connection itself is fine.

`not_asked`: too much is under way, so that Google was not asked for this page.
"""


@dataclass(frozen=True, slots=True)
class SettingsView:
    """Everything the agent's settings page says."""

    connection: ConnectionView
    calendar: CalendarView
    account: AccountView
    sessions: SessionsView
    consent: ConsentView
    end: EndView
    timeline: Timeline
    trouble: Trouble
    organization_closed: bool
    """The organization was off-boarded: nobody of it connects."""


Outcome = Literal["created", "changed", "unchanged", "accepted", "refused", "cancelled", "nothing", "read"]
"""What a call did to a session.

`accepted` = durable, not yet at Google (202); `refused` = Google refused the change for good, and the session is
`failed`; `nothing` = there was nothing to cancel.
"""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as the backend sees it."""

    session: str
    status: Status
    revision: int
    event_id: str
    outcome: Outcome
    reason: str = ""
    start: Millis = 0
    """As the event is in Google now; 0 unless the caller asked for that, and the event stands there."""
    end: Millis = 0
    html_link: str = ""
    """Google's link to the event, under the same condition as `start`; not stored (law 11)."""
    in_google: InGoogle | None = None
    """As Google says now; None if it was not asked."""


@dataclass(frozen=True, slots=True)
class ConsentOutcome:
    """The outcome of a consent whose connection stands."""

    calendar_ready: bool
    """False: Google had trouble, and the worker makes the calendar later."""
    calendar_found: bool
    """The calendar was there before: one that the service made in this account earlier."""
    other_agents: bool
    moved_account: bool


DayState = Literal["ok", "held", "overdue", "changed", "gap"]
"""`overdue`: an erasure was late. `changed`: the audit log was. `held`: a legal hold stands. `gap`: no checkpoint."""


@dataclass(frozen=True, slots=True)
class PublishedDay:
    """One day of the published checkpoints."""

    day: Millis
    """Its first instant (UTC)."""
    state: DayState
    statement: Statement | None
    """None for a gap."""


@dataclass(frozen=True, slots=True)
class PublishedDays:
    """A page of days, the newest first."""

    days: tuple[PublishedDay, ...]
    earlier: Millis
    """The day before which the next page begins; 0 = this is the last page."""
    is_newest: bool
    """Whether no newer days were left out."""

    def count(self, state: DayState) -> int:
        """Return how many days of this page are in this state."""
        return sum(day.state == state for day in self.days)
