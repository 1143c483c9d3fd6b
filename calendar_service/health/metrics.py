"""The metrics of /metrics: counters of this process, and the state of the whole service. They name nobody."""

import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final, Literal

import tzdata
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from calendar_service.domain.clock import SECOND
from calendar_service.domain.connection import State
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.durations import GOOGLE_CALLS, REQUESTS, DurationMetric
from calendar_service.health.measures import Measures
from calendar_service.health.measures.audit import AuditMeasures
from calendar_service.health.measures.database import DatabaseMeasures
from calendar_service.health.measures.google import GoogleState
from calendar_service.health.measures.totals import TotalsMeasures
from calendar_service.wiring import Service

Sample = tuple[str, float, *tuple[str, ...]]
"""A metric's name, a value, and the values of its labels in the order of its description."""


@dataclass(frozen=True, slots=True)
class Description:
    """One metric, as HELP and TYPE and docs/metrics.md say it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help_text: str
    labels: tuple[str, ...] = ()
    is_common: bool = False
    """The number is the whole service's, the same from each process. Otherwise it is this process's alone."""

    def family(self) -> CounterMetricFamily | GaugeMetricFamily:
        """Return the metric without a sample."""
        if self.kind == "counter":
            return CounterMetricFamily(self.name, self.help_text, labels=self.labels)
        return GaugeMetricFamily(self.name, self.help_text, labels=self.labels)


def _counter(name: str, help_text: str, *labels: str) -> Description:
    return Description(name, "counter", help_text, labels)


def _common(name: str, help_text: str, *labels: str) -> Description:
    return Description(name, "gauge", help_text, labels, is_common=True)


def _histogram(metric: DurationMetric) -> Description:
    return Description(metric.name, "histogram", metric.help_text, metric.labels)


DESCRIPTIONS: Final = (
    Description(
        "calendar_build_info", "gauge", "The version of the service and of Python; always 1.", ("version", "python")
    ),
    Description(
        "calendar_time_zone_rules_info", "gauge", "The edition of the time zone rules; always 1.", ("version",)
    ),
    _histogram(REQUESTS),
    _histogram(GOOGLE_CALLS),
    _counter(
        "calendar_google_calls_total",
        "Calls at Google, by name, purpose and outcome.",
        "call", "purpose", "outcome",
    ),
    _counter("calendar_requests_refused_total", "Requests refused by a limit of their caller.", "limit"),
    _counter("calendar_security_events_total", "Refused keys, forms and links.", "event"),
    _counter("calendar_alarms_total", "Alarms that this process logged.", "alarm"),
    _counter("calendar_unexpected_errors_total", "Errors that nobody expected, which this process logged."),
    _counter("calendar_store_round_trips_total", "Messages to the database that were answered."),
    _common("calendar_agents_due", "Agents with something due now."),
    _common("calendar_longest_wait_seconds", "How long the first of the due agents has been due."),
    _common("calendar_connections", "Connections by their state.", "state"),
    _common("calendar_sessions", "Sessions by their status and its reason.", "status", "reason"),
    _common(
        "calendar_sessions_oldest_seconds",
        "How long the first of these sessions has been pending, or has waited for a person.",
        "status", "reason",
    ),
    _common("calendar_webhooks_waiting", "Webhook events that the backend has not taken yet."),
    _common("calendar_webhooks_oldest_seconds", "How long ago the first of these happened; 0 if none waits."),
    _common("calendar_webhooks_abandoned", "Webhook events that were given up and can be replayed."),
    _common(
        "calendar_totals_age_seconds", "Age of the count of connections, sessions and webhook events."
    ),
    _common(
        "calendar_erasures_in_files_seconds",
        "For how long something erased may have been in the database's files; 0 if nothing is.",
    ),
    _common("calendar_database_replicas_missing", "Replicas that have to follow before a write is acknowledged."),
    _common(
        "calendar_store_memory_ratio", "Share of its permitted memory that the fullest database server uses."
    ),
    _common("calendar_google_breaker_open", "1 while only trial requests go to Google."),
    _common("calendar_google_rate_budget", "Share of the rate budget that is in force."),
    _common("calendar_google_client_rejected", "1 while Google rejects the client's credentials."),
    _common(
        "calendar_google_deaths_on_seventh_day",
        "Permissions that ended at Google in the last week when they were seven days old.",
    ),
    _common("calendar_google_notifications_refused", "1 while Google refuses to send notifications."),
    _common(
        "calendar_google_testing_mode_suspected",
        "1 if so many permissions ended when they were seven days old that the project at Google is probably in "
        "testing mode.",
    ),
    _common(
        "calendar_google_refresh_tokens_of_one_account",
        "The most refresh tokens that one Google account has, from the oldest in use on; Google keeps 100.",
    ),
    _common("calendar_audit_checkpoint_age_seconds", "Age of the newest checkpoint of the audit log."),
    _common("calendar_audit_faults", "Faults of the audit log that the newest checkpoint states."),
    _common("calendar_erasures_due", "Ended connections that wait for their erasure, by the newest checkpoint."),
    _common("calendar_erasures_held", "Of these, those under a legal hold."),
    _common("calendar_erasures_overdue", "Erasures, and tokens of teardowns, past their time by over an hour."),
    _common(
        "calendar_grants_unverified",
        "Live permissions that Google has not proved alive for three days, by the newest checkpoint.",
    ),
)  # fmt: skip
"""Every metric of the service itself. The figures of the process (`process_…`) are the library's."""

