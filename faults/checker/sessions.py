"""The laws about sessions: what Google holds is the last accepted state, once."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from faults.checker.evidence import EpisodeEvidence, Line, SessionName, Violation, brief
from faults.checker.history import Histories

ABOUT_THE_EVENT = {"forbidden", "forbiddenForNonOrganizer", "requiredAccessLevel"}
"""Reasons of a 403 that are about the event itself: every other one passes, and gives no session up."""
NO_ANSWER = {0, 500, 502, 503, 504}
"""Statuses after which an operation may have been accepted or not."""


def check_sessions(evidence: EpisodeEvidence, histories: Histories) -> Iterator[Violation]:
    """Compare each session's event and record with the operations that were accepted for it."""
    requests: dict[SessionName, list[Line]] = defaultdict(list)
    responses: dict[int, Line] = {}
    for line in evidence.lines:
        if line.get("op") in {"put", "cancel"}:
            if line["line"] == "request":
                requests[line["agent"], line["session"]].append(line)
            else:
                responses[line["request"]] = line
    refused = _refused_events(evidence)
    for name, all_requests in requests.items():
        since = histories.agents[name[0]].whole_since
        record = evidence.records.get(name)
        if not since or _is_refused(record, refused):
            continue
        counted = [request for request in all_requests if request["number"] > since]
        if versions := _allowed_versions(counted, responses):
            yield from _check_session(name, versions, evidence.events_by_session.get(name, []), record)


def _refused_events(evidence: EpisodeEvidence) -> set[str]:
    """Return the ids of events that Google refused for good."""
    return {
        call["path"].rpartition("/")[2]
        for call in evidence.calls
        if (call["api_method"] or "").startswith("calendar.events.")
        and (call["status"] == 400 or _is_about_the_event(call))
    }


def _is_about_the_event(call: dict[str, Any]) -> bool:
    return call["status"] == 403 and call.get("fault", {}).get("reason") in ABOUT_THE_EVENT


def _is_refused(record: dict[str, Any] | None, refused: set[str]) -> bool:
    """Tell whether Google refused this session's event for good and the service says so."""
    return bool(record and record["status"] == "failed" and record["copy"]["id"] in refused)


@dataclass(frozen=True)
class _AllowedVersions:
    """The versions of a session of which any may be the last; None stands for cancelled."""

    starts: dict[int | None, str | None]
    """The start of each version."""

    def __str__(self) -> str:
        return _show(set(self.starts))

    @property
    def statuses(self) -> set[str]:
        """Which statuses the record may have."""
        if None not in self.starts:
            return {"scheduled"}
        return {"cancelled"} if set(self.starts) == {None} else {"scheduled", "cancelled"}


def _allowed_versions(requests: list[Line], responses: dict[int, Line]) -> _AllowedVersions | None:
    """Return the last accepted version and those without an answer that may have followed; None if none counts.

    Versions in the requests order them; without versions, the revisions in the responses do.
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
        last = max(accepted, key=lambda request: responses[request["number"]]["revision"] or 0)
    return _AllowedVersions(
        {
            request["version"] if request["op"] == "put" else None: request["start"]
            for request in (last, *unanswered)
        }
    )


def _took_effect(response: Line | None) -> bool:
    if response is None or not 200 <= response["status"] < 300:
        return False
    return response["op"] == "put" or response["applied"] is True


def _check_session(
    session: SessionName,
    allowed: _AllowedVersions,
    events: list[dict[str, Any]],
    record: dict[str, Any] | None,
) -> Iterator[Violation]:
    name = "|".join(session)
    versions: set[int | None] = {_version(event) for event in events} or {None}
    if not versions & set(allowed.starts):
        law = "lost" if versions == {None} and None not in allowed.starts else "wrong_final"
        detail = f"{_show(versions)} in Google, accepted {allowed}, record {brief(record)}"
        yield Violation(law, f"{name}: {detail}")
        return
    for event in events:
        start = allowed.starts.get(_version(event))
        if start and _seconds(event["start"]["dateTime"]) != _seconds(start):
            yield Violation("wrong_final", f"{name} v{_version(event)} lies at {event['start']}")
    status = record["status"] if record else "unknown"
    is_unknown_cancel = status == "unknown" and set(allowed.starts) == {None}
    if status not in allowed.statuses and not is_unknown_cancel:
        law = "lost" if status in {"failed", "lost", "unknown"} else "unsettled"
        yield Violation(law, f"{name} is {brief(record)}, accepted {allowed}")


def check_duplicates(evidence: EpisodeEvidence) -> Iterator[Violation]:
    """Look for two events of one session, in one calendar or in several, and two calendars of one agent."""
    # Titles alone say whose events they are: another program may have removed the properties of one of them.
    for (agent, session), events in evidence.events_by_session.items():
        if len(events) > 1:
            titles = sorted(event["summary"] for event in events)
            places = len({event["calendar"] for event in events})
            yield Violation("duplicate", f"{agent}|{session} in {places} calendars: {titles}")
    calendars = Counter(
        (calendar["owner"], calendar.get("description"))
        for calendar in evidence.google["calendars"]
        if calendar["id"] != calendar["owner"]
    )
    for (owner, _), count in calendars.items():
        if count > 1:
            yield Violation("twin_calendar", f"{count} calendars of one agent in {owner}")


def check_copies(evidence: EpisodeEvidence) -> Iterator[Violation]:
    """Look for copies of events that are changed or gone although their calendar is there: only the service does it."""
    calendars = {calendar["id"]: calendar["events"] for calendar in evidence.google["calendars"]}
    for (calendar, copy), etag in evidence.copies.items():
        if calendar not in calendars:
            continue
        event = next((event for event in calendars[calendar] if event["id"] == copy), {"status": "cancelled"})
        if event["status"] == "cancelled":
            yield Violation("foreign_event", f"the copy {copy} in {calendar} is gone")
        elif event["etag"] != etag:
            yield Violation("foreign_event", f"the copy {copy} in {calendar} is changed")


def _version(event: dict[str, Any]) -> int:
    return int(event["summary"].rpartition("|")[2])


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _show(versions: set[int | None]) -> str:
    return " or ".join("none" if version is None else f"v{version}" for version in sorted(versions, key=str))
