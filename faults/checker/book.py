"""The driver's book: of each session, what was accepted for it, and which versions may be the last.

Both checkers compare with it. A session's operations count from the moment at which its connection was last seen whole.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from faults.checker.evidence import Line, SessionName
from faults.checker.history import Histories

NO_ANSWER = {0, 500, 502, 503, 504}
"""Statuses after which an operation may have been accepted or not."""


@dataclass(frozen=True)
class AllowedVersions:
    """The versions of a session of which any may be the last; None stands for cancelled."""

    starts: dict[int | None, str | None]
    """The start of each version."""

    def __str__(self) -> str:
        return show_versions(set(self.starts))

    @property
    def statuses(self) -> set[str]:
        """Which statuses the record may have."""
        if None not in self.starts:
            return {"scheduled"}
        return {"cancelled"} if set(self.starts) == {None} else {"scheduled", "cancelled"}


def _allowed_versions(requests: list[Line], responses: dict[int, Line]) -> AllowedVersions | None:
    """Return the last accepted version and those without an answer that may have followed; None if none counts.

    Versions in the requests order them; without versions, the revisions in the responses do. A store that went back
    counts revisions anew.
    """
    accepted = [request for request in requests if _took_effect(responses.get(request["number"]))]
    if not accepted:
        return None
    unanswered = [
        request
        for request in requests
        if responses.get(request["number"], {"status": 0})["status"] in NO_ANSWER
    ]
    if all(request["versioned"] for request in requests):
        last = max(accepted, key=lambda request: request["version"])
        unanswered = [request for request in unanswered if request["version"] > last["version"]]
    else:
        last = max(
            accepted,
            key=lambda request: (request["times_back"], responses[request["number"]]["revision"] or 0),
        )
    return AllowedVersions(
        {
            request["version"] if request["op"] == "put" else None: request["start"]
            for request in (last, *unanswered)
        }
    )


def _took_effect(response: Line | None) -> bool:
    if response is None or not 200 <= response["status"] < 300:
        return False
    return response["op"] == "put" or response["applied"] is True


def book_of(lines: Iterable[Line], histories: Histories) -> dict[SessionName, AllowedVersions]:
    """Return what may be last of each session for which something counts."""
    requests: dict[SessionName, list[Line]] = defaultdict(list)
    responses: dict[int, Line] = {}
    times_back = 0
    for line in lines:
        times_back += line["line"] == "note" and line["event"] == "store_went_back"
        if line.get("op") in {"put", "cancel"}:
            if line["line"] == "request":
                requests[line["agent"], line["session"]].append(line | {"times_back": times_back})
            else:
                responses[line["request"]] = line
    book: dict[SessionName, AllowedVersions] = {}
    for name, all_requests in requests.items():
        since = histories.agents[name[0]].whole_since
        counted = [request for request in all_requests if since and request["number"] > since]
        if allowed := _allowed_versions(counted, responses):
            book[name] = allowed
    return book


def version_of(event: dict[str, Any]) -> int:
    """Return the version that a session's event shows in its title."""
    return int(event["summary"].rpartition("|")[2])


def seconds_of(text: str) -> int:
    """Return a time of RFC 3339 in seconds since 1970."""
    return int(datetime.fromisoformat(text).timestamp())


def show_versions(versions: set[int | None]) -> str:
    """Return versions as text; None stands for cancelled."""
    return " or ".join("none" if version is None else f"v{version}" for version in sorted(versions, key=str))
