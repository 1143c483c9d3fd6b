"""A video session: the content that the backend wants, and the record that the store keeps."""

import json
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from html import unescape
from typing import Any, Final

from calendar_service.domain.clock import DAY, Millis
from calendar_service.domain.errors import RecordUnreadable

_OPENS_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?:#[0-9]|#[xX][0-9A-Fa-f]|[A-Za-z][A-Za-z0-9]{0,31};?)")
"""What may be a character reference, as the HTML standard reads it (section 13.5); a name may lack its semicolon."""


def as_html(text: str) -> str:
    """Return HTML that shows this plain text; nothing is changed that shows as it is."""
    escaped = _ENTITY.sub(_without_entity, text)
    return _OPENS_TAG.sub("&lt;", escaped)


def _without_entity(match: re.Match[str]) -> str:
    words = match[0]
    is_entity = words[1] == "#" or unescape(words) != words
    return f"&amp;{words[1:]}" if is_entity else words


def new_nonce() -> str:
    """Return 64 random bits as 16 hex digits: of a desired state, or of a lease's holder."""
    return secrets.token_hex(8)


class By(StrEnum):
    """Who changed the session in the console."""

    AGENT = "agent"
    SYSTEM = "system"


class Status(StrEnum):
    """The status of a session (docs/states.md)."""

    SCHEDULED = "scheduled"
    PENDING = "pending"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    FAILED = "failed"
    LOST = "lost"


class Reason(StrEnum):
    """Why a session is late, waits, failed, is lost or differs (docs/webhooks.md)."""

    PACED = "paced"
    GOOGLE_TROUBLE = "google_trouble"
    QUOTA_EXCEEDED = "quota_exceeded"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    PAUSED = "paused"
    CALENDAR_MISSING = "calendar_missing"
    RECONSENT_REQUIRED = "reconsent_required"
    GOOGLE_REFUSED = "google_refused"
    SESSION_OVER = "session_over"
    WAITED_TOO_LONG = "waited_too_long"
    DISCONNECTED = "disconnected"
    REVOKED = "revoked"
    RECONNECTED = "reconnected"
    CALENDAR_REPLACED = "calendar_replaced"
    ACCOUNT_CHANGED = "account_changed"
    DELETED_IN_GOOGLE = "deleted_in_google"
    CHANGED_IN_GOOGLE = "changed_in_google"


PACED: Final = Reason.PACED.value
"""The reason of a session that waits for its turn within the limits of calls at Google."""
GOOGLE_TROUBLE: Final = Reason.GOOGLE_TROUBLE.value
"""The reason of a session that Google did not answer."""
GOOGLE_REFUSED: Final = Reason.GOOGLE_REFUSED.value
"""The reason of a session that Google refused for good; the API's code of that refusal too."""
CHANGED_IN_GOOGLE: Final = Reason.CHANGED_IN_GOOGLE.value
"""The reason of a session whose event a person changed in Google Calendar."""
DELETED_IN_GOOGLE: Final = Reason.DELETED_IN_GOOGLE.value
"""The reason of a lost session whose event a person deleted in Google Calendar."""


@dataclass(frozen=True, slots=True)
class Content:
    """The desired content of a session. It is in the store only sealed, and only while it waits (ST-4)."""

    start: Millis
    end: Millis
    time_zone: str
    """IANA zone in which the event is shown."""
    title: str = ""
    description: str = ""
    location: str = ""
    join_url: str = ""

    @property
    def event_description(self) -> str:
        """The description of the event: the join link, then the text, as HTML, because Google shows it so.

        Both are plain text here: a `<` that opens a tag and an `&` that forms an entity are written as entities, and no
        other character changes.
        """
        return "\n\n".join(as_html(part) for part in (self.join_url, self.description) if part)

    def canonical(self) -> bytes:
        """Return bytes that are equal for equal content; they are hashed and sealed."""
        return json.dumps(_fields(self), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def of_canonical(cls, data: bytes) -> "Content":
        """Return the content that `canonical` wrote."""
        return cls(**json.loads(data))


@dataclass(frozen=True, slots=True)
class GoogleCopy:
    """What is known of the session's event at Google. Only an attempt at Google learns more of it."""

    id: str
    """The event's id, also before there is an event."""
    generation: int
    """Counts the ids of this session: the next one is taken where the id is spent."""
    calendar_number: int
    """Which of the slot's calendars the event stands in."""
    etag: str = ""
    applied_revision: int = 0
    """The last revision that Google confirmed; 0 = none yet."""
    in_doubt: bool = False
    """A write may have reached Google without its answer reaching us: look before writing again."""
    exists: bool = False
    """Google confirmed an event of this id once; it may have been deleted since."""
    seen_etag: str = ""
    """The ETag that a person's change gave the event, once the backend was told; empty: as we wrote it."""
    revision_offset: int = 0
    """Added to our revision in the event: ours is the higher one also over an event that this record does not know."""


@dataclass(frozen=True, slots=True)
class Record:
    """What the store keeps of one session: identifiers and bookkeeping, no content (ST-3, law 11)."""

    session: str
    status: Status
    revision: int
    """Counts accepted changes; the one written into the event."""
    must_exist: bool
    """True: the event has to be there; false: it has to be gone."""
    copy: GoogleCopy
    digest: str
    """Keyed digest of the desired content; empty once it cannot be compared."""
    end_day: int
    """The day (UTC, days since 1970) on which the session ends: the exact end is not kept once applied."""
    nonce: str = ""
    """A random number of the desired state, written into the event beside the revision.

    A database that went back counts a revision twice; the nonce tells the two states apart (law 4).
    """
    version: int | None = None
    fencing_token: int = 0
    holder: str = ""
    """The random id of whoever took the lease last: a database that went back gives a fencing token twice."""
    leased: bool = False
    """Somebody is at Google with it, until the session's due time at most."""
    tries: int = 0
    reason: str = ""
    waiting_since: Millis = 0
    """When it began to wait for a person's act (database time; the store's scripts write it); 0: it does not."""
    pending_since: Millis = 0
    """Since when it is on its way to Google (database time; the store's scripts write it); 0: it is not."""

    @classmethod
    def of_json(cls, session: str, text: str) -> "Record":
        """Return the record that the store's scripts wrote.

        Raises `RecordUnreadable` for one that says more than is known here: a newer version, which runs
        beside this one, wrote it, and written back from here it would lose that (F35).
        """
        fields = json.loads(text)
        if fields.keys() - cls.__slots__ or fields["copy"].keys() - GoogleCopy.__slots__:
            raise RecordUnreadable(
                "A newer version of the service keeps this session; ask again.", retry_after=2
            )
        fields["status"] = Status(fields["status"])
        fields["copy"] = GoogleCopy(**fields["copy"])
        fields["version"] = int(fields["version"]) if "version" in fields else None
        return cls(session=session, **fields)

    def to_json(self) -> str:
        """Return the record as the store's scripts read it."""
        fields = _fields(self)
        fields["copy"] = _fields(self.copy)
        del fields["session"]
        if self.version is None:
            del fields["version"]
        else:
            fields["version"] = str(
                self.version
            )  # the store's JSON keeps 14 digits of a number, a version has 16
        return json.dumps(fields, separators=(",", ":"))

    @property
    def identifiers_end(self) -> Millis:
        """When the identifiers of this session are dropped: 30 days after the day of its end (law 11)."""
        return (self.end_day + 31) * DAY


def _fields(value: Content | Record | GoogleCopy) -> dict[str, Any]:
    # Not `asdict`, which copies every value deeply: these are made in every request, and their values are plain.
    return {name: getattr(value, name) for name in value.__slots__}
