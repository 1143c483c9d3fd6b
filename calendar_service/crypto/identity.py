"""The identity key's marks: by them our calendars, events and accounts are known again. Opens nothing.

Must not know the store or Google.
"""

import hmac
import json

from calendar_service.crypto.derive import derived_key, keyed_hash
from calendar_service.domain.names import Agent


class IdentityKey:
    """Never rotated, or nothing of ours is found again (CALENDAR_IDENTITY_KEY)."""

    def __init__(self, key: bytes) -> None:
        """Take the 32 bytes."""
        self._key = key
        self._audit_chain_key = derived_key(key, "audit trail")  # once: a day's entries are many
        self._shard_key = derived_key(key, "shard")

    def calendar_marker(self, organization: str, agent: str) -> str:
        """Return what stands in the description of the agent's calendar (32 hex digits)."""
        return self._hash("calendar marker", organization, agent)

    def session_marker(self, organization: str, agent: str, session: str) -> str:
        """Return what stands in the private properties of the session's event (32 hex digits)."""
        return self._hash("session marker", organization, agent, session)

    def account_ref(self, primary_id: str) -> str:
        """Return the same-account mark of a Google account, by its primary calendar's id (law 6)."""
        return self._hash("account mark", primary_id)

    def audit_chain_mac(self, data: bytes) -> str:
        """Return the MAC of one link of the audit trail (32 hex digits: 128 of 256 bits)."""
        return hmac.digest(self._audit_chain_key, data, "sha256").hex()[:32]

    def shard(self, agent: Agent) -> int:
        """Return the number of the agent's shard in the store, 0 to 255, for ever (law 10).

        It is keyed, so that a name alone does not lead to the audit entries about it.
        """
        data = json.dumps((agent.organization, agent.agent)).encode()
        return hmac.digest(self._shard_key, data, "sha256")[0]

    def channel_token(self, channel_id: str) -> str:
        """Return what Google repeats in each notification of this channel, so that no other is believed."""
        return self._hash("channel token", channel_id)

    def check_value(self) -> str:
        """Return what tells another identity key from this one, and nothing else."""
        return self._hash("check value")

    def _hash(self, label: str, *parts: str) -> str:
        return keyed_hash(self._key, label, json.dumps(parts).encode()).hex()[:32]
