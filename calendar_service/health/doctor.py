"""Looks a configured service over and says what has to be mended. Must show no secret.

It changes nothing but one thing: over new data the identity key's check value is noted, as at every start.
"""

import contextlib
from collections.abc import Iterator

from calendar_service import wiring
from calendar_service.config import Config
from calendar_service.health.finding import Finding
from calendar_service.health.findings.audit import audit_trail, erasures, permissions, rewrites
from calendar_service.health.findings.configuration import key_files, profile, ready_for
from calendar_service.health.findings.database import answers, clocks, durability, identity_key, replicas
from calendar_service.health.findings.google import google, notifications
from calendar_service.health.findings.records import consents, sealed_records, worker
from calendar_service.health.measures import Measures


def examine(config: Config) -> Iterator[Finding]:
    """Yield the findings about the service of this configuration, which was read without a fault."""
    with contextlib.closing(wiring.build(config, "doctor")) as service:
        yield from findings(Measures.of(service))


def findings(measures: Measures) -> Iterator[Finding]:
    """Yield the findings: the configuration's, then the database's, then those about what is stored there."""
    yield ready_for(measures.config)
    yield from key_files(measures.keys)
    yield from profile(measures.profile)
    yield answers(measures.database)
    if not measures.database.answers:
        return
    yield from durability(measures.database)
    yield from replicas(measures.database)
    if measures.database.replicas and not measures.database.replicas.are_enough:
        return  # the next one notes the check value, and nothing can be noted
    yield from _stored(measures)


def _stored(measures: Measures) -> Iterator[Finding]:
    yield identity_key(measures.database)
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
