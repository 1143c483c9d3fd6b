"""TheThe channels through which Google's notifications come (RV-1, law 6).

A channel is opened by the worker, renewed by a new one before its end, stopped when it is not needed. What it says is
only a nudge. Knows the store and Google. Must not know what is looked at.
"""

from dataclasses import dataclass

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.clock import DAY, HOUR, MINUTE, Clock, Millis
from calendar_service.domain.connection import Facts, State
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.errors import (
    ChannelRefused,
    GoogleError,
    QuotaExceeded,
)
from calendar_service.domain.failpoints import failpoint
from calendar_service.domain.jitter import spread
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import CalendarApi, CalendarMissing, OpenedChannel
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.store import keys
from calendar_service.store.channels import ChannelStore
from calendar_service.store.grants import Grant
from calendar_service.store.slots import Slots

_DEFAULT_LIFE: Millis = DAY
"""How long a channel is taken to live if Google does not say; the longest life is documented nowhere."""
_AFTER_REFUSAL: Millis = 6 * HOUR
"""The pause after Google refused a channel for good. The daily change detection finds the same changes meanwhile."""


@dataclass(frozen=True)
class ChannelWatch:
    """Asks Google for notifications of one calendar, under a token that only this service can compute."""

    channel_store: ChannelStore
    calendar: CalendarApi
    identity: IdentityKey
    address: str
    """The URL to which Google sends notifications; empty if Google cannot reach this service."""

    def open(self, token: Secret, agent: Agent, calendar_id: str) -> OpenedChannel:
        """Open a channel under a new id of this agent's."""
        channel_id = self.channel_store.new_id(agent)
        return self.calendar.watch(
            token,
            calendar_id,
            channel_id=channel_id,
            channel_token=Secret(self.identity.channel_token(channel_id)),
            address=self.address,
        )

    def stop(self, token: Secret, channel_id: str, resource_id: str) -> None:
        """Stop a channel."""
        self.calendar.stop_channel(token, channel_id, resource_id)


@dataclass(frozen=True)
class Channels:
    """Keeps one channel open for each agent, and stops the others."""

    slots: Slots
    channel_store: ChannelStore
    access: Access
    watch: ChannelWatch
    throttle: Throttle
    terms: ConsentTerms
    clock: Clock

    def keep(self, agent: Agent) -> Millis | None:
        """Stop the channels that have to be stopped, and open or renew the agent's channel if it is time (the worker).

        Returns after how long this is due again, None for never.
        """
        slot = self.slots.read(agent)
        if not slot.facts.usable(self.terms):
            # The grant is not used until the agent consents again, which makes this item due at once (SC-5).
            return spread(keys.CHANGE_DETECTION_EVERY)
        grant = self.access.open(slot)
        for channel_id, resource_id in slot.facts.channel.to_stop.items():
            self._stop(agent, grant, channel_id, resource_id)
        if slot.facts.state(self.terms) is not State.CONNECTED or not self.watch.address:
            return spread(keys.CHANGE_DETECTION_EVERY) if slot.facts.calendar.since else None
        if slot.facts.channel.renew_at <= self.clock.now():
            return self._open(agent, grant, slot.facts)
        # A clock that was ahead may have written a renewal that is far off: asked again within a day in any case.
        return min(slot.facts.channel.renew_at - self.clock.now(), spread(keys.CHANGE_DETECTION_EVERY))

    def _open(self, agent: Agent, grant: Grant, facts: Facts) -> Millis | None:
        if self.throttle.admit(facts.account.ref, 1) != "go":
            return spread(MINUTE)
        if self.throttle.notifications.admit() == "wait":
            return spread(_AFTER_REFUSAL)
        try:
            channel = self.access.in_calendar(
                agent, facts, grant, lambda token: self.watch.open(token, agent, facts.calendar.id)
            )
        except CalendarMissing:
            return 0
        except ChannelRefused:
            self.throttle.notifications.refused()
            return spread(_AFTER_REFUSAL)
        except GoogleError as trouble:
            if will_pass(trouble):
                raise
            return spread(_AFTER_REFUSAL)
        self.throttle.notifications.accepted()
        failpoint("channel.after_watch_before_store")
        life = self._life(channel)
        stands = self.channel_store.open(
            agent,
            facts.connection_id,
            facts.calendar.id,
            channel.id,
            channel.resource_id,
            self.clock.now() + life,
        )
        return (
            min(life, DAY) if stands and not facts.channel.id else 0
        )  # 0: the former channel is stopped next

    def _stop(self, agent: Agent, grant: Grant, channel_id: str, resource_id: str) -> None:
        try:
            self.access.with_token(
                agent, grant, lambda token: self.watch.stop(token, channel_id, resource_id)
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
