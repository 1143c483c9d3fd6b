"""The laws about sessions: what Google holds is the last accepted state, once."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from faults.checker.book import AllowedVersions, book_of, seconds_of, show_versions, version_of
from faults.checker.evidence import EpisodeEvidence, SessionName, Violation, brief
from faults.checker.history import Histories

ABOUT_THE_EVENT = {"forbidden", "forbiddenForNonOrganizer", "requiredAccessLevel"}
"""Reasons of a 403 that are about the event itself: every other one passes, and gives no session up."""


def check_sessions(evidence: EpisodeEvidence, histories: Histories) -> Iterator[Violation]:
    """Compare each session's event and record with the operations that were accepted for it."""
    refused = _refused_events(evidence)
    for name, allowed in book_of(evidence.lines, histories).items():
        record = evidence.records.get(name)
        if not _is_refused(record, refused):
            yield from _check_session(name, allowed, evidence.events_by_session.get(name, []), record)


def _refused_events(evidence: EpisodeEvidence) -> set[str]:
    """Return the ids of events that Google refused for good."""
    return {call["path"].rpartition("/")[2] for call in evidence.calls if is_refused_for_good(call)}


def is_refused_for_good(call: dict[str, Any]) -> bool:
    """Tell whether Google refused this call about an event, and will refuse it again."""
    if not (call["api_method"] or "").startswith("calendar.events."):
        return False
    is_about_the_event = call["status"] == 403 and call.get("fault", {}).get("reason") in ABOUT_THE_EVENT
    return call["status"] == 400 or is_about_the_event


def _is_refused(record: dict[str, Any] | None, refused: set[str]) -> bool:
    """Tell whether Google refused this session's event for good and the service says so."""
    return bool(record and record["status"] == "failed" and record["copy"]["id"] in refused)


def _check_session(
    session: SessionName,
    allowed: AllowedVersions,
    events: list[dict[str, Any]],
    record: dict[str, Any] | None,
) -> Iterator[Violation]:
    name = "|".join(session)
    versions: set[int | None] = {version_of(event) for event in events} or {None}
    if not versions & set(allowed.starts):
        law = "lost" if versions == {None} and None not in allowed.starts else "wrong_final"
        detail = f"{show_versions(versions)} in Google, accepted {allowed}, record {brief(record)}"
        yield Violation(law, f"{name}: {detail}")
        return
    for event in events:
        start = allowed.starts.get(version_of(event))
        if start and seconds_of(event["start"]["dateTime"]) != seconds_of(start):
            yield Violation("wrong_final", f"{name} v{version_of(event)} lies at {event['start']}")
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
