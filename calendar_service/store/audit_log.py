"""Entries of the audit log: what happened and who did it, without content. Must not hold an identifier of Google's."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from calendar_service.store import keys
from calendar_service.store.database import Database


class EntryKind(StrEnum):
    """The closed list of what is recorded (LU-6)."""

    CONSENT_BEGUN = "consent.begun"
    CONNECTED = "connection.connected"
    CALENDAR_READY = "calendar.ready"
    CALENDAR_MISSING = "calendar.missing"
    CHANNEL_OPENED = "channel.opened"
    CHANNEL_STOPPED = "channel.stopped"
    EXTERNAL_CHANGE = "session.external_change"
    """A person changed, deleted or restored an event."""
    CONSENT_NEEDED = "consent.needed"
    PAUSED = "connection.paused"
    RESUMED = "connection.resumed"
    RETENTION_CHOSEN = "connection.retention_chosen"
    DISCONNECTED = "connection.disconnected"
    REVOKED = "connection.revoked"
    ERASED = "connection.erased"
    EXPIRED = "connection.expired"
    """The database's own expiry erased it, a day after its time. The entry cannot name the connection any more."""
    HOLD_PLACED = "hold.placed"
    HOLD_RELEASED = "hold.released"
    HOLD_OVER = "hold.over"
    TEARDOWN = "teardown.step"
    ACCEPTED = "session.accepted"
    SETTLED = "session.settled"
    SESSIONS_PURGED = "sessions.identifiers_dropped"
    ORGANIZATION_CLOSED = "organization.closed"
    ORGANIZATION_REOPENED = "organization.reopened"
    """No longer closed: reopened, or a reviewer's organization of which nothing is left. Neither entry names it."""
    CHAIN_BEGUN = "audit.chain_begun"
    """Another shard gets its first MAC."""
    CHECKPOINT = "audit.checkpoint"
    REPLAYED = "audit.replayed"
    MAINTENANCE = "maintenance"
    """For scripts that only move leases and timers: they append no entry."""


class Actor(StrEnum):
    """Who acted: a kind of person or the service itself, never a name."""

    AGENT = "agent"
    ADMINISTRATOR = "administrator"
    BACKEND = "backend"
    OPERATOR = "operator"
    SERVICE = "service"
    GOOGLE = "google"


def entry(kind: EntryKind, actor: Actor, **facts: str | int | bool) -> dict[str, object]:
    """Return an entry for a script to append; the script adds the connection's random id and the database's time."""
    return {"kind": kind.value, "actor": actor.value, **facts}


MAINTENANCE: Final[Mapping[str, object]] = entry(EntryKind.MAINTENANCE, Actor.SERVICE)
"""For scripts of a slot that change no state of a connection; they append an entry only where a slot has expired."""


def note(database: Database, kind: EntryKind, actor: Actor, **facts: str | int | bool) -> None:
    """Write an entry that belongs to no connection, into shard 0; works when the database is out of memory."""
    text = json.dumps(entry(kind, actor, **facts))
    database.script("append_entry", {"audit_log": keys.audit_log(0)}, entry=text)
