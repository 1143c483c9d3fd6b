"""Every method of Google's that this service may call, and for what purpose (law 1, LU-1).

The report and the reviewers' pages show the sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Purpose(StrEnum):
    """What Google's data may be used for.

    The published policy names the first three. The profile says whether it names the fourth (`external_changes`).
    """

    CALENDAR = "calendar"
    SESSIONS = "sessions"
    DELETION = "deletion"
    EXTERNAL_CHANGES = "external_changes"
    PERMISSION = "permission"
    REVOCATION = "revocation"


PURPOSES: Final[Mapping[Purpose, str]] = MappingProxyType(
    {
        Purpose.CALENDAR: "To make the agent's dedicated calendar, find it again, and say in whose account it is.",
        Purpose.SESSIONS: "To write, move and remove the events of the agent's sessions in that calendar.",
        Purpose.DELETION: "To delete that calendar when the agent disconnects and asks for it.",
        Purpose.EXTERNAL_CHANGES: "To notice when a person changes, moves or deletes such an event in Google, "
        "and to tell the console.",
        Purpose.PERMISSION: "To take the permission that the agent gives, and to notice when it is gone.",
        Purpose.REVOCATION: "To give the permission back.",
    }
)


@dataclass(frozen=True, slots=True)
class Method:
    """One method. The transport sends no call without one."""

    name: str
    """Google's own id, such as `calendar.events.insert`; `oauth.…` for the endpoints that have none."""
    verb: str
    path: str
    """The path's template, without ids."""
    purpose: Purpose
    clause: str
    feature: str
    """What the agent notices of it."""
    further: tuple[Purpose, ...] = ()
    """Other purposes for which it is called too."""

    @property
    def purposes(self) -> tuple[Purpose, ...]:
        """All purposes for which it may be called."""
        return (self.purpose, *self.further)

    def called_for(self, purpose: Purpose) -> "Method":
        """Return the method as it is called for one of its purposes; raise `ValueError` for any other."""
        if purpose not in self.purposes:
            raise ValueError(f"{self.name} is not called for {purpose}")
        return replace(self, purpose=purpose, further=()) if self.further else self


def _by_name(*methods: Method) -> Mapping[str, Method]:
    return MappingProxyType({method.name: method for method in methods})


_CALENDAR: Final = "calendars/{calendarId}"
_EVENTS: Final = "calendars/{calendarId}/events"
_EVENT: Final = "calendars/{calendarId}/events/{eventId}"

METHODS: Final = _by_name(
    Method(
        "calendar.calendarList.list", "GET", "users/me/calendarList", Purpose.CALENDAR, "SC-2",
        "After connecting again the agent has the same calendar as before, not a second one; after a disconnect before "
        "Google said which account it is, the permission goes, unless another connection uses that account.",
    ),
    Method(
        "calendar.calendars.insert", "POST", "calendars", Purpose.CALENDAR, "SC-2",
        "After connecting the agent has a calendar of its own for the sessions.",
    ),
    Method(
        "calendar.calendars.get", "GET", _CALENDAR, Purpose.CALENDAR, "SC-2",
        "The settings page says in whose account the calendar is, and when it is no longer there.",
    ),
    Method(
        "calendar.calendars.delete", "DELETE", _CALENDAR, Purpose.DELETION, "SC-4",
        "The calendar is gone, where the agent asked for that while disconnecting.",
    ),
    Method(
        "calendar.events.insert", "POST", _EVENTS, Purpose.SESSIONS, "SC-3",
        "A session that is scheduled in the console appears in the calendar.",
    ),
    Method(
        "calendar.events.get", "GET", _EVENT, Purpose.SESSIONS, "SC-3",
        "A session stands once in the calendar, as it was scheduled last; the console can show its time there, and "
        "notices when it was deleted there.",
        (Purpose.EXTERNAL_CHANGES,),
    ),
    Method(
        "calendar.events.patch", "PATCH", _EVENT, Purpose.SESSIONS, "SC-3",
        "A session that is rescheduled in the console moves in the calendar.",
    ),
    Method(
        "calendar.events.delete", "DELETE", _EVENT, Purpose.SESSIONS, "SC-3",
        "A session that is cancelled in the console leaves the calendar.",
    ),
    Method(
        "calendar.events.list", "GET", _EVENTS, Purpose.SESSIONS, "SC-3",
        "No session appears twice; the console can compare its list with the calendar, and notices what was changed "
        "there; the page before a disconnect says what the calendar holds.",
        (Purpose.EXTERNAL_CHANGES,),
    ),
    Method(
        "calendar.events.watch", "POST", f"{_EVENTS}/watch", Purpose.EXTERNAL_CHANGES, "LU-1",
        "A session that the agent moves or deletes in Google Calendar is noticed in the console.",
    ),
    Method(
        "calendar.channels.stop", "POST", "channels/stop", Purpose.REVOCATION, "RV-3",
        "After disconnecting Google tells this service nothing more of the calendar.",
    ),
    Method(
        "oauth.exchange", "POST", "/token", Purpose.PERMISSION, "SC-1",
        "The agent is connected after pressing Allow.",
    ),
    Method(
        "oauth.refresh", "POST", "/token", Purpose.PERMISSION, "RV-1",
        "The connection goes on without asking again; the settings page says when the permission is gone.",
    ),
    Method(
        "oauth.revoke", "POST", "/revoke", Purpose.REVOCATION, "RV-3",
        "After disconnecting the permission is gone from the account's list at Google.",
    ),
)  # fmt: skip
"""All methods, by name."""