_OF_CHECKPOINT = {
    "calendar_erasures_due": "due",
    "calendar_erasures_held": "held",
    "calendar_grants_unverified": "unverified",
}
"""By metric, the count of the newest checkpoint."""


def registry(service: Service) -> CollectorRegistry:
    """Return the metrics of this process: its own counters, its figures, and the state of the whole service."""
    metrics = CollectorRegistry()
    metrics.register(ServiceCollector(service))
    ProcessCollector(registry=metrics)
    return metrics


class ServiceCollector(Collector):
    """Reads every number when it is asked. Without the database only those of this process."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Yield each metric that has a sample."""
        yield self._service.request_durations.family()
        yield self._service.google.call_log.durations.family()
        families = {one.name: one.family() for one in DESCRIPTIONS if one.kind != "histogram"}
        for name, value, *labels in _samples(self._service):
            families[name].add_metric(labels, value)
        yield from (family for family in families.values() if family.samples)


def _samples(service: Service) -> Iterator[Sample]:
    yield "calendar_build_info", 1, metadata.version("calendar-service"), platform.python_version()
    yield "calendar_time_zone_rules_info", 1, tzdata.IANA_VERSION
    for call, count in sorted(service.google.call_log.counts().items()):
        yield "calendar_google_calls_total", count, *call
    yield from _counts("calendar_requests_refused_total", service.caller_limits.refusals.counts())
    yield from _counts("calendar_security_events_total", service.security_events.counts())
    yield from _counts("calendar_alarms_total", service.log.alarms())
    yield "calendar_unexpected_errors_total", service.log.failures
    yield "calendar_store_round_trips_total", service.store.database.round_trips
    measures = Measures.of(service)
    yield from _replicas(measures.database)
    yield from _memory(measures.database)
    try:
        common = [*_backlog(measures), *_google(measures.google.state), *_checkpoint(measures.audit)]
        common += _totals(measures.totals)
    except StoreUnavailable:
        return  # without the database the counters of this process are still served
    yield from common


def _counts(name: str, counts: Mapping[Any, int]) -> Iterable[Sample]:
    return ((name, count, label) for label, count in sorted(counts.items()))


def _backlog(measures: Measures) -> Iterator[Sample]:
    backlog = measures.worker.backlog
    yield "calendar_agents_due", backlog.agents
    yield "calendar_longest_wait_seconds", backlog.longest_wait / SECOND
    yield "calendar_erasures_overdue", backlog.overdue_erasures
    yield "calendar_erasures_in_files_seconds", measures.database.erased_in_files / SECOND


def _totals(measures: TotalsMeasures) -> Iterator[Sample]:
    """Yield what a worker counted last; nothing if none has counted in the last hour."""
    totals = measures.newest
    if totals is None:
        return
    for state in State:
        yield "calendar_connections", totals.connections.get(state, 0), state
    for one in totals.sessions:
        yield "calendar_sessions", one.count, one.status, one.reason
        if one.since:
            oldest = measures.age(one.since) / SECOND
            yield "calendar_sessions_oldest_seconds", oldest, one.status, one.reason
    yield "calendar_webhooks_waiting", totals.webhooks_waiting
    yield "calendar_webhooks_oldest_seconds", measures.age(totals.webhooks_since) / SECOND
    yield "calendar_webhooks_abandoned", totals.webhooks_abandoned
    yield "calendar_totals_age_seconds", measures.age(totals.counted_at) / SECOND


def _replicas(database: DatabaseMeasures) -> Iterator[Sample]:
    """Yield what a database tells that acknowledges no write too: most other numbers are missing then."""
    try:
        replicas = database.replicas
    except StoreUnavailable:
        return
    if replicas:
        yield "calendar_database_replicas_missing", replicas.missing


def _memory(database: DatabaseMeasures) -> Iterator[Sample]:
    try:
        ratio = database.memory_ratio
    except StoreUnavailable:
        return
    if ratio is not None:
        yield "calendar_store_memory_ratio", ratio


def _google(state: GoogleState) -> Iterator[Sample]:
    yield "calendar_google_breaker_open", state.is_breaker_open
    yield "calendar_google_rate_budget", state.budget_in_force
    yield "calendar_google_client_rejected", state.are_credentials_rejected
    yield "calendar_google_deaths_on_seventh_day", state.deaths_at_seven_days
    yield "calendar_google_notifications_refused", state.are_notifications_refused
    yield "calendar_google_testing_mode_suspected", state.is_testing_mode_suspected
    yield "calendar_google_refresh_tokens_of_one_account", state.refresh_tokens


def _checkpoint(audit: AuditMeasures) -> Iterator[Sample]:
    """Yield the numbers of the newest checkpoint. Without one only its age: how long the log has had entries."""
    checkpoint = audit.last_checkpoint
    if checkpoint is None:
        yield "calendar_audit_checkpoint_age_seconds", audit.age_without_checkpoint / SECOND
        return
    yield "calendar_audit_checkpoint_age_seconds", checkpoint.age / SECOND
    yield "calendar_audit_faults", checkpoint.faults
    for metric, name in _OF_CHECKPOINT.items():
        if name in checkpoint.numbers:
            yield metric, checkpoint.numbers[name]


def table() -> str:
    """Return the descriptions as the table of docs/metrics.md."""
    rows = ["| metric | kind | labels | tells of | is |", "|---|---|---|---|---|"]
    for one in DESCRIPTIONS:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        of = "all" if one.is_common else "this process"
        rows.append(f"| `{one.name}` | {one.kind} | {labels} | {of} | {one.help_text} |")
    return "".join(f"{row}\n" for row in rows)
