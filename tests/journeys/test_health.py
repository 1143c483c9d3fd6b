"""Doctor, /readyz, /metrics and the report judge by the same measures, and each fact is measured once."""

import importlib.metadata
from collections.abc import Callable, Sequence

import pytest

from calendar_service.domain.names import Agent
from calendar_service.health.doctor import findings
from calendar_service.health.measures import Measures
from calendar_service.health.measures.database import Writes
from calendar_service.health.readiness import Readiness
from calendar_service.report.observing import observe
from calendar_service.report.proofs import EvidenceStatus
from calendar_service.store import keys
from tests.support.service import TestService


def everybody(agents: Sequence[Agent]) -> Sequence[Agent]:
    return agents


def cost(service: TestService, act: Callable[[], object]) -> int:
    """Return how many round trips to the database this takes."""
    before = service.parts.store.database.round_trips
    act()
    return service.parts.store.database.round_trips - before


def levels(measures: Measures) -> dict[str, str]:
    return {finding.check: finding.level for finding in findings(measures)}


def test_a_fact_is_read_once_whoever_asks_for_it(populated: TestService) -> None:
    measures = Measures.of(populated.parts)
    assert cost(populated, lambda: list(findings(measures))) > 0
    assert cost(populated, lambda: list(findings(measures))) == 0


def test_the_report_reads_nothing_that_doctor_has_read(populated: TestService) -> None:
    measures = Measures.of(populated.parts)
    reported = list(findings(measures))
    own = cost(populated, lambda: measures.connections.totals(everybody))
    own += cost(populated, lambda: measures.audit.verdict(()))
    assert cost(populated, lambda: observe(measures, reported, everybody)) == own
    assert cost(populated, lambda: observe(Measures.of(populated.parts), reported, everybody)) > own


def test_measures_taken_anew_are_read_anew(service: TestService) -> None:
    assert levels(Measures.of(service.parts))["clocks"] == "ok"
    skewed = TestService.of(
        service.variables["CALENDAR_REDIS_URL"], service.google, service.clock,
        **(service.variables | {"CALENDAR_TEST_SKEW": "7200"}),
    )  # fmt: skip
    assert levels(Measures.of(skewed.parts))["clocks"] == "fault"
    skewed.close()


@pytest.mark.parametrize("lost", ["faults: 0\n", "number: 2\n", "made_at", "details"])
def test_a_damaged_checkpoint_fails_everywhere(populated: TestService, lost: str) -> None:
    client = populated.parts.store.database.client
    ((newest, number),) = client.zrange(keys.CHECKPOINTS, -1, -1, withscores=True)
    client.zrem(keys.CHECKPOINTS, newest)
    client.zadd(keys.CHECKPOINTS, {newest.replace(lost, ""): number})
    measures = Measures.of(populated.parts)
    reported = list(findings(measures))
    observed, _ = observe(measures, reported, everybody)
    assert levels(measures)["audit trail"] == "fault"
    assert observed["checkpoint"].standing is EvidenceStatus.MISSING
    assert populated.metrics()["calendar_audit_faults"] == 1


def test_doctor_and_the_numbers_name_the_rules_of_time_zones(service: TestService) -> None:
    version = importlib.metadata.version("tzdata")
    finding = next(one for one in findings(Measures.of(service.parts)) if one.check == "time zones")
    assert finding.level == "ok"
    year, number = version.split(".")
    edition = f"{year}{'abcdefghijklmnopqrstuvwxyz'[int(number) - 1]}"
    assert finding.values == {"version": edition}
    assert service.metrics()[f'calendar_time_zone_rules_info{{version="{edition}"}}'] == 1


def test_without_its_database_a_process_is_not_ready_and_counts_what_is_its_own(service: TestService) -> None:
    service.connect()
    away = TestService.of("redis://127.0.0.1:1/0", service.google, service.clock)
    examination = Readiness(away.parts).examine()
    assert examination.checks == {
        "database": False, "identity_key": False, "keyring": True, "google_client": False,
        "key_files": True, "consent": False, "google": True,
    }  # fmt: skip
    assert (examination.writes, examination.is_ready) == (Writes.UNKNOWN, False)
    names = {name.partition("{")[0] for name in away.metrics()}
    assert {name for name in names if not name.startswith("process_")} == {
        "calendar_alarms_total",
        "calendar_build_info",
        "calendar_security_events_total",
        "calendar_store_round_trips_total",
        "calendar_time_zone_rules_info",
        "calendar_unexpected_errors_total",
    }
    assert levels(Measures.of(away.parts))["database"] == "fault"
    assert "identity key" not in levels(Measures.of(away.parts))
    away.close()
    own = {name for name in service.metrics() if name.startswith("calendar_google_calls_total")}
    assert 'calendar_google_calls_total{call="calendars.insert",purpose="calendar",outcome="200"}' in own
