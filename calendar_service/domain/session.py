"""A video session: the content that the backend wants, and the record that the store keeps."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from calendar_service.domain.clock import DAY, Millis
from calendar_service.domain.errors import RecordUnreadable


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


CHANGED_IN_GOOGLE = "changed_in_google"
"""The reason of a session whose event a person changed in Google Calendar."""
DELETED_IN_GOOGLE = "deleted_in_google"
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

    def canonical(self) -> bytes:
        """Return bytes that are equal for equal content; they are hashed and sealed."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

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
    """Added to our revision in the event: continues the count of an event that was taken over (law 3)."""


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
    version: int | None = None
    fencing_token: int = 0
    leased: bool = False
    """Somebody is at Google with it, until the session's due time at most."""
    tries: int = 0
    reason: str = ""
    waiting_since: Millis = 0
    """When it began to wait for a person's act (database time; the store's scripts write it); 0: it does not."""

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
        fields = asdict(self)
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
