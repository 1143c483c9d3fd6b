"""The numbers of /metrics: counters of this process, and the backlog of all processes. They name nobody."""

import tzdata

from calendar_service.domain.clock import SECOND
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.google.call_log import CallLog
from calendar_service.health.measures import Measures
from calendar_service.health.measures.audit import AuditMeasures
from calendar_service.health.measures.database import DatabaseMeasures
from calendar_service.health.measures.google import GoogleState
from calendar_service.journeys.caller_limits.refusals import Refusals
from calendar_service.security_events import SecurityEvents
from calendar_service.wiring import Service

_OF_CHECKPOINT = {
    "calendar_erasures_due": "due",
    "calendar_erasures_held": "held",
    "calendar_grants_unverified": "unverified",
}
"""By metric, the count of the newest checkpoint."""


def metrics(service: Service) -> dict[str, float]:
    """Return every number by its name with labels; without the database only those of this process."""
    measures = Measures.of(service)
    round_trips = float(service.store.database.round_trips)
    return {
        "calendar_store_round_trips_total": round_trips,
        f'calendar_time_zone_rules_info{{version="{tzdata.IANA_VERSION}"}}': 1.0,
        **_replicas(measures.database),
        **_memory(measures.database),
        **_of_all_processes(measures),
        **_calls(service.google.call_log),
        **_refusals(service.caller_limits.refusals),
        **_security_events(service.security_events),
    }


def _of_all_processes(measures: Measures) -> dict[str, float]:
    try:
        return {
            **_backlog(measures),
            **_google(measures.google.state),
            **_checkpoint(measures.audit),
        }
    except StoreUnavailable:
        return {}  # without the database the counters of this process are still served


def _backlog(measures: Measures) -> dict[str, float]:
    backlog = measures.worker.backlog
    return {
        "calendar_agents_due": float(backlog.agents),
        "calendar_longest_wait_seconds": backlog.longest_wait / SECOND,
        "calendar_erasures_overdue": float(backlog.overdue_erasures),
        "calendar_erasures_in_files_seconds": measures.database.erased_in_files / SECOND,
    }


def _replicas(database: DatabaseMeasures) -> dict[str, float]:
    """Return what a database tells that acknowledges no write too: most other numbers are missing then."""
    try:
        replicas = database.replicas
    except StoreUnavailable:
        return {}
    return {"calendar_database_replicas_missing": float(replicas.missing)} if replicas else {}


def _memory(database: DatabaseMeasures) -> dict[str, float]:
    try:
        ratio = database.memory_ratio
    except StoreUnavailable:
        return {}
    return {} if ratio is None else {"calendar_store_memory_ratio": ratio}


def _google(state: GoogleState) -> dict[str, float]:
    return {
        "calendar_google_breaker_open": float(state.is_breaker_open),
        "calendar_google_rate_budget": state.budget_in_force,
        "calendar_google_client_rejected": float(state.are_credentials_rejected),
        "calendar_google_deaths_at_seven_days": float(state.deaths_at_seven_days),
        "calendar_google_notifications_refused": float(state.are_notifications_refused),
        "calendar_google_testing_mode_suspected": float(state.is_testing_mode_suspected),
        "calendar_google_refresh_tokens_of_one_account": float(state.refresh_tokens),
    }


def _checkpoint(audit: AuditMeasures) -> dict[str, float]:
    """Return the numbers of the newest checkpoint. Without one only its age: how long the log has had entries."""
    checkpoint = audit.last_checkpoint
    if checkpoint is None:
        return {"calendar_audit_checkpoint_age_seconds": audit.age_without_checkpoint / SECOND}
    numbers = checkpoint.numbers
    return {
        "calendar_audit_checkpoint_age_seconds": checkpoint.age / SECOND,
        "calendar_audit_faults": float(checkpoint.faults),
        **{metric: float(numbers[name]) for metric, name in _OF_CHECKPOINT.items() if name in numbers},
    }


def _calls(call_log: CallLog) -> dict[str, float]:
    return {
        f'calendar_google_calls_total{{call="{name}",purpose="{purpose}",outcome="{outcome}"}}': float(count)
        for (name, purpose, outcome), count in sorted(call_log.counts().items())
    }


def _refusals(refusals: Refusals) -> dict[str, float]:
    return {
        f'calendar_requests_refused_total{{limit="{name}"}}': float(count)
        for name, count in sorted(refusals.counts().items())
    }


def _security_events(events: SecurityEvents) -> dict[str, float]:
    return {
        f'calendar_security_events_total{{event="{name}"}}': float(count)
        for name, count in events.counts().items()
    }
