"""Examines a configured service and reports what the operator has to repair. Shows no secret, changes nothing."""

import contextlib
from collections.abc import Iterator

from calendar_service import wiring
from calendar_service.config import Config
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
)
from calendar_service.health.findings.google import google, notifications
from calendar_service.health.findings.records import consents, sealed_records, worker
from calendar_service.health.measures import Measures
from calendar_service.store.ownership import Owner


def examine(config: Config) -> Iterator[Finding]:
    """Yield the findings about the service of this configuration."""
    with contextlib.closing(wiring.build(config, "doctor")) as service:
        yield from findings(Measures.of(service))


def findings(measures: Measures) -> Iterator[Finding]:
    """Yield the findings: about the configuration, then the database, then what is stored in it."""
    yield ready_for(measures.config)
    yield time_zone_rules()
    yield from key_files(measures.keys)
    yield from profile(measures.profile)
    yield answers(measures.database)
    if not measures.database.answers:
        return
    yield from durability(measures.database, is_production=measures.config.is_production)
    yield restarts(measures.database)
    yield memory(measures.database, is_production=measures.config.is_production)
    yield from replicas(measures.database)
    yield identity_key(measures.database)
    # Some of what is stored counts only when every replica has it, and without enough of them none confirms.
    can_confirm = not (measures.database.replicas and measures.database.replicas.missing)
    if measures.database.owner is Owner.OURS and can_confirm:
        yield from _stored(measures)


def _stored(measures: Measures) -> Iterator[Finding]:
    yield google_client(measures.database)
    yield clocks(measures.database)
    yield worker(measures.worker)
    yield from consents(measures.consents)
    yield from sealed_records(measures.keys)
    yield erasures(measures.audit)
    yield permissions(measures.audit)
    yield audit_trail(measures.audit)
    yield from rewrites(measures.database)
    yield from google(measures.google)
    yield notifications(measures.google)
