"""What the checker sees of an episode, and the views of it that several laws share."""

import json
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

Line = dict[str, Any]
SessionName = tuple[str, str]
"""Agent and session."""
EventName = tuple[str, str]
"""Ids of calendar and event."""


@dataclass(frozen=True)
class Violation:
    """One broken law."""

    law: str
    detail: str


@dataclass
class EpisodeEvidence:
    """Everything that the checker may see."""

    lines: list[Line]
    """The driver's journal (`faults.driver.journal`)."""
    calls: list[dict[str, Any]]
    """The local Google's journal of calls."""
    google: dict[str, Any]
    """Everything that the local Google keeps."""
    store: dict[str, Any]
    """Every key of the store with its value."""
    append_only_text: bytes = b""
    """The store's append-only files, joined."""
    durability_settings: dict[str, str] = field(default_factory=dict)
    """What the store's configuration says of durability."""

    @cached_property
    def slots(self) -> dict[str, dict[str, Any]]:
        """The parts of each agent's slot, by `organization/agent`."""
        slots: dict[str, dict[str, Any]] = defaultdict(dict)
        for key, value in self.store.items():
            pieces = key.split(":")
            if len(pieces) == 4 and pieces[1] == "a":
                slots[pieces[2]][pieces[3]] = value
        return dict(slots)

    def slot(self, agent: str) -> dict[str, Any]:
        """Return the parts of this agent's slot; empty if it has none."""
        return self.slots.get(f"acme/{agent}", {})

    @cached_property
    def records(self) -> dict[SessionName, dict[str, Any]]:
        """The record of each session."""
        return {
            (agent_of(member), session): json.loads(text)
            for member, parts in self.slots.items()
            for session, text in parts.get("sessions", {}).items()
        }

    @cached_property
    def copies(self) -> dict[EventName, str]:
        """The ETag of each copy that a person's program has made of a session's event: a copy is an event of theirs."""
        return copies_in(self.lines)

    @cached_property
    def events_by_session(self) -> dict[SessionName, list[dict[str, Any]]]:
        """The events of each session that exist in Google, with the calendar's id and owner."""
        return events_by_session(self.google, self.copies)


def copies_in(lines: Iterable[Line]) -> dict[EventName, str]:
    """Return the ETag of each copy of a session's event that the driver's journal names."""
    return {
        (line["calendar"], line["copy"]): line["etag"]
        for line in lines
        if line["line"] == "note" and line["event"] == "event_copied"
    }


def events_by_session(
    google: Mapping[str, Any], copies: Container[EventName]
) -> dict[SessionName, list[dict[str, Any]]]:
    """Return the events that exist in Google, by the session that their titles name; no copies."""
    events: dict[SessionName, list[dict[str, Any]]] = defaultdict(list)
    for calendar in google["calendars"]:
        for event in calendar["events"]:
            is_session = event["status"] != "cancelled" and event.get("summary", "").count("|") == 2
            if is_session and (calendar["id"], event["id"]) not in copies:
                agent, session, _ = event["summary"].split("|")
                events[agent, session].append(
                    event | {"calendar": calendar["id"], "owner": calendar["owner"]}
                )
    return dict(events)


def agent_of(member: str) -> str:
    """Return the agent of `organization/agent`."""
    return member.partition("/")[2]


def brief(record: dict[str, Any] | None) -> str:
    """Return a session's record in one line."""
    if record is None:
        return "unknown"
    names = ("status", "revision", "reason", "tries", "fencing_token", "leased", "copy")
    return " ".join(f"{name}={record[name]}" for name in names if name in record)
