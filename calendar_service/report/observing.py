"""Turns measures into the report's evidence, by the names that `evidence.py` uses. It names no agent."""

from collections.abc import Iterable, Mapping, Sequence

from calendar_service.config import Config
from calendar_service.domain.audit import ABSENT_AFTER, Verdict
from calendar_service.domain.clock import HOUR
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS
from calendar_service.domain.scope import NARROWER_COMBINATIONS, SCOPE
from calendar_service.health.finding import Finding
from calendar_service.health.measures import Measures
from calendar_service.health.measures.audit import AuditMeasures
from calendar_service.health.measures.connections import Progress
from calendar_service.health.measures.keys import SealedRecords
from calendar_service.journeys.operations.all_connections import ConnectionTotals
from calendar_service.report.proofs import EvidenceStatus, Observed

CHECKS = frozenset({"identity key", "consent", "retention", "erasures", "durability", "clocks"})
"""Checks of `doctor` that `evidence.py` names."""
_LEVELS = {"ok": EvidenceStatus.SHOWN, "note": EvidenceStatus.OPEN, "fault": EvidenceStatus.MISSING}


def observe(
    measures: Measures, findings: Iterable[Finding], progress: Progress, former_keys: Sequence[str] = ()
) -> tuple[Mapping[str, Observed], ConnectionTotals]:
    """Return the evidence by its name, and the totals of all connections. Both are empty without the database.

    `progress` shows how far the counting is. `former_keys` are public keys of former signing keys.
    """
    try:
        totals = measures.connections.totals(progress)
        observed = {
            "permission": Observed("The one permission that is asked for: %(scope)s.", {"scope": SCOPE}),
            "methods": _methods(),
            "narrower permissions": _narrower_permissions(),
            "inventory": _inventory(),
            "encryption": _encryption(measures.config),
            "sealed": _sealed(measures.keys.sealed),
            "proofs": _proofs(measures, totals),
            "teardowns": _teardowns(totals),
            "checkpoint": _checkpoint(measures.audit),
            "audit_log": _audit_log(measures.audit.verdict(former_keys)),
        }
    except StoreUnavailable:
        return {}, ConnectionTotals()
    return observed | _checked(findings), totals


def _checked(findings: Iterable[Finding]) -> dict[str, Observed]:
    """Return the findings by check, the worst of each."""
    by_check: dict[str, Observed] = {}
    for finding in findings:
        standing = _LEVELS[finding.level]
        before = by_check.get(finding.check)
        if before is None or EvidenceStatus.of_all((before.standing, standing)) is not before.standing:
            by_check[finding.check] = Observed(finding.sentence, finding.values, standing, finding.check)
    return by_check


def _methods() -> Observed:
    return Observed(
        "%(count)s methods of Google's can be called, each with its purpose and with what the agent sees of it.",
        {"count": len(METHODS)},
    )


def _narrower_permissions() -> Observed:
    """Return the combinations that would do too: the claim of SC-6 is about a single permission, so it stays open."""
    return Observed(
        "Two combinations of narrower permissions would do as well: %(combinations)s. Google shows a box for each, so "
        "an agent can leave one unticked; the published policy names the single one.",
        {"combinations": "; ".join(" + ".join(scopes) for scopes in NARROWER_COMBINATIONS)},
        EvidenceStatus.OPEN,
    )


def _inventory() -> Observed:
    return Observed(
        "%(count)s kinds of things are kept, each with its reason and its end.", {"count": len(INVENTORY)}
    )


def _encryption(config: Config) -> Observed:
    if config.google.is_local:
        return Observed(
            "A local Google takes the real one's place here, without encryption: this is no production.",
            standing=EvidenceStatus.OPEN,
        )
    if config.database.encrypted:
        return Observed("Google is reached over TLS of 1.2 or newer; the database over TLS.")
    if config.database.on_this_host:
        return Observed("Google is reached over TLS of 1.2 or newer; the database on this host.")
    return Observed("The database is reached without encryption.", standing=EvidenceStatus.MISSING)


def _sealed(sealed: SealedRecords) -> Observed:
    if sealed.by_unknown_keys:
        count = sum(one.total for one in sealed.by_unknown_keys)
        return Observed(
            "Records that are sealed by keys which are not in the keyring: %(count)s.",
            {"count": count},
            EvidenceStatus.MISSING,
        )
    return Observed(
        "Sealed records: %(count)s, all by keys of the keyring; the current key is “%(key)s”.",
        {"count": sealed.total, "key": sealed.current_key},
    )


def _proofs(measures: Measures, totals: ConnectionTotals) -> Observed:
    if not totals.living:
        return Observed("No connection lives just now.", standing=EvidenceStatus.OPEN)
    hours = measures.connections.oldest_refresh_age(totals) / HOUR
    return Observed(
        "Living connections: %(count)s; the one that waits longest was proved alive %(hours)s hours ago.",
        {"count": totals.living, "hours": f"{hours:.1f}"},
        EvidenceStatus.MISSING if measures.audit.ends.unverified else EvidenceStatus.SHOWN,
    )


def _teardowns(totals: ConnectionTotals) -> Observed:
    return Observed("Teardowns that wait for Google's confirmation: %(count)s.", {"count": totals.teardowns})


def _checkpoint(audit: AuditMeasures) -> Observed:
    checkpoint = audit.last_checkpoint
    if checkpoint is None:
        is_absent = audit.age_without_checkpoint > ABSENT_AFTER
        standing = EvidenceStatus.MISSING if is_absent else EvidenceStatus.OPEN
        return Observed("There is no signed checkpoint yet.", standing=standing)
    names, numbers = ("due", "erased", "held", "overdue"), checkpoint.numbers
    bad = checkpoint.is_late or checkpoint.faults or numbers.get("overdue")
    return Observed(
        "Signed checkpoint %(number)s of %(made_at)s: %(due)s due, %(erased)s erased since the one before, "
        "%(held)s held, %(overdue)s overdue.",
        {"number": checkpoint.checkpoint.number, "made_at": checkpoint.made_at}
        | {name: numbers.get(name, "?") for name in names},
        EvidenceStatus.MISSING if bad else EvidenceStatus.SHOWN,
    )


def _audit_log(verdict: Verdict) -> Observed:
    if not verdict.is_intact:
        return Observed(
            "The audit trail was changed (faults: %(count)s); `audit verify` says where.",
            {"count": len(verdict.faults)},
            EvidenceStatus.MISSING,
        )
    values = {"count": verdict.entries, "unsealed": sum(verdict.unsealed.values())}
    if not verdict.entries:
        return Observed(
            "No entry of the audit trail is sealed yet; waiting: %(unsealed)s.", values, EvidenceStatus.OPEN
        )
    return Observed(
        "Entries of the audit trail that are as they were sealed: %(count)s; not sealed yet: %(unsealed)s.",
        values,
    )
