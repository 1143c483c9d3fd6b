"""What a worker does for the whole service, each task with an interval of its own. Must not know the loop.

Every worker runs all of them. Where one worker in turn is enough, the journey decides by a step in the database.
"""

from dataclasses import dataclass

from calendar_service.domain.clock import MINUTE, SECOND, Millis
from calendar_service.wiring import Service
from calendar_service.worker.periodic import Maintainer, Periodic, contained
from calendar_service.worker.reports import report_clock_difference, report_deliveries

SEAL_EVERY: Millis = 5 * SECOND
"""How long a new entry of the audit trail waits for its MAC. A look when nothing is new is one round trip."""
CHECKPOINT_LOOK_EVERY: Millis = 10 * MINUTE
"""How often a worker looks whether the day's checkpoint is there."""
SWEEP_EVERY: Millis = MINUTE
"""How soon after the end of a reviewer's link everything behind it goes."""
_AUDIT_SURPRISE = "audit.surprise"


def start(service: Service) -> None:
    """Do what each worker does once, before its first round: put right what a death or a wrong clock has left."""
    service.operations.file_rewrites.start()
    contained(service.log, Repairs(service).timers)


def maintainer(service: Service) -> Maintainer:
    """Return all tasks, in the order in which they run."""
    sealing = Periodic(SEAL_EVERY, service.audit.sealer.seal, retries=True, surprise=_AUDIT_SURPRISE)
    checkpoint = Checkpoint(service, sealing, Repairs(service))
    tasks = {
        "reconsent": Periodic(None, ReconsentNotices(service).run, retries=True),
        "erasure_webhooks": Periodic(0, ErasureWebhooks(service).run),
        "file_rewrites": Periodic(0, service.operations.file_rewrites.step),
        "sealing": sealing,
        "checkpoint": Periodic(CHECKPOINT_LOOK_EVERY, checkpoint.run, surprise=_AUDIT_SURPRISE),
        "reviewer_links": Periodic(SWEEP_EVERY, ReviewerSweep(service).run),
    }
    return Maintainer(tasks, service.clock, service.log)


@dataclass(frozen=True)
class ReconsentNotices:
    """Tells backends whose consent a newer policy outdated. Meanwhile no such grant is used (SC-5)."""

    service: Service

    def run(self) -> None:
        """Tell all, once for each version of the policy."""
        if count := self.service.connection.reconsent.tell():
            self.service.log.event("consent.outdated", count=count)


@dataclass(frozen=True)
class ErasureWebhooks:
    """Delivers the webhooks that tell an erasure: their agents are gone, and no item of an agent can do it."""

    service: Service

    def run(self) -> None:
        """Deliver those that are due."""
        report_deliveries(self.service.log, self.service.webhook_delivery.deliver_erased())


@dataclass(frozen=True)
class Checkpoint:
    """Makes the day's checkpoint of the audit trail. The worker that makes it does the day's repairs too."""

    service: Service
    sealing: Periodic
    repairs: "Repairs"

    def run(self) -> bool:
        """Make the checkpoint if it is time and no other worker does; return true while sealing has more to do.

        A checkpoint seals all that is left. After an outage that is much: the sealing goes on in rounds before it, so
        that agents do not wait for it.
        """
        if self.sealing.is_due(self.service.clock.now()):
            return True
        if self.service.audit.sealer.checkpoint():
            for repair in (self.repairs.account_references, self.repairs.off_boardings, self.repairs.timers):
                contained(self.service.log, repair)
        return False


@dataclass(frozen=True)
class Repairs:
    """Finish what a crash or an outage has left half done. Each logs what it has changed."""

    service: Service

    def account_references(self) -> None:
        """Compare the references of each Google account with the connections there are."""
        if count := self.service.operations.shared_account_repair.repair():
            self.service.log.event("account_refs.repaired", count=count)

    def off_boardings(self) -> None:
        """Go on with the off-boarding of organizations."""
        if count := self.service.operations.organizations.go_on():
            self.service.log.event("organization.off_boarding_went_on", count=count)

    def timers(self) -> None:
        """Let be due now what a clock that was ahead has put too far off."""
        if count := self.service.operations.far_timers.reset():
            self.service.log.event("clock.realigned", count=count)


@dataclass(frozen=True)
class ReviewerSweep:
    """Takes down what is behind reviewers' links that have ended."""

    service: Service

    def run(self) -> None:
        """Take it down, unless the clocks differ."""
        if self.service.operations.reviewers.sweep() == "clock":
            report_clock_difference(self.service.log)
