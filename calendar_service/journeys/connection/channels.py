"""Google's notifications: the channels through which they come, and what a notification causes (RV-1, law 6).

The worker opens a channel, opens a new one before it ends, and stops the one that is no longer needed. A notification
is only a wake-up for the change detection. Knows the store and Google. Must not know how changes are detected.
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
_DEFAULT_LIFE: Millis = DAY
"""How long a channel is taken to live if Google does not say; the longest life is documented nowhere."""
_AFTER_REFUSAL: Millis = 6 * HOUR
"""The pause after Google refused a channel for good. The daily change detection finds the same changes meanwhile."""


@dataclass(frozen=True)
class Channels:
    """Opens, renews and stops the channels of all agents, and receives their notifications."""

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
    """The URL to which Google sends notifications; empty if Google cannot reach this service."""

    # --- a notification ---

    def receive_notification(self, channel_id: str, token: str, state: str) -> bool:
        """Take a notification; false if it is not Google's.

        A genuine one makes the change detection due; nothing else in it is used. One of a channel that is not in force
        causes nothing.
        """
        # Checked before the store is asked: a flood of forged notifications costs one keyed hash each.
        if not _ID.fullmatch(channel_id) or not self._is_genuine(channel_id, token):
            return False
        # `sync` only says that the channel is open, and may arrive before Google's answer to the request that opened
        # it.
        agent = self.channel_store.agent_of(channel_id) if state != "sync" else None
        if agent:
            self.channel_store.wake_change_detection(agent, channel_id)
        return True

    def _is_genuine(self, channel_id: str, token: str) -> bool:
        return hmac.compare_digest(self.identity.channel_token(channel_id).encode(), token.encode())

    # --- the channel ---

    def keep(self, agent: Agent) -> Millis | None:
        """Stop the channels that have to be stopped, and open or renew the agent's channel if it is time (the worker).

        Returns after how long this is due again, None for never.
        """
        slot = self.slots.read(agent)
        if not slot.facts.usable(SCOPE):
            # The grant is not used until the agent consents again, which makes this item due at once (SC-5).
            return spread(keys.CHANGE_DETECTION_EVERY)
        grant = self.grants.open(agent, slot.facts.connection_id, slot.grant)
        for channel_id, resource_id in slot.facts.left_channels.items():
            self._stop(agent, grant, channel_id, resource_id)
        if slot.facts.state(SCOPE) is not State.CONNECTED or not self.address:
            return spread(keys.CHANGE_DETECTION_EVERY) if slot.facts.calendar_since else None
        if slot.facts.channel_renew_at <= self.clock.now():
            return self._open(agent, grant, slot.facts)
        # A clock that was ahead may have written a renewal that is far off: asked again within a day in any case.
        return min(slot.facts.channel_renew_at - self.clock.now(), spread(keys.CHANGE_DETECTION_EVERY))

    def _open(self, agent: Agent, grant: Grant, facts: Facts) -> Millis | None:
        if self.throttle.turn(facts.account_ref, 1) != "go":
            return spread(MINUTE)
        if not self.throttle.may_watch():
            return spread(_AFTER_REFUSAL)
        try:
            channel = self.access.with_token(agent, grant, lambda token: self._watch(token, agent, facts))
        except CalendarMissing:
            self.connections.calendar_missing(agent, facts)
            return 0
        except ChannelRefused:
            self.throttle.watch_refused()
            return spread(_AFTER_REFUSAL)
        except GoogleError as trouble:
            if will_pass(trouble):
                raise
            return spread(_AFTER_REFUSAL)
        self.throttle.watch_taken()
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
        return (
            min(life, DAY) if stands and not facts.channel_id else 0
        )  # 0: the former channel is stopped next

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
            # It ended already, or is out of reach and expires at Google. Its notifications cause nothing: the store no
            # longer has it in force.
        failpoint("channel.after_stop_before_store")
        self.channel_store.remove(agent, grant.connection_id, channel_id)

    def _life(self, channel: OpenedChannel) -> Millis:
        """Return after how long to renew the channel: at about three quarters of its life, spread by an eighth."""
        left = channel.expiration - self.clock.now() if channel.expiration else _DEFAULT_LIFE
        return max(HOUR, spread(left * 3 // 4, 8))


def will_pass(trouble: GoogleError) -> bool:
    """Tell whether the error may pass within a minute, so that it makes sense to try again."""
    return trouble.retryable and not isinstance(trouble, QuotaExceeded)
