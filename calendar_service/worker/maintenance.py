"""What a worker does for the whole service, each task with an interval of its own. Must not know the loop.

Every worker runs all of them, in lanes: the tasks of one lane run one after another, and the lanes beside each other
and beside the agents. Where one worker in turn is enough, the journey decides by a step in the database.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue

from calendar_service.domain.audit import ABSENT_AFTER
from calendar_service.domain.clock import HOUR, MINUTE, SECOND, Clock, Millis
from calendar_service.journeys.audit.audit_export import AuditExport
from calendar_service.journeys.audit.sealing import Sealer
from calendar_service.journeys.connection.reconsent import Reconsent
from calendar_service.journeys.operations.reviewer_links import ReviewerLinkJourney
from calendar_service.journeys.webhooks.delivery import WebhookDelivery
from calendar_service.log import Log
from calendar_service.store.durability import Durability
from calendar_service.wiring import OperationsJourneys, Service
from calendar_service.worker.periodic import Maintainer, Periodic, contained
from calendar_service.worker.reports import report_clock_difference, report_deliveries

SEAL_EVERY: Millis = 5 * SECOND
"""How long a new audit entry waits for its MAC. A run without new entries is one round trip."""
CHECKPOINT_CHECK_EVERY: Millis = 10 * MINUTE
"""How often a worker checks whether the day's checkpoint is due."""
SWEEP_EVERY: Millis = MINUTE
"""How soon after the end of a reviewer's link everything behind it is erased."""
DURABILITY_EVERY: Millis = HOUR
"""How often a worker asks whether the database still keeps what it acknowledges."""
_AUDIT_SURPRISE = "audit.surprise"


@dataclass(frozen=True)
class Lanes:
    """The tasks of the maintenance. One thread each, so that what takes long delays neither agents nor other lanes."""

    erasure_webhooks: Maintainer
    """They wait for the receiver."""
    routine: Maintainer
    """Files, audit log and reviewers' links."""
    walks: Maintainer
    """They read all agents."""

    def each(self) -> dict[str, Maintainer]:
        """Return the lanes by name."""
        return {name: getattr(self, name) for name in ("erasure_webhooks", "routine", "walks")}


def lanes(service: Service, is_stopped: Callable[[], bool]) -> Lanes:
    """Return all tasks. `is_stopped`: whether the worker is to end; a walk then ends early."""
    repairs = Repairs(service.operations, service.log, is_stopped)
    notices = ReconsentNotices(service.connection.reconsent, service.log, is_stopped)
    erasures = ErasureWebhooks(service.webhook_delivery, service.log)
    walks = {
        "reconsent": Periodic(None, notices.run, retries=True),
        "far_timers": Periodic(None, repairs.timers, retries=True),
        "repairs": Periodic(0, repairs.run),
        "totals": Periodic(MINUTE, partial(service.operations.totals.refresh, is_stopped)),
    }
    return Lanes(
        Maintainer({"erasure_webhooks": Periodic(0, erasures.run)}, service.clock, service.log),
        Maintainer(_routine(service, repairs), service.clock, service.log),
        Maintainer(walks, service.clock, service.log),
    )


def _routine(service: Service, repairs: "Repairs") -> dict[str, Periodic]:
    sealing = Periodic(SEAL_EVERY, service.audit.sealer.seal, retries=True, surprise=_AUDIT_SURPRISE)
    checkpoint = DailyCheckpoint(service.audit.sealer, sealing, repairs, service.clock)
    absence = CheckpointAbsence(service.audit.audit_export, service.log)
    return {
        "file_rewrites": Periodic(0, service.operations.file_rewrites.step),
        "sealing": sealing,
        # Before the checkpoint, and apart from it: one that fails each time must not keep the alarm back.
        "checkpoint_absence": Periodic(CHECKPOINT_CHECK_EVERY, absence.run, surprise=_AUDIT_SURPRISE),
        "checkpoint": Periodic(CHECKPOINT_CHECK_EVERY, checkpoint.run, surprise=_AUDIT_SURPRISE),
        "reviewer_links": Periodic(SWEEP_EVERY, ReviewerSweep(service.operations.reviewers, service.log).run),
        "durability": Periodic(DURABILITY_EVERY, DurabilityCheck(service.store.durability, service.log).run),
    }


