"""Measures a running service: each measure by the name under which evidence asks for it. Must not name an agent."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from calendar_service.doctor import Finding
from calendar_service.domain.clock import DAY, HOUR, Millis, rfc3339
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS
from calendar_service.domain.names import Agent
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.trail import UNPROVED_AFTER
from calendar_service.journeys.register import Pulse
from calendar_service.journeys.sealing import ABSENT_AFTER
from calendar_service.report.proofs import Observed, Standing
from calendar_service.wiring import Service

FIRST_CHECKPOINT: Millis = DAY
"""A younger service need not have one."""
CHECKS = frozenset({"identity key", "consent", "retention", "erasures", "durability", "clocks"})
"""What `doctor` looks at, and evidence asks for."""
_LEVELS = {"ok": Standing.SHOWN, "note": Standing.OPEN, "fault": Standing.MISSING}

Walk = Callable[[Sequence[Agent]], Iterable[Agent]]


def observe(
    service: Service, findings: Iterable[Finding], walk: Walk, former_keys: Sequence[str] = ()
) -> tuple[Mapping[str, Observed], Pulse]:
    """Return every measure by its name, and the connections counted; `walk` shows how far that is.

    `former_keys`: public halves of signing keys before the present one.
    """
    try:
        pulse = service.register.pulse(walk)
        measured = {
            "permission": Observed("The one permission that is asked for: %(scope)s.", {"scope": SCOPE}),
            "methods": _methods(),
            "inventory": _inventory(),
            "lines": _lines(service),
            "sealed": _sealed(service),
            "proofs": _proofs(pulse, service.clock.now()),
            "closing": _closing(pulse),
            "checkpoint": _checkpoint(service),
            "trail": _trail(service, former_keys),
        }
    except StoreUnavailable:
        return {}, Pulse()
    return measured | _checked(findings), pulse


def _checked(findings: Iterable[Finding]) -> dict[str, Observed]:
    """Return what `doctor` found, the worst of each check."""
    found: dict[str, Observed] = {}
    for finding in findings:
        standing = _LEVELS[finding.level]
        before = found.get(finding.check)
        if before is None or Standing.of_all((before.standing, standing)) is not before.standing:
            found[finding.check] = Observed(finding.sentence, finding.values, standing, finding.check)
    return found


def _methods() -> Observed:
    return Observed(
        "%(count)s methods of Google's can be called, each with its purpose and with what the agent sees of it.",
        {"count": len(METHODS)},
    )


def _inventory() -> Observed:
    return Observed(
        "%(count)s kinds of things are kept, each with its reason and its end.", {"count": len(INVENTORY)}
    )


def _lines(service: Service) -> Observed:
    google, database = service.config.google, service.config.database
    if google.is_local:
        return Observed(
            "A local Google takes the real one's place here, without encryption: this is no production.",
            standing=Standing.OPEN,
        )
    if database.encrypted:
        return Observed("Google is reached over TLS of 1.2 or newer; the database over TLS.")
    if database.on_this_host:
        return Observed("Google is reached over TLS of 1.2 or newer; the database on this host.")
    return Observed("The database is reached without encryption.", standing=Standing.MISSING)


def _sealed(service: Service) -> Observed:
    found = service.rotation.status()
    unknown = [one for one in found if one.total and not one.known]
    if unknown:
        count = sum(one.total for one in unknown)
        return Observed(
            "Records that are sealed by keys which are not in the keyring: %(count)s.",
            {"count": count},
            Standing.MISSING,
        )
    return Observed(
        "Sealed records: %(count)s, all by keys of the keyring; the current key is “%(key)s”.",
        {"count": sum(one.total for one in found), "key": service.rotation.key_ids()[0]},
    )


def _proofs(pulse: Pulse, now: Millis) -> Observed:
    if not pulse.living:
        return Observed("No connection lives just now.", standing=Standing.OPEN)
    values = {"count": pulse.living, "hours": f"{max(0, now - pulse.oldest_proof) / HOUR:.1f}"}
    late = now - pulse.oldest_proof > UNPROVED_AFTER
    return Observed(
        "Living connections: %(count)s; the one that waits longest was proved alive %(hours)s hours ago.",
        values,
        Standing.MISSING if late else Standing.SHOWN,
    )


def _closing(pulse: Pulse) -> Observed:
    return Observed(
        "Closing errands that wait for Google's confirmation: %(count)s.", {"count": pulse.errands}
    )


def _checkpoint(service: Service) -> Observed:
    newest, age = service.audit.newest_checkpoint(), service.audit.checkpoint_age()
    if newest is None or age is None:
        standing = Standing.MISSING if _was_due(service) else Standing.OPEN
        return Observed("There is no signed checkpoint yet.", standing=standing)
    stated = {
        name: newest.get(name, "?") for name in ("number", "made_at", "due", "erased", "held", "overdue")
    }
    bad = age > ABSENT_AFTER or newest["overdue"] or newest["faults"]
    return Observed(
        "Signed checkpoint %(number)s of %(made_at)s: %(due)s due, %(erased)s erased since the one before, "
        "%(held)s held, %(overdue)s overdue.",
        stated,
        Standing.MISSING if bad else Standing.SHOWN,
    )


def _was_due(service: Service) -> bool:
    """Tell whether the oldest entry is old enough for a checkpoint to have been made."""
    entries = (line["at"] for line in service.audit.lines() if line["type"] == "entry")
    oldest = min(entries, default="")
    return bool(oldest) and oldest < rfc3339(service.clock.now() - FIRST_CHECKPOINT)


def _trail(service: Service, former_keys: Sequence[str]) -> Observed:
    verdict = service.audit.verify(former_keys)
    if not verdict.is_intact:
        return Observed(
            "The audit trail was changed (faults: %(count)s); `audit verify` says where.",
            {"count": len(verdict.faults)},
            Standing.MISSING,
        )
    values = {"count": verdict.entries, "unsealed": sum(verdict.unsealed.values())}
    if not verdict.entries:
        return Observed(
            "No entry of the audit trail is sealed yet; waiting: %(unsealed)s.", values, Standing.OPEN
        )
    return Observed(
        "Entries of the audit trail that are as they were sealed: %(count)s; not sealed yet: %(unsealed)s.",
        values,
    )
