"""The sealed grant: tokens under the connection's data key, packed in one string (ST-1, law 8).

The only module of the store that opens the vault. Must not know when a token is refreshed.
"""

import base64
import json
from dataclasses import dataclass

from calendar_service.crypto.envelope import CannotOpen, DataKey, Place, Vault
from calendar_service.domain.clock import Millis
from calendar_service.domain.errors import RecordUnreadable
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.domain.session import Content

_ID_BYTES = 20
"""160 bits of a keyed hash: 32 characters of base32hex, Google's alphabet for event ids (a-v, 0-9)."""


@dataclass(frozen=True, slots=True)
class Grant:
    """An opened grant. Lives for one operation; the store keeps only `sealed`."""

    connection_id: str
    number: int
    """The number of this connection's token: 1 at first, one more with each refresh, reconsent and resealing.

    Scripts compare it with the number in the sealed grant that stands. If they differ, a refreshed grant is not stored,
    and Google's proof about the token (dead, or without the scope) changes nothing.
    """
    refresh_token: Secret
    access_token: Secret
    expires_at: Millis
    """When the access token expires, an instant of the process's clock."""
    key: DataKey
    sealed: str
    """The same grant as the store keeps it."""

    def event_id(self, session: str, generation: int) -> str:
        """Return the id of the session's event: no one can compute it once the data key is erased (law 3)."""
        # JSON keeps name and generation apart: no other pair has the same bytes, so no two sessions share an id.
        digest = self.key.keyed_hash("event id", json.dumps([session, generation]).encode())
        return base64.b32hexencode(digest[:_ID_BYTES]).decode().lower()

    def digest(self, session: str, content: Content) -> str:
        """Return a keyed digest: equal only for equal content of the same session and connection."""
        # Keyed, so that a copy of the database does not let an attacker test guesses of a title.
        data = session.encode() + b"\0" + content.canonical()
        return self.key.keyed_hash("content", data).hex()[:32]

    def seal_content(self, session: str, content: Content) -> str:
        """Return the content sealed, to wait in the store until Google has confirmed it (ST-4)."""
        # Bound to its session: an attacker with write access cannot put it under another one.
        return self.key.seal(f"session {session}", content.canonical())

    def open_content(self, session: str, sealed: str) -> Content:
        """Return the content that waits for this session; raise `RecordUnreadable` if it does not open."""
        try:
            return Content.of_canonical(self.key.open(f"session {session}", sealed))
        except (CannotOpen, ValueError, TypeError):
            raise cannot_open() from None


class Grants:
    """Packs and opens the grants of all agents."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def first(
        self,
        agent: Agent,
        connection_id: str,
        refresh_token: Secret,
        access_token: Secret,
        expires_at: Millis,
    ) -> Grant:
        """Return a new connection's grant, under a data key of its own.

        `expires_at`: when the access token expires, an instant of the process's clock.
        """
        # A key of its own: erasing the connection's sealed key makes its content and event ids unreadable everywhere.
        key = self._vault.new_key(_place(agent, connection_id))
        return _packed(key, connection_id, 1, refresh_token, access_token, expires_at)

    def next(self, grant: Grant, refresh_token: Secret, access_token: Secret, expires_at: Millis) -> Grant:
        """Return the same connection's grant with newer tokens and the next number."""
        number = grant.number + 1
        return _packed(grant.key, grant.connection_id, number, refresh_token, access_token, expires_at)

    def open(self, agent: Agent, connection_id: str, sealed: str) -> Grant:
        """Open a sealed grant; raise `RecordUnreadable` if no key at hand opens it, which proves nothing about it."""
        try:
            # The place is part of what is authenticated: a grant that was copied to another agent does not open.
            packed = json.loads(sealed)
            key = self._vault.open_key(_place(agent, connection_id), packed["key"])
            number, expires_at = packed["number"], packed["expires"]
            refresh, access = json.loads(key.open(_tokens_field(number, expires_at), packed["tokens"]))
            return Grant(connection_id, number, Secret(refresh), Secret(access), expires_at, key, sealed)
        except (CannotOpen, ValueError, KeyError, TypeError):
            raise cannot_open() from None

    def key_id(self, sealed: str) -> str:
        """Return the id of the key-encryption key of this record; `?` for a text that is no sealed record."""
        try:
            return self._vault.key_id(json.loads(sealed)["key"])
        except (CannotOpen, ValueError, KeyError, TypeError, AttributeError):
            return "?"

    def resealed(self, agent: Agent, connection_id: str, sealed: str) -> str:
        """Return the same grant with the next number, its data key sealed under the current key-encryption key."""
        grant = self.open(agent, connection_id, sealed)
        key = self._vault.resealed(grant.key)
        # The number rises: a refresh that read the grant before would store it under the former key again.
        number = grant.number + 1
        return _packed(
            key, connection_id, number, grant.refresh_token, grant.access_token, grant.expires_at
        ).sealed

    def seal_alone(self, agent: Agent, purpose: str, value: Secret) -> str:
        """Seal one value that belongs to no connection yet (a PKCE verifier), under a key of its own."""
        key = self._vault.new_key(_place(agent, purpose))
        return json.dumps({"key": key.wrapped, "value": key.seal(purpose, value.reveal().encode())})

    def open_alone(self, agent: Agent, purpose: str, sealed: str) -> Secret:
        """Open what `seal_alone` returned for this agent and purpose."""
        try:
            packed = json.loads(sealed)
            key = self._vault.open_key(_place(agent, purpose), packed["key"])
            return Secret(key.open(purpose, packed["value"]).decode())
        except (CannotOpen, ValueError, KeyError, TypeError):
            # One error for every reason, without its cause: how a record fails to open tells an attacker nothing.
            raise cannot_open() from None


def cannot_open() -> RecordUnreadable:
    """Return the error for a record that does not open: it says nothing about why."""
    return RecordUnreadable(
        "A sealed record of this agent cannot be opened with the keys at hand; the operator has to look "
        "(`calendar-service doctor`). Nothing was changed.",
        retry_after=300,
    )


def _place(agent: Agent, connection: str) -> Place:
    return Place(agent.organization, agent.agent, connection)


def _packed(
    key: DataKey, connection_id: str, number: int, refresh: Secret, access: Secret, expires_at: Millis
) -> Grant:
    tokens = json.dumps([refresh.reveal(), access.reveal()]).encode()
    sealed = json.dumps(
        {
            "number": number,
            "key": key.wrapped,
            "tokens": key.seal(_tokens_field(number, expires_at), tokens),
            "expires": expires_at,
        }
    )
    return Grant(connection_id, number, refresh, access, expires_at, key, sealed)


def _tokens_field(number: int, expires_at: Millis) -> str:
    # Both are authenticated, and the tokens are sealed together: who can write to the database can neither make a token
    # look newer or live longer, nor put an older refresh token beside a newer access token.
    return json.dumps(["tokens", number, expires_at])
