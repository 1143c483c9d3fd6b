"""What a notification of Google's causes: the agent's calendar is compared soon (RV-1)."""

import hmac
import re
from dataclasses import dataclass

from calendar_service.crypto.identity import IdentityKey
from calendar_service.store.channels import ChannelStore

_ID = re.compile(r"[0-9a-f]{34}")


@dataclass(frozen=True)
class Notifications:
    """Takes notifications. Google is not asked here."""

    channel_store: ChannelStore
    identity: IdentityKey

    def receive(self, channel_id: str, token: str, state: str) -> bool:
        """Take a notification; false if it is not Google's.

        A forged one costs one keyed hash: the store is not asked. Of a genuine one nothing is
        believed but that something changed; a channel that is not in force causes nothing.
        """
        if not _ID.fullmatch(channel_id) or not self._is_genuine(channel_id, token):
            return False
        # `sync` only says that the channel is open, perhaps before we have the answer to our asking for it.
        agent = self.channel_store.agent_of(channel_id) if state != "sync" else None
        if agent:
            self.channel_store.wake_change_detection(agent, channel_id)
        return True

    def _is_genuine(self, channel_id: str, token: str) -> bool:
        return hmac.compare_digest(self.identity.channel_token(channel_id).encode(), token.encode())