@dataclass(frozen=True)
class DurabilityCheck:
    """Alarms while the database may lose what it acknowledges: its settings may change while this process runs."""

    durability: Durability
    log: Log

    def run(self) -> None:
        """Alarm about each setting that is not as required, or that nobody tells any more."""
        state = self.durability.state()
        for setting in (*state.wrong, *state.untold):
            self.log.alarm("database.not_durable", reason=setting.replace("-", "_"))


@dataclass(frozen=True)
class ReconsentNotices:
    """Notifies the backends of connections whose consent a newer policy outdated (SC-5)."""

    reconsent: Reconsent
    log: Log
    is_stopped: Callable[[], bool]

    def run(self) -> None:
        """Notify all, once for each version of the policy."""
        if count := self.reconsent.tell(self.is_stopped):
            self.log.event("consent.outdated", count=count)


@dataclass(frozen=True)
class ErasureWebhooks:
    """Delivers the webhook events of erasures: their agents' slots are gone, so no item of an agent can."""

    webhook_delivery: WebhookDelivery
    log: Log

    def run(self) -> None:
        """Deliver those that are due."""
        report_deliveries(self.log, self.webhook_delivery.deliver_erased())


@dataclass(frozen=True)
class CheckpointAbsence:
    """Alarms while a checkpoint is missing, the first one too (docs/audit.md)."""

    audit_export: AuditExport
    log: Log

    def run(self) -> None:
        """Alarm if the newest checkpoint is too old, or if there is none though the audit log is as old."""
        age = self.audit_export.checkpoint_age(self.audit_export.newest_checkpoint())
        if age > ABSENT_AFTER:
            self.log.alarm("audit.checkpoint_absent", seconds=age // SECOND, clause="ST-5")


@dataclass(frozen=True)
class DailyCheckpoint:
    """Makes the day's checkpoint of the audit log. The worker that makes it is asked for the day's repairs too."""

    sealer: Sealer
    sealing: Periodic
    repairs: "Repairs"
    clock: Clock

    def run(self) -> bool:
        """Make the checkpoint if it is time and no other worker does; return true while sealing has more to do.

        A checkpoint seals all entries that are left. After an outage there may be many: they are sealed in rounds
        before it, so that agents do not wait.
        """
        if self.sealing.is_due(self.clock.now()):
            return True
        if self.sealer.checkpoint():
            self.repairs.request(
                self.repairs.account_references,
                self.repairs.off_boardings,
                self.repairs.timers,
                self.repairs.waiting_counts,
            )
        return False


@dataclass(frozen=True)
class Repairs:
    """Finishes what a crash or an outage has left half done. Each repair logs how much it changed.

    They walk all agents, so whoever requests one does not wait for it.
    """

    operations: OperationsJourneys
    log: Log
    is_stopped: Callable[[], bool]
    _requested: "SimpleQueue[Callable[[], None]]" = field(default_factory=SimpleQueue)

    def request(self, *repairs: Callable[[], None]) -> None:
        """Let the next `run` do these, in their order."""
        for repair in repairs:
            self._requested.put(repair)

    def run(self) -> None:
        """Do what was requested; trouble with one repair keeps no other back."""
        with contextlib.suppress(Empty):
            while not self.is_stopped():
                contained(self.log, self._requested.get_nowait())

    def account_references(self) -> None:
        """Compare the reference set of each Google account with the connections in the store."""
        if count := self.operations.shared_account_repair.repair(self.is_stopped):
            self.log.event("account_refs.repaired", count=count)

    def off_boardings(self) -> None:
        """Go on with off-boardings that were interrupted."""
        if count := self.operations.organizations.go_on(self.is_stopped):
            self.log.event("organization.off_boarding_continued", count=count)

    def timers(self) -> None:
        """Make timers due now that a wrong clock has set too far ahead."""
        if count := self.operations.far_timers.reset(self.is_stopped):
            self.log.event("clock.timers_reset", count=count)

    def waiting_counts(self) -> None:
        """Compare what is counted of waiting content with what waits."""
        if count := self.operations.waiting_repair.repair(self.is_stopped):
            self.log.event("waiting.counts_corrected", count=count)


@dataclass(frozen=True)
class ReviewerSweep:
    """Erases everything behind reviewers' links that have ended."""

    reviewers: ReviewerLinkJourney
    log: Log

    def run(self) -> None:
        """Erase it, unless the clocks of process and database differ."""
        if self.reviewers.sweep() == "clock":
            report_clock_difference(self.log)
