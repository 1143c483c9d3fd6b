"""Findings about erasures, grants and the audit log that proves them."""

from collections.abc import Iterator

from calendar_service.domain.audit import ABSENT_AFTER
from calendar_service.domain.clock import HOUR
from calendar_service.health.finding import Finding
from calendar_service.health.measures.audit import AuditMeasures
from calendar_service.health.measures.database import DatabaseMeasures


def erasures(audit: AuditMeasures) -> Finding:
    """Return whether an erasure is late now; the checkpoint may be older (ST-5)."""
    if audit.ends.overdue:
        return Finding(
            "erasures",
            "fault",
            "past their time by more than an hour: %(count)s",
            "start a worker, and see its log; the promise of ST-5 is at stake",
            {"count": audit.ends.overdue},
        )
    return Finding("erasures", "ok", "none is past its time")


def permissions(audit: AuditMeasures) -> Finding:
    """Return whether a live grant has been unverified for too long (RV-1)."""
    if audit.ends.unverified:
        return Finding(
            "permissions",
            "fault",
            "not proved alive for three days: %(count)s",
            "start a worker, and see in its log what the token endpoint answers; the promise of RV-1 is at stake",
            {"count": audit.ends.unverified},
        )
    return Finding("permissions", "ok", "none was without a proof of life for three days")


def audit_trail(audit: AuditMeasures) -> Finding:
    """Return the state of the newest checkpoint."""
    checkpoint = audit.last_checkpoint
    if checkpoint is None and audit.age_without_checkpoint > ABSENT_AFTER:
        return Finding(
            "audit trail",
            "fault",
            "has no checkpoint, though it began %(hours)s hours ago",
            "start a worker, and see its log (docs/audit.md)",
            {"hours": f"{audit.age_without_checkpoint / HOUR:.0f}"},
        )
    if checkpoint is None:
        return Finding(
            "audit trail", "note", "has no checkpoint yet", "start a worker: it makes one each day"
        )
    if checkpoint.is_late:
        return Finding(
            "audit trail",
            "fault",
            "the newest checkpoint is %(hours)s hours old",
            "start a worker, and see its log (docs/audit.md)",
            {"hours": f"{checkpoint.age / HOUR:.0f}"},
        )
    if checkpoint.faults:
        return Finding(
            "audit trail",
            "fault",
            "faults that the checkpoint of %(made)s found: %(count)s",
            "run `audit verify` (docs/audit.md)",
            {"made": checkpoint.made_at, "count": checkpoint.faults},
        )
    return Finding(
        "audit trail",
        "ok",
        "checkpoint %(number)s of %(made)s",
        "",
        {"number": checkpoint.checkpoint.number, "made": checkpoint.made_at},
    )


def rewrites(database: DatabaseMeasures) -> Iterator[Finding]:
    """Yield each reason why erased data may still be in the database's files (law 7)."""
    if database.is_rewrite_late:
        yield Finding(
            "erasures",
            "fault",
            "may still stand in the database's files: what was erased up to %(hours)s hours ago",
            "permit BGREWRITEAOF, make room on its disk, and see a worker's log (docs/audit.md)",
            {"hours": f"{database.erased_in_files / HOUR:.0f}"},
        )
    if database.last_rewrite == "failed":
        yield Finding(
            "erasures",
            "fault",
            "a database server could not rewrite its file, so what was erased is still in it",
            "make room on its disk, and see its log; a worker tries again each hour",
        )
    elif database.last_rewrite == "refused":
        yield Finding(
            "erasures", "note", "the database does not tell how its files were rewritten", "permit INFO"
        )
