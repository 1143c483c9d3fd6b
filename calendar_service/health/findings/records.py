"""Findings about all agents' records: the backlog, consents, keys."""

from collections.abc import Iterator

from calendar_service.domain.clock import MINUTE
from calendar_service.health.finding import Finding
from calendar_service.health.measures.consents import ConsentMeasures
from calendar_service.health.measures.keys import KeyMeasures
from calendar_service.health.measures.worker import WorkerMeasures


def worker(measures: WorkerMeasures) -> Finding:
    """Return whether a worker handles what is due; without one nothing is erased in time (ST-5)."""
    backlog = measures.backlog
    if not backlog.is_unattended:
        return Finding("worker", "ok", "nothing has been due for long")
    return Finding(
        "worker",
        "fault",
        "agents that are due: %(count)s; the first has been for %(minutes)s min: erasures and retries wait",
        "start `calendar-service work`, or more of them",
        {"count": backlog.agents, "minutes": backlog.longest_wait // MINUTE},
    )


def consents(measures: ConsentMeasures) -> Iterator[Finding]:
    """Yield differences between what agents are asked for and what they agreed to (SC-5)."""
    for why in measures.refusals:
        yield Finding(
            "consent",
            "fault",
            "nobody may be asked for this yet: %(why)s",
            "publish it in a newer policy, raise policy.version, and say in policy.changes what is new",
            {"why": why},
        )
    if measures.outdated:
        yield Finding(
            "consent",
            "note",
            "agents who have to agree again: %(count)s; nothing of theirs is used meanwhile",
            "",
            {"count": measures.outdated},
        )
    elif not measures.refusals:
        yield Finding(
            "consent",
            "ok",
            "nobody is asked for more than was agreed to, under version %(version)s",
            "",
            {"version": measures.policy_version},
        )


def sealed_records(keys: KeyMeasures) -> Iterator[Finding]:
    """Yield each key other than the current one that still seals a record."""
    for former in keys.sealed.by_former_keys:
        yield Finding(
            "keys",
            "note",
            "records that `%(key)s` still seals: %(count)s",
            "run `keys rotate`",
            {"count": former.total, "key": former.key_id},
        )
    for unknown in keys.sealed.by_unknown_keys:
        yield Finding(
            "keys",
            "fault",
            "records that are sealed by `%(key)s`, which is not in the keyring: %(count)s",
            "give the key back in CALENDAR_KEYRING; without it these agents have to connect again",
            {"count": unknown.total, "key": unknown.key_id},
        )
