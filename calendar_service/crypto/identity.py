"""Keyed hashes under the identity key, by which our calendars, events and accounts are recognized again."""

import hmac
import json

from calendar_service.crypto.derive import derived_key, keyed_hash
from calendar_service.domain.names import Agent


class IdentityKey:
    """The key in CALENDAR_IDENTITY_KEY. It is never rotated: under another one nothing of ours is recognized."""

    def __init__(self, key: bytes) -> None:
        """Take the 32 bytes."""
        self._key = key
        self._audit_chain_key = derived_key(
            key, "audit trail"
        )  # derived once: it is used for every audit entry
        self._shard_key = derived_key(key, "shard")

    def calendar_marker(self, organization: str, agent: str) -> str:
        """Return the marker for the description of the agent's calendar (32 hex digits)."""
        return self._hash("calendar marker", organization, agent)

    def session_marker(self, organization: str, agent: str, session: str) -> str:
        """Return the marker for the private properties of the session's event (32 hex digits)."""
        return self._hash("session marker", organization, agent, session)

    def event_hash(self, marker: str, event_id: str) -> str:
        """Return the hash that ties a session's marker to one event id (32 hex digits): a copy has another id."""
        return self._hash("event id", marker, event_id)

    def account_ref(self, primary_id: str) -> str:
        """Return the account reference: a keyed hash of the account's primary calendar id (law 6)."""
        return self._hash("account mark", primary_id)

    def audit_chain_mac(self, data: bytes) -> str:
        """Return the MAC of one entry of the audit chain (32 hex digits: 128 of 256 bits)."""
        return hmac.digest(self._audit_chain_key, data, "sha256").hex()[:32]

    def shard(self, agent: Agent) -> int:
        """Return the number of the agent's shard in the store, 0 to 255, for ever (law 10).

        It is keyed, so that nobody can tell from a name alone in which shard its audit entries are.
        """
        data = json.dumps((agent.organization, agent.agent)).encode()
        return hmac.digest(self._shard_key, data, "sha256")[0]

    def channel_token(self, channel_id: str) -> str:
        """Return the token that Google repeats in each notification of this channel; others are forged."""
        return self._hash("channel token", channel_id)

    def caller_hash(self, caller: str) -> str:
        """Return the hash under which a caller's calls are counted (32 hex digits)."""
        return self._hash("caller", caller)

    def check_value(self) -> str:
        """Return a value by which the store recognizes another identity key."""
        return self._hash("check value")

    def google_client_check_value(self, client_id: str) -> str:
        """Return a value by which the store recognizes another Google client."""
        return self._hash("google client", client_id)

    def _hash(self, label: str, *parts: str) -> str:
        return keyed_hash(self._key, label, json.dumps(parts).encode()).hex()[:32]
