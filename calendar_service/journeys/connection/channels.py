"""Google's notifications: the channel through which they come, and what one of them causes (RV-1, law 6).

A channel is opened by the worker, renewed by a new one before its end, stopped when it is not needed. What it says is
only a nudge. Knows the store and Google. Must not know what is looked at.
"""

import hmac
import re
from dataclasses import dataclass

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import DAY, HOUR, MINUTE, Clock, Millis
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.errors import (
    ChannelRefused,
    GoogleError,
    QuotaExceeded,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.jitter import spread
from calendar_service.domain.names import Agent
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import CalendarApi, CalendarMissing, OpenedChannel
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store import keys
from calendar_service.store.channels import ChannelStore
from calendar_service.store.connections import Connections
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.slots import Slots

_ID = re.compile(r"[0-9a-f]{34}")
_UNSAID: Millis = DAY
"""The life of a channel whose end Google does not name; the longest is documented nowhere."""
_REFUSED: Millis = 6 * HOUR
"""After a refusal: nothing here can mend it. Meanwhile the slow look finds the same changes."""


@dataclass(frozen=True)
class Channels:
    """The story of a channel, and of a notification."""

    slots: Slots
    connections: Connections
    channel_store: ChannelStore
    grants: Grants
    access: Access
    calendar: CalendarApi
    identity: IdentityKey
    throttle: Throttle
    clock: Clock
    address: str
    """Where Google sends them; empty: it cannot."""

    # --- a notification ---

    def receive_notification(self, channel_id: str, token: str, state: str) -> bool:
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

    # --- the channel ---

    def keep(self, agent: Agent) -> Millis | None:
        """Stop what has to be stopped, and open or renew the agent's channel if it is time (the worker).

        Returns after how long to look again, None for never.
        """
        slot = self.slots.read(agent)
        if not slot.facts.usable(SCOPE):
            return spread(
                keys.CHANGE_DETECTION_EVERY
            )  # nothing of theirs is used until the agent agrees: then it is due at once (SC-5)
        grant = self.grants.open(agent, slot.facts.connection_id, slot.grant)
        for channel_id, resource_id in slot.facts.left_channels.items():
            self._stop(agent, grant, channel_id, resource_id)
        if slot.facts.state(SCOPE) is not State.CONNECTED or not self.address:
            return spread(keys.CHANGE_DETECTION_EVERY) if slot.facts.calendar_since else None
        if slot.facts.channel_renew_at <= self.clock.now():
            return self._opened(agent, grant, slot.facts)
        # Not later than tomorrow, whatever a clock that was put right since has written there.
        return min(slot.facts.channel_renew_at - self.clock.now(), spread(keys.CHANGE_DETECTION_EVERY))

    def _opened(self, agent: Agent, grant: Grant, facts: Facts) -> Millis | None:
        if self.throttle.admit(facts.account_ref, 1) != "go":
            return spread(MINUTE)
        if self.throttle.notifications.admit() == "wait":
            return spread(_REFUSED)
        try:
            channel = self.access.with_token(agent, grant, lambda token: self._watch(token, agent, facts))
        except CalendarMissing:
            self.connections.calendar_missing(agent, facts)
            return 0
        except ChannelRefused:
            self.throttle.notifications.refused()
            return spread(_REFUSED)
        except GoogleError as trouble:
            if will_pass(trouble):
                raise
            return spread(_REFUSED)
        self.throttle.notifications.accepted()
        failpoint("channel.after_watch_before_store")
        life = self._life(channel)
        stands = self.channel_store.open(
            agent,
            facts.connection_id,
            facts.calendar_id,
            channel.id,
            channel.resource_id,
            self.clock.now() + life,
        )
        return min(life, DAY) if stands and not facts.channel_id else 0  # the one before is stopped next

    def _watch(self, token: Secret, agent: Agent, facts: Facts) -> OpenedChannel:
        channel_id = self.channel_store.new_id(agent)
        return self.calendar.watch(
            token,
            facts.calendar_id,
            channel_id=channel_id,
            channel_token=Secret(self.identity.channel_token(channel_id)),
            address=self.address,
        )

    def _stop(self, agent: Agent, grant: Grant, channel_id: str, resource_id: str) -> None:
        try:
            self.access.with_token(
                agent, grant, lambda token: self.calendar.stop_channel(token, channel_id, resource_id)
            )
        except GoogleError as trouble:
            if will_pass(trouble):
                raise
            # It has ended already, or is out of reach: it ends by itself, and what it says is nobody's any more.
        failpoint("channel.after_stop_before_store")
        self.channel_store.remove(agent, grant.connection_id, channel_id)

    def _life(self, channel: OpenedChannel) -> Millis:
        """Return after how long to renew: well before the end, not all channels of one day at once."""
        left = channel.expiration - self.clock.now() if channel.expiration else _UNSAID
        return max(HOUR, spread(left * 3 // 4, 8))


def will_pass(trouble: GoogleError) -> bool:
    """Tell whether it makes sense to try again within a minute."""
    return trouble.retryable and not isinstance(trouble, QuotaExceeded)
