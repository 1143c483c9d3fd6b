"""Measures of a service, by subject: named values without sentences.

A value is read at its first use and cached, so that all users of one `Measures` see the same.
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
from calendar_service.health.measures.totals import TotalsMeasures
from calendar_service.health.measures.worker import WorkerMeasures
from calendar_service.wiring import Service


@dataclass(frozen=True)
class Measures:
    """All measures of one service. A value that cannot be read raises `StoreUnavailable`."""

    config: Config
    profile: ProfileMeasures
    database: DatabaseMeasures
    keys: KeyMeasures
    consents: ConsentMeasures
    connections: ConnectionMeasures
    worker: WorkerMeasures
    audit: AuditMeasures
    google: GoogleMeasures
    totals: TotalsMeasures

    @classmethod
    def of(cls, service: Service) -> "Measures":
        """Return the measures of this service; nothing is read yet."""
        config = service.config
        return cls(
            config=config,
            profile=ProfileMeasures(service.operator),
            database=DatabaseMeasures(
                service.store.server_checks,
                service.store.file_rewrites,
                service.store.ownership,
                service.store.durability,
            ),
            keys=KeyMeasures(config, service.operations.rotation),
            consents=ConsentMeasures(service.connection.reconsent),
            connections=ConnectionMeasures(service.operations.all_connections, service.clock),
            worker=WorkerMeasures(service.store.timers),
            audit=AuditMeasures(service.audit.audit_export, service.clock),
            google=GoogleMeasures(
                service.google.throttle,
                service.connection.refresh_tokens,
                service.google.transport,
                service.google.oauth.consent_origin,
                config.notifications_uri,
            ),
            totals=TotalsMeasures(service.store.totals),
        )
