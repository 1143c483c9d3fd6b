"""What the doors are told: plain answers of the journeys. Must not know how any of it is shown."""

from dataclasses import dataclass
from typing import Literal

from calendar_service.domain.clock import Millis
from calendar_service.domain.connection import State
from calendar_service.domain.session import Status


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection as both roles of the API and the agent may see it."""

    state: State
    since: Millis
    """0 when nothing was ever connected."""
    erase_due: Millis
    """When what is kept is erased; 0 = no end set, because the connection lives."""
    revocation: str
    """Empty, or a value of `domain.connection.Revocation`."""
    revocation_at: Millis
    paused_by_agent: bool
    paused_by_organization: bool
    action: str
    """A code of what somebody has to do, or empty: the words are the web's."""
    needs: Literal["agent", "administrator", "operator", ""]


@dataclass(frozen=True, slots=True)
class WaitingSession:
    """A session that is not applied yet, or failed; the title is for the agent alone and only while it is kept."""

    session: str
    status: Status
    reason: str
    title: str
    start: Millis
    time_zone: str


@dataclass(frozen=True, slots=True)
class SettingsView:
    """Everything the agent's settings page says."""

    connection: ConnectionView
    account: str
    """The account's address, masked, read from Google at this moment; empty when it could not be read."""
    calendar_name: str
    """The calendar's title as Google has it at this moment; empty when it could not be read."""
    calendar_id: str
    scheduled: int
    """Sessions that stand in the calendar and are not over."""
    waiting: tuple[WaitingSession, ...]
    other_agents: bool
    moved_account: bool
    calendar_fate: str
    """After a disconnect: empty (it stays), `asked` (to be deleted, not yet done), `deleted` or `refused`."""
    google_trouble: bool
    """Google did not answer just now; the connection itself is fine."""
    agreed_to: str = ""
    """The policy's version that the agent agreed to."""
    policy_outgrown: bool = False
    """A newer policy is in force than that: the agent is asked again."""
    held_until: Millis = 0
    """A law requires that identifiers are kept until then; 0 = no, or the agent may not be told yet."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as the backend sees it."""

    session: str
    status: Status
    revision: int
    event_id: str
    calendar_id: str
    html_link: str
    """Only in the answer to the write that Google just confirmed; not stored (law 11)."""
    outcome: Literal["created", "changed", "unchanged", "accepted", "cancelled", "nothing", "read"]
    """What this call did: `accepted` = durable and on its way (202); `nothing` = there was nothing to cancel."""
    reason: str = ""
    start: Millis = 0
    """As it is in Google now; only when it was asked for."""
    end: Millis = 0
    in_google: str = ""
    """`confirmed` or `cancelled` as Google says now; only when it was asked for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a consent ended well."""

    calendar_ready: bool
    """False: Google had trouble, the worker goes on making the calendar."""
    other_agents: bool
    moved_account: bool
