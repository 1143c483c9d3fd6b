"""The records of the books. Must not know rules, nor the form of API resources."""

from typing import Any

import msgspec


class Account(msgspec.Struct):
    """A person with a calendar."""

    email: str
    name: str
    time_zone: str
    locale: str = "en"


class GivenConsent(msgspec.Struct):
    """The scopes that an account has allowed a project. With it, the consent screen can be skipped."""

    account: str
    project: str
    scopes: list[str]
    offline: bool
    granted_at: float


class Token(msgspec.Struct):
    """A refresh or access token. ``dead_at``: when a revocation takes effect; ``expires_at``: the regular end."""

    token: str
    account: str
    client_id: str
    project: str
    scopes: list[str]
    issued_at: float
    expires_at: float | None = None
    dead_at: float | None = None
    used_at: float = 0.0
    enforced: list[str] | None = None
    offline: bool = True

    def alive(self, now: float) -> bool:
        """Whether the token is valid at this moment."""
        return not (
            (self.dead_at is not None and now >= self.dead_at)
            or (self.expires_at is not None and now >= self.expires_at)
        )


class Code(msgspec.Struct):
    """An authorization code."""

    code: str
    account: str
    client_id: str
    redirect_uri: str
    scopes: list[str]
    offline: bool
    consented: bool
    issued_at: float
    challenge: str | None = None
    challenge_method: str | None = None
    used: bool = False
    nonce: str | None = None


class Calendar(msgspec.Struct):
    """A primary or secondary calendar; ``more`` holds writable fields that are stored only."""

    id: str
    owner: str
    summary: str
    time_zone: str
    etag: str
    created: float
    primary: bool = False
    description: str | None = None
    location: str | None = None
    made_by: str | None = None
    more: dict[str, Any] = {}


class ListEntry(msgspec.Struct):
    """How one account sees one calendar; ``removed`` means unsubscribed."""

    account: str
    calendar: str
    etag: str
    settings: dict[str, Any] = {}
    removed: bool = False
    change: int = 0


class Event(msgspec.Struct):
    """An event's resource, its bounds in seconds since 1970, and the number of its last change."""

    uid: int
    resource: dict[str, Any]
    start: float
    end: float
    change: int
    made_by: str | None = None

    @property
    def id(self) -> str:
        """The id in the API; two events may share it under the switch undetected_collisions."""
        identifier: str = self.resource["id"]
        return identifier

    @property
    def cancelled(self) -> bool:
        """Whether this is a tombstone."""
        return bool(self.resource["status"] == "cancelled")

    @property
    def is_stub(self) -> bool:
        """Whether this is what an event that moved to another calendar left behind."""
        return "created" not in self.resource


class Channel(msgspec.Struct):
    """A notification channel: the address that is notified when a collection changes."""

    id: str
    resource_id: str
    resource_uri: str
    address: str
    account: str
    client_id: str
    collection: str
    expires_at: float
    token: str | None = None
    number: int = 0
