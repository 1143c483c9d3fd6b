"""Examines a configured service and reports what the operator has to repair. Shows no secret."""

import contextlib
from collections.abc import Callable, Iterable, Iterator

from calendar_service import wiring
from calendar_service.config import Config
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.health.finding import Finding
from calendar_service.health.findings.audit import audit_trail, erasures, permissions, rewrites
from calendar_service.health.findings.configuration import key_files, profile, ready_for, time_zone_rules
from calendar_service.health.findings.database import (
    answers,
    clocks,
    durability,
    google_client,
    identity_key,
    memory,
    replicas,
    restarts,
    writes,
)
from calendar_service.health.findings.google import google, notifications
from calendar_service.health.findings.records import consents, sealed_records, worker
from calendar_service.health.measures import Measures
from calendar_service.health.measures.database import DatabaseMeasures
from calendar_service.store.ownership import Owner


def examine(config: Config) -> Iterator[Finding]:
    """Yield the findings about the service of this configuration."""
    with contextlib.closing(wiring.build(config, "doctor")) as service:
        yield from findings(Measures.of(service))


def findings(measures: Measures) -> Iterator[Finding]:
    """Yield the findings: about the configuration, then the database, then what is stored in it. Raises nothing."""
    yield ready_for(measures.config)
    yield time_zone_rules()
    yield from key_files(measures.keys)
    yield from profile(measures.profile)
    yield answers(measures.database, is_of_run=measures.config.is_run_database)
    if not measures.database.answers:
        return
    yield from _examined(_of_database(measures))
    yield from _examined(_of_data(measures))


Check = tuple[str, Callable[[], Finding | Iterable[Finding]]]
"""A check's name, and what makes its findings."""


def _of_database(measures: Measures) -> Iterator[Check]:
    database, is_production = measures.database, measures.config.is_production
    yield "durability", lambda: durability(database, is_production=is_production)
    yield "restarts", lambda: restarts(database)
    yield "memory", lambda: memory(database, is_production=is_production)
    yield "replicas", lambda: replicas(database)
    yield "identity key", lambda: identity_key(database)


def _of_data(measures: Measures) -> Iterator[Check]:
    """Yield the checks of what is stored. In another service's database nothing is tried, because a try writes."""
    database = measures.database
    if not _is_ours(database):
        return
    yield "writes", lambda: writes(database)
    if _lacks_replicas(database):
        return  # some of what is stored counts only when every replica has it, and none confirms
    yield "Google client", lambda: google_client(database)
    yield "clocks", lambda: clocks(database)
    yield "worker", lambda: worker(measures.worker)
    yield "consent", lambda: consents(measures.consents)
    yield "keys", lambda: sealed_records(measures.keys)
    yield "erasures", lambda: erasures(measures.audit)
    yield "permissions", lambda: permissions(measures.audit)
    yield "audit trail", lambda: audit_trail(measures.audit)
    yield "erasures", lambda: rewrites(database)
    yield "google", lambda: google(measures.google)
    yield "notifications", lambda: notifications(measures.google)


def _is_ours(database: DatabaseMeasures) -> bool:
    try:
        return database.owner is Owner.OURS
    except StoreUnavailable:
        return False


def _lacks_replicas(database: DatabaseMeasures) -> bool:
    try:
        return bool(database.replicas and database.replicas.missing)
    except StoreUnavailable:
        return False


def _examined(checks: Iterable[Check]) -> Iterator[Finding]:
    """Yield the findings of each check; one that fails becomes a finding itself and keeps none of the others back."""
    for name, examine_it in checks:
        try:
            result = examine_it()
            yield from (result,) if isinstance(result, Finding) else result
        except StoreUnavailable:
            yield Finding(
                name,
                "fault",
                "could not be examined: the database stopped answering, or does not permit it",
                "read the server's own log; its user needs the commands of deploy/redis-users.acl",
            )
        except Exception as error:  # an operator in trouble needs the other findings more than a traceback
            yield Finding(
                name,
                "fault",
                "could not be examined: %(error)s, which nobody expected",
                "type `calendar-service doctor` again; if it stays, report it with this line",
                {"error": type(error).__name__},
            )
