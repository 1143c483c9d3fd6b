"""Compares three ways: the driver's book, Google, and the service's answers."""

from collections.abc import Iterator, Sequence

from faults.checker.book import AllowedVersions, seconds_of, show_versions, version_of
from faults.checker.evidence import SessionName, Violation
from faults.checker.sessions import is_refused_for_good
from faults.http_checker.reading import Answer, HttpEvidence

_UNKNOWN: Answer = {"status": "unknown"}
"""Stands for the answer 404, and for a session that is not in the list."""
_SHARED = ("status", "revision", "event_id")
"""What a list and a single read have to say alike."""


def compare(evidence: HttpEvidence) -> Iterator[Violation]:
    """Yield every difference, session by session."""
    refused, applied = _refused_sessions(evidence), _applied_sessions(evidence)
    for name, allowed in evidence.book.items():
        listed = evidence.listed.get(name, _UNKNOWN)
        if listed["status"] == "failed" and name in refused:
            continue
        events = evidence.events.get(name, [])
        yield from _compare_with_google(name, allowed, events)
        yield from _compare_with_answer(name, allowed, events, listed)
        if name in evidence.read:
            yield from _compare_with_read(name, events, listed, evidence.read[name] or _UNKNOWN)
        if listed["status"] == "scheduled" and name in evidence.recent and name not in applied:
            yield _differs(name, "it is scheduled, and no webhook has said so")


def _compare_with_google(
    name: SessionName, allowed: AllowedVersions, events: Sequence[Answer]
) -> Iterator[Violation]:
    if len(events) > 1:
        yield Violation("duplicate", f"{'|'.join(name)}: {len(events)} events")
    versions: set[int | None] = {version_of(event) for event in events} or {None}
    if not versions & set(allowed.starts):
        law = "lost" if versions == {None} else "wrong_final"
        yield Violation(law, f"{'|'.join(name)}: {show_versions(versions)} in Google, accepted {allowed}")
    for event in events:
        start = allowed.starts.get(version_of(event))
        if start and seconds_of(start) != seconds_of(event["start"]["dateTime"]):
            yield Violation("wrong_final", f"{'|'.join(name)} lies at {event['start']}, accepted {start}")


def _compare_with_answer(
    name: SessionName, allowed: AllowedVersions, events: Sequence[Answer], listed: Answer
) -> Iterator[Violation]:
    status = listed["status"]
    # A cancel of a session that never was stores nothing.
    if status not in allowed.statuses and not (status == "unknown" and set(allowed.starts) == {None}):
        yield _differs(name, f"it is {status}, accepted {allowed}")
    if (status == "scheduled") is not bool(events):
        yield _differs(name, f"it is {status}, with {len(events)} events in Google")
    if status == "scheduled" and events and listed.get("event_id") not in {event["id"] for event in events}:
        yield _differs(name, f"its event is {events[0]['id']}, and not {listed.get('event_id')}")


def _compare_with_read(
    name: SessionName, events: Sequence[Answer], listed: Answer, read: Answer
) -> Iterator[Violation]:
    if [read.get(field) for field in _SHARED] != [listed.get(field) for field in _SHARED]:
        yield _differs(name, f"it is read as {read}, and listed as {listed}")
    starts = {seconds_of(event["start"]["dateTime"]) for event in events}
    if "start" in read and seconds_of(read["start"]) not in starts:
        yield _differs(name, f"`read=google` says {read['start']}, and Google has {sorted(starts)}")
    if read["status"] == "scheduled" and events and read.get("in_google") != "confirmed":
        yield _differs(name, f"`read=google` says {read.get('in_google')}, and Google has its event")


def _refused_sessions(evidence: HttpEvidence) -> set[SessionName]:
    """Return the sessions of which Google refused a write for good."""
    names = {event["id"]: name for name, events in evidence.events.items() for event in events}
    refused = set()
    for call in filter(is_refused_for_good, evidence.calls):
        body = call.get("body")
        title = str(body.get("summary", "")).split("|") if isinstance(body, dict) else []
        if len(title) == 3:
            refused.add((title[0], title[1]))
        elif (event_id := call["path"].rpartition("/")[2]) in names:
            refused.add(names[event_id])
    return refused


def _applied_sessions(evidence: HttpEvidence) -> set[SessionName]:
    """Return the sessions of which a webhook has said that they are done."""
    return {
        (webhook["data"]["agent"], webhook["data"]["session"])
        for webhook in evidence.webhooks
        if webhook["type"] == "session.applied"
    }


def _differs(name: SessionName, text: str) -> Violation:
    return Violation("wrong_answer", f"{'|'.join(name)}: {text}")
