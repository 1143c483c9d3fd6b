"""What /metrics says: every number is explained, bounded in its labels, and of nobody."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from flask import Flask
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from calendar_service.domain.errors import ConsentRefused
from calendar_service.domain.session import By
from calendar_service.health.metrics import DESCRIPTIONS, table
from calendar_service.store.audit_log import Actor
from calendar_service.web.app import create_app
from tests.support.service import BACKEND_KEY, PUBLIC_URL, TestService

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
AGENT: Final = "maria.gomez@example.com"
SESSIONS: Final = f"/v1/organizations/acme/agents/{AGENT}/sessions"


def families(app: Flask) -> dict[str, Metric]:
    """Return what a collector reads, by the name of the text; the library takes `_total` from counters' names."""
    text = app.test_client().get("/metrics", base_url=PUBLIC_URL).text
    read = text_string_to_metric_families(text)
    return {f"{one.name}_total" if one.type == "counter" else one.name: one for one in read}


def sample(app: Flask, name: str, **labels: str) -> float:
    """Return one sample; 0 if there is none."""
    values = [
        one.value
        for family in families(app).values()
        for one in family.samples
        if one.name == name and labels.items() <= one.labels.items()
    ]
    assert len(values) <= 1
    return values[0] if values else 0


def call(app: Flask, method: str, path: str) -> int:
    headers = {"Authorization": f"Bearer {BACKEND_KEY}"}
    return app.test_client().open(path, method=method, base_url=PUBLIC_URL, headers=headers).status_code


def test_every_metric_is_described_and_has_the_described_labels(service: TestService) -> None:
    service.connect()
    service.parts.audit.sealer.checkpoint()
    service.parts.connection.pauses.set(service.agent, Actor.AGENT, paused=True)
    service.parts.sessions.schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    service.parts.operations.totals.refresh()
    service.parts.caller_limits.refusals.count("calls")
    app = create_app(service.parts)
    call(app, "GET", SESSIONS)
    described = {one.name: one for one in DESCRIPTIONS}
    read = {name: one for name, one in families(create_app(service.parts)).items() if "process_" not in name}
    for name, family in read.items():
        one = described.pop(name)
        assert (family.documentation, family.type) == (one.help_text, one.kind)
        assert {frozenset(s.labels) - {"le"} for s in family.samples} <= {frozenset(one.labels)}
    assert set(described) <= {"calendar_database_replicas_missing", "calendar_store_memory_ratio"}


def test_the_document_has_the_table_that_the_program_prints() -> None:
    assert DOCUMENT.read_text("utf-8").endswith(f"-->\n\n{table()}"), (
        "run `python -m calendar_service.health`"
    )


def test_a_request_is_counted_by_route_method_and_class_of_status(app: Flask, service: TestService) -> None:
    assert call(app, "GET", SESSIONS) == 200
    assert call(app, "GET", f"{SESSIONS}/none-such") == 404
    route = "/v1/organizations/<organization>/agents/<agent>/sessions"
    count = "calendar_http_request_duration_seconds_count"
    later = create_app(service.parts)
    assert sample(later, count, route=route, method="GET", status="2xx") == 1
    assert sample(later, count, route=f"{route}/<session>", method="GET", status="4xx") == 1
    in_time = "calendar_http_request_duration_seconds_bucket"
    assert sample(later, in_time, route=route, method="GET", status="2xx", le="+Inf") == 1


def test_whoever_asks_makes_no_label(app: Flask, service: TestService) -> None:
    for method, path in (
        ("GET", f"/{AGENT}"),
        ("BREW", "/"),
        ("BREW", f"/{AGENT}/x"),
        ("PROPFIND", SESSIONS),
    ):
        call(app, method, path)
    family = families(create_app(service.parts))["calendar_http_request_duration_seconds"]
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert {one.labels["route"] for one in family.samples} <= rules | {"none"}
    assert {one.labels["method"] for one in family.samples} <= {"GET", "none"}
    assert {one.labels["status"] for one in family.samples} <= {"2xx", "4xx"}


def test_the_metrics_name_nobody(service: TestService) -> None:
    service.connect()
    app = create_app(service.parts)
    call(app, "GET", SESSIONS)
    call(app, "GET", f"/portal/{AGENT}")
    text = create_app(service.parts).test_client().get("/metrics").text
    for name in ("acme", "maria", "example.com", service.agent.agent, service.facts.connection_id):
        assert name not in text


def test_a_call_at_google_is_timed_by_name_and_outcome(service: TestService) -> None:
    service.google.fault({"path": "/token"}, {"cut": "before_commit"}, times=1)
    with suppress(ConsentRefused):
        service.connect()
    service.connect()
    numbers, name = service.metrics(), "calendar_google_call_duration_seconds"
    assert numbers[f'{name}_count{{call="oauth.exchange",outcome="cut"}}'] == 1
    assert numbers[f'{name}_count{{call="oauth.exchange",outcome="2xx"}}'] == 1
    assert numbers[f'{name}_bucket{{call="calendars.insert",outcome="2xx",le="10.0"}}'] == 1


def test_an_alarm_is_counted_and_one_that_never_came_is_zero(service: TestService) -> None:
    before = service.metrics()
    service.parts.log.alarm("google.rate_halved")
    numbers = service.metrics()
    assert before['calendar_alarms_total{alarm="google.rate_halved"}'] == 0
    assert numbers['calendar_alarms_total{alarm="google.rate_halved"}'] == 1
    assert numbers['calendar_alarms_total{alarm="erasure.overdue"}'] == 0


def test_an_unexpected_error_is_counted(service: TestService) -> None:
    service.parts.log.failure("worker.surprise", ValueError("text that is not counted"))
    assert service.metrics()["calendar_unexpected_errors_total"] == 1


def test_the_version_and_the_figures_of_the_process_are_there(service: TestService) -> None:
    numbers = service.metrics()
    assert any(name.startswith('calendar_build_info{version="') for name in numbers)
    assert numbers["process_resident_memory_bytes"] > 1_000_000
    assert numbers["process_cpu_seconds_total"] > 0


def test_measuring_keeps_nothing_of_a_single_request_and_loses_none(service: TestService) -> None:
    durations = service.parts.request_durations

    def record() -> None:
        for _ in range(500):
            durations.record(0.01, "/", "GET", "2xx")

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    samples = durations.family().samples
    assert len(samples) == 12  # ten buckets, a count and a sum
    assert [one.value for one in samples if one.name.endswith("_count")] == [2_000]
