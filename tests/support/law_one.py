"""Law 1 checked in the local Google's journal, by a list of its own. Imports nothing of the service."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote

Entry = Mapping[str, Any]

_EVENT: Final = frozenset(
    [
        "id",
        "etag",
        "status",
        "start",
        "extendedProperties/private",
        "csMarker",
        "csRevision",
        "csNonce",
        "csEventHash",
    ]
)
_READ: Final = _EVENT | {"end", "htmlLink"}
_LIST: Final = _EVENT | {"end", "items", "nextPageToken"}
_CALENDAR_LIST: Final = frozenset(["nextPageToken", "items", "id", "description", "accessRole", "primary"])
_NOTHING: Final[frozenset[str]] = frozenset()

CALLS: Final[Mapping[str, frozenset[str]]] = {
    "calendar.calendarList.list": _CALENDAR_LIST,
    "calendar.calendars.insert": frozenset({"id"}),
    "calendar.calendars.get": frozenset({"id", "summary", "dataOwner"}),
    "calendar.calendars.delete": _NOTHING,
    "calendar.events.insert": _EVENT,
    "calendar.events.get": _READ,
    "calendar.events.patch": _EVENT,
    "calendar.events.delete": _NOTHING,
    "calendar.events.list": _LIST,
    "calendar.events.watch": frozenset({"id", "resourceId", "expiration"}),
    "calendar.channels.stop": _NOTHING,
    "oauth2.token authorization_code": _NOTHING,
    "oauth2.token refresh_token": _NOTHING,
    "oauth2.revoke": _NOTHING,
}
"""Every call, and what it may ask to be told. Of an event: no title, no text, no people."""

_IN_A_CALENDAR: Final = re.compile(r"/calendar/v3/calendars/([^/]+)")
_BY_THE_BROWSER: Final = "oauth2.auth"


def name_of(entry: Entry) -> str:
    """Return the name of a call as `CALLS` has it."""
    method = str(entry["api_method"] or entry["path"])
    return f"{method} {(entry.get('body') or {}).get('grant_type')}" if method == "oauth2.token" else method


def is_call(entry: Entry) -> bool:
    """Return whether an entry is a call at Google, not a notification from Google or a person's act on its pages."""
    return "api_method" in entry and entry.get("direction") != "out"


def violations(journal: Iterable[Entry], clients: Iterable[str]) -> Iterator[str]:
    """Yield a message for every call of these clients that law 1 does not allow."""
    ours, created = frozenset(clients), set[str]()
    for entry in journal:
        if not is_call(entry) or entry["client_id"] not in ours or entry["api_method"] == _BY_THE_BROWSER:
            continue
        if entry.get("created_calendar"):
            created.add(entry["created_calendar"])
        for fault in _faults(entry, created):
            yield f"{fault}: {entry['method']} {entry['path']}?{entry['query']} (call {entry['seq']})"


def _faults(entry: Entry, created: set[str]) -> Iterator[str]:
    name = name_of(entry)
    if name not in CALLS:
        yield f"{name} is not on the list of law 1"
        return
    if name.startswith("oauth2."):
        return
    query = parse_qs(entry["query"])
    if CALLS[name] != _NOTHING and not _is_told_only(query.get("fields", [""])[0], CALLS[name]):
        yield f"{name} asks to be told more than it may"
    if name == "calendar.calendarList.list" and query.get("showHidden") != ["true"]:
        yield f"{name} would not see a hidden calendar of ours"
    calendar_path = _IN_A_CALENDAR.match(entry["path"])
    if calendar_path and unquote(calendar_path[1]) not in created:
        yield f"{name} is for a calendar that this service did not make"


def _is_told_only(fields: str, allowed: frozenset[str]) -> bool:
    names = set(re.findall(r"[A-Za-z*]+(?:/[A-Za-z*]+)*", fields))
    return bool(names) and names <= allowed
