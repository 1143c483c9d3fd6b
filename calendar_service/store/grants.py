"""The sealed grant: tokens under the connection's data key, packed in one string (ST-1, law 8).

The only part of the store that opens the vault. Must not know when a token is refreshed.
"""

import base64
import json
from dataclasses import dataclass

from calendar_service.crypto.envelope import CannotOpen, DataKey, Place, Vault
from calendar_service.domain.clock import Millis
from calendar_service.domain.errors import StoreUnavailable
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
    """Counts the tokens of this connection: a write that was made from an older one is refused."""
    refresh_token: Secret
    access_token: Secret
    expires_at: Millis
    key: DataKey
    sealed: str

    def event_id(self, session: str, generation: int) -> str:
        """Return the id of the session's event: no one can compute it once the data key is erased (law 3)."""
        digest = self.key.keyed_hash("event id", json.dumps([session, generation]).encode())
        return base64.b32hexencode(digest[:_ID_BYTES]).decode().lower()

    def digest(self, session: str, content: Content) -> str:
        """Return a keyed digest that tells equal content from other content, and nothing else."""
        data = session.encode() + b"\0" + content.canonical()
        return self.key.keyed_hash("content", data).hex()[:32]

    def seal_content(self, session: str, content: Content) -> str:
        """Return the content sealed until Google has confirmed it (ST-4)."""
        return self.key.seal(f"session {session}", content.canonical())

    def open_content(self, session: str, sealed: str) -> Content:
        """Return what waits for this session."""
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
        """Return a new connection's grant, under a data key of its own."""
        key = self._vault.new_key(_place(agent, connection_id))
        return _packed(key, connection_id, 1, refresh_token, access_token, expires_at)

    def next(self, grant: Grant, refresh_token: Secret, access_token: Secret, expires_at: Millis) -> Grant:
        """Return the same connection's grant with newer tokens."""
        number = grant.number + 1
        return _packed(grant.key, grant.connection_id, number, refresh_token, access_token, expires_at)

    def open(self, agent: Agent, connection_id: str, sealed: str) -> Grant:
        """Open what the store holds; a record that does not open is the operator's matter, not the agent's."""
        try:
            packed = json.loads(sealed)
            key = self._vault.open_key(_place(agent, connection_id), packed["key"])
            return Grant(
                connection_id=connection_id,
                number=packed["number"],
                refresh_token=Secret(key.open("refresh token", packed["refresh"]).decode()),
                access_token=Secret(key.open("access token", packed["access"]).decode()),
                expires_at=packed["expires"],
                key=key,
                sealed=sealed,
            )
        except (CannotOpen, ValueError, KeyError, TypeError):
            raise cannot_open() from None

    def key_id(self, sealed: str) -> str:
        """Return which key-encryption key this was sealed under; `?` for what is no sealed record."""
        try:
            return self._vault.key_id(json.loads(sealed)["key"])
        except (CannotOpen, ValueError, KeyError, TypeError, AttributeError):
            return "?"

    def resealed(self, agent: Agent, connection_id: str, sealed: str) -> str:
        """Return the same grant, its data key sealed under the current key.

        Its number grows: a refresh that began before would bring the former seal back, and is refused.
        """
        try:
            packed = json.loads(sealed)
            packed["key"] = self._vault.reseal(_place(agent, connection_id), packed["key"])
            packed["number"] += 1
        except (CannotOpen, ValueError, KeyError, TypeError, AttributeError):
            raise cannot_open() from None
        return json.dumps(packed)

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
            raise cannot_open() from None


def cannot_open() -> StoreUnavailable:
    """Return what callers see of a record that does not open: nothing about why, and that nothing changed."""
    return StoreUnavailable(
        "A sealed record of this agent cannot be opened with the keys at hand; the operator has to look "
        "(`calendar-service doctor`). Nothing was changed.",
        retry_after=300,
    )


def _place(agent: Agent, connection: str) -> Place:
    return Place(agent.organization, agent.agent, connection)


def _packed(
    key: DataKey, connection_id: str, number: int, refresh: Secret, access: Secret, expires_at: Millis
) -> Grant:
    sealed = json.dumps(
        {
            "number": number,
            "key": key.wrapped,
            "refresh": key.seal("refresh token", refresh.reveal().encode()),
            "access": key.seal("access token", access.reveal().encode()),
            "expires": expires_at,
        }
    )
    return Grant(connection_id, number, refresh, access, expires_at, key, sealed)
