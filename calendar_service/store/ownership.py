"""Whose database this is: check values of the records' format, the identity key and the Google client.

Must not know an agent.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from calendar_service.config import ConfigurationFault
from calendar_service.store import keys
from calendar_service.store.database import Database
from calendar_service.store.unusable import UnusableDatabase


class Owner(StrEnum):
    """Whose the data of a database is, by its check values."""

    OURS = "ours"
    NOBODY = "nobody"
    """The database is empty: the first `serve` or `work` begins it."""
    UNKNOWN = "unknown"
    """There is data, and no check value says whose it is."""
    ANOTHER = "another"
    """It was begun with another identity key."""
    ANOTHER_FORMAT = "another_format"
    """A version of the service began it that writes another format; whether the key is the same is not known."""


class NotOurDatabase(UnusableDatabase):
    """The database was not begun with our identity key and format; nothing is read or written in it."""

    def __init__(self, owner: Owner) -> None:
        what, remedy = _REFUSALS[owner]
        super().__init__(
            (ConfigurationFault("CALENDAR_REDIS_URL", f"leads to a database that {what}", remedy),)
        )


_REFUSALS = {
    Owner.NOBODY: (
        "is empty and was not begun",
        "start `serve` or `work` first, or mend CALENDAR_REDIS_URL if there has to be data",
    ),
    Owner.UNKNOWN: (
        "holds data without the check value of an identity key",
        "type `calendar-service keys adopt` if the data is this service's; else use an empty database",
    ),
    Owner.ANOTHER: (
        "was begun with another identity key",
        "give back the former CALENDAR_IDENTITY_KEY, or mend CALENDAR_REDIS_URL if it leads to another service's",
    ),
    Owner.ANOTHER_FORMAT: (
        f"was begun by a version of the service with another format than this one's, {keys.FORMAT}",
        "start that version again, or use an empty database; the identity key may be right",
    ),
}


@dataclass(frozen=True, slots=True)
class CheckValues:
    """What the database keeps to recognize its own service."""

    format: str
    identity_key: str
    google_client: str
    """Empty while the service moves to another Google client: then no client fits."""

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Return the values of a stored text; one of another format has no values to compare."""
        parts = text.split(".")
        return cls(*parts) if len(parts) == len(cls.__slots__) else cls("", "", "")

    @property
    def text(self) -> str:
        """The values as they are stored: one text, so that one command sets them all."""
        return f"{self.format}.{self.identity_key}.{self.google_client}"

    def owner(self, own: "CheckValues") -> Owner:
        """Return whose the data with these values is, seen from a service with its own."""
        if self.format != own.format:
            return Owner.ANOTHER_FORMAT
        return Owner.OURS if self.identity_key == own.identity_key else Owner.ANOTHER


class Ownership:
    """Compares the database's check values with the service's own, and sets them."""

    def __init__(self, database: Database, identity_key: str, google_client: str) -> None:
        """Take the check values of the configured identity key and Google client."""
        self._database = database
        self._own = CheckValues(keys.FORMAT, identity_key, google_client)

    def owner(self) -> Owner:
        """Return whose the data is now. Only reads."""
        stored = self._stored()
        if stored is None and self._database.is_empty():
            return Owner.NOBODY
        # Read again: another process may have begun the database before its first data made it no longer empty.
        stored = stored or self._stored()
        if stored is None:
            return Owner.UNKNOWN
        return stored.owner(self._own)

    def require(self) -> None:
        """Raise `NotOurDatabase` unless the data is ours. Only reads."""
        if (owner := self.owner()) is not Owner.OURS:
            raise NotOurDatabase(owner)

    def require_unknown(self) -> None:
        """Raise `NotOurDatabase` unless there is data without check values. Only reads."""
        if (owner := self.owner()) is not Owner.UNKNOWN:
            raise NotOurDatabase(owner)

    def begin(self) -> None:
        """Make an empty database ours, then `require` that it is (`serve` and `work`)."""
        # Every process compares before it writes anything, so the first of several that find the database empty sets
        # the values, and the others compare with them.
        if self.owner() is Owner.NOBODY:
            self._database.set_check_values(self._own.text, "NX")
        self.require()

    def adopt(self) -> None:
        """Make data ours that has no check value; the caller has proved that our keys fit it."""
        self._database.set_check_values(self._own.text, "NX")
        self.require()

    def is_google_client_ours(self) -> bool:
        """Tell whether the permissions in the database were given to our Google client.

        Raises `NotOurDatabase` if the database was replaced by another's while this process runs.
        """
        stored = self._stored()
        owner = stored.owner(self._own) if stored else Owner.UNKNOWN
        if not stored or owner is not Owner.OURS:
            raise NotOurDatabase(owner)
        return stored.google_client == self._own.google_client

    def release_google_client(self) -> None:
        """From here on no Google client fits: no process refreshes or connects until `adopt_google_client`."""
        self._set_google_client("")

    def adopt_google_client(self) -> None:
        """Make our Google client the one whose permissions the database holds."""
        self._set_google_client(self._own.google_client)

    def _set_google_client(self, google_client: str) -> None:
        values = CheckValues(self._own.format, self._own.identity_key, google_client)
        self._database.set_check_values(values.text, "XX")

    def _stored(self) -> CheckValues | None:
        text = self._database.check_values()
        return None if text is None else CheckValues.of_text(text)
