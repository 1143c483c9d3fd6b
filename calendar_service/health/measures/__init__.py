"""What is measured on a service, by subject: plain values with names. Must not hold a word that a person reads.

A fact is read when it is first asked for, and kept: one `Measures` gives one answer to everybody who asks it.
"""

from dataclasses import dataclass

from calendar_service.config import Config
from calendar_service.health.measures.audit import AuditMeasures
from calendar_service.health.measures.connections import ConnectionMeasures
from calendar_service.health.measures.consents import ConsentMeasures
from calendar_service.health.measures.database import DatabaseMeasures
from calendar_service.health.measures.google import GoogleMeasures
from calendar_service.health.measures.keys import KeyMeasures
from calendar_service.health.measures.profile import ProfileMeasures
from calendar_service.health.measures.worker import WorkerMeasures
from calendar_service.wiring import Service


@dataclass(frozen=True)
class Measures:
    """All measures of one service. A fact that cannot be read raises `StoreUnavailable`."""

    config: Config
    profile: ProfileMeasures
    database: DatabaseMeasures
    keys: KeyMeasures
    consents: ConsentMeasures
    connections: ConnectionMeasures
    worker: WorkerMeasures
    audit: AuditMeasures
    google: GoogleMeasures

    @classmethod
    def of(cls, service: Service) -> "Measures":
        """Return the measures of this service; nothing is read yet."""
        config, copies = service.config, service.database.deployment.copies
        return cls(
            config=config,
            profile=ProfileMeasures(service.operator),
            database=DatabaseMeasures(service.server_checks, service.files, service.identity, copies),
            keys=KeyMeasures(config, service.rotation),
            consents=ConsentMeasures(service.reconsent),
            connections=ConnectionMeasures(service.all_connections, service.clock),
            worker=WorkerMeasures(service.timers),
            audit=AuditMeasures(service.audit, service.clock),
            google=GoogleMeasures(
                service.throttle, service.transport, service.oauth_origin, config.notifications_uri
            ),
        )
