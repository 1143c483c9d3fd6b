"""The conformance report of a running service: measured now, without names, red only where evidence is missing."""

import json
from pathlib import Path

import pytest

from calendar_service.config.new_keys import new_key
from calendar_service.domain.audit import ABSENT_AFTER
from calendar_service.domain.clock import DAY, MINUTE
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from tests.journeys.test_commands import invoke
from tests.support.service import SECOND, TestService, _fresh

OTHER = Agent("acme", "agent-2")


@pytest.fixture
def populated(service: TestService) -> TestService:
    """A service with one connected and one ended connection, whose worker has run."""
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Very private"), By.AGENT, None)
    service.connect(OTHER, SECOND)
    service.parts.connection.disconnect.disconnect(OTHER, Actor.AGENT)
    service.work(3)
    return service


def verdicts(service: TestService, **changed: str) -> tuple[int, dict[str, str], str]:
    """Return exit status, standing by clause, and the text of all observations."""
    answer = invoke(service, "report", "--json", **changed)
    report = json.loads(answer.stdout)
    text = " ".join(one["what"] for clause in report["clauses"] for one in clause["observed"])
    return answer.exit_code, {one["name"]: one["standing"] for one in report["clauses"]}, text


def red(service: TestService, **changed: str) -> set[str]:
    code, standings, _ = verdicts(service, **changed)
    missing = {name for name, standing in standings.items() if standing == "missing"}
    assert code == bool(missing)
    return missing


def test_a_sound_service_shows_its_evidence_measured_now(populated: TestService) -> None:
    code, standings, text = verdicts(populated)
    assert code == 0
    assert "missing" not in standings.values()
    assert {standings[name] for name in ("SC-1", "SC-2", "SC-3", "SC-5", "ST-1", "RV-1", "RV-3")} == {"shown"}
    # What the console received is for the console to delete, which the operator has to declare.
    assert (standings["ST-5"], standings["LU-2"]) == ("open", "open")
    assert standings["SC-6"] == "open", "two narrower combinations would do too"
    assert (
        "would do as well: calendar.app.created + calendar.calendarlist.readonly; calendar.calendars + "
        in text
    )
    assert "Signed checkpoint 1 of" in text
    assert "1 due, 0 erased since the one before, 0 held, 0 overdue" in text
    assert "Living connections: 1; the one that waits longest was proved alive 0.0 hours ago" in text
    assert "Entries of the audit trail that are as they were sealed" in text
    assert "the current key is “k1”" in text


def test_it_names_nobody_and_changes_nothing(populated: TestService) -> None:
    invoke(populated, "doctor")  # notes the identity key's check value, as every start does
    before = populated.stored()
    page = invoke(populated, "report", "--format", "html").stdout
    for word in ("agent-1", "agent-2", "acme", "Very private", "s1<", populated.calendars()[0]["id"]):
        assert word not in page
    assert populated.stored() == before


def test_both_formats_go_to_a_file_and_progress_beside_them(populated: TestService, tmp_path: Path) -> None:
    for name, start in (("report.html", "<!doctype html>"), ("report.md", "# Informe de conformidad")):
        answer = invoke(populated, "report", "--output", str(tmp_path / name), "--language", "es")
        assert (answer.exit_code, answer.stdout) == (0, "")
        assert "Videsk: " in answer.stderr
        assert (tmp_path / name).read_text("utf-8").startswith(start)


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_in_spanish_findings_and_permissions_are_told_in_spanish(populated: TestService, kind: str) -> None:
    page = invoke(populated, "report", "--format", kind, "--language", "es").stdout
    assert "lo confirmado está en disco y nada se desaloja" in page
    assert "Conectar, y tener un calendario para las sesiones" in page
    english = ("acknowledged writes", "identity key", "Connect, and have", "enforced by Google", "in order")
    assert [words for words in english if words in page] == []


def test_a_service_that_has_just_begun_has_things_open_and_nothing_red(service: TestService) -> None:
    service.connect()
    code, standings, text = verdicts(service)
    assert (code, standings["LU-6"], standings["ST-5"]) == (0, "open", "open")
    assert "There is no signed checkpoint yet" in text


def test_a_first_checkpoint_that_is_missing_is_red(service: TestService) -> None:
    service.connect()
    service.clock.advance((ABSENT_AFTER + MINUTE) / 1000)
    assert red(service) >= {"LU-6", "ST-5"}


def test_a_proof_of_life_that_is_too_old_is_red(populated: TestService) -> None:
    populated.clock.advance(4 * DAY / 1000)
    assert "RV-1" in red(populated)


def test_what_is_past_its_time_is_red(populated: TestService) -> None:
    populated.clock.advance(8 * DAY / 1000)
    assert "ST-5" in red(populated)


def test_a_record_that_no_key_opens_is_red(populated: TestService) -> None:
    assert red(populated, CALENDAR_KEYRING=f"k7:{_fresh()}") == {"ST-1"}


def test_a_changed_audit_log_is_red(populated: TestService) -> None:
    client = populated.parts.store.database.client
    shard = next(shard for shard in keys.all_shards() if client.exists(keys.audit_log(shard)))
    first = client.xrange(keys.audit_log(shard), count=1)[0][0]
    client.xdel(keys.audit_log(shard), first)
    assert red(populated) == {"LU-6"}


def test_after_a_new_signing_key_the_former_public_key_verifies_the_audit_chain(
    populated: TestService,
) -> None:
    former, newer = populated.parts.audit.public_keys[0], new_key()
    assert red(populated, CALENDAR_SIGNING_KEY=newer) == {"LU-6"}
    answer = invoke(populated, "report", "--json", "--public-key", former, CALENDAR_SIGNING_KEY=newer)
    assert (answer.exit_code, json.loads(answer.stdout)["standing"]) == (0, "open")


def test_without_its_database_everything_measured_is_red(populated: TestService) -> None:
    missing = red(populated, CALENDAR_REDIS_URL="redis://127.0.0.1:1/0")
    assert {"ST-1", "ST-5", "RV-1", "SC-5"} <= missing
    page = invoke(populated, "report", CALENDAR_REDIS_URL="redis://127.0.0.1:1/0").stdout
    assert "This could not be measured: the database does not answer." in page


def test_the_text_to_publish_needs_no_database(populated: TestService, tmp_path: Path) -> None:
    changed = {"CALENDAR_OPERATOR": "vclerk", "CALENDAR_REDIS_URL": "redis://127.0.0.1:1/0"}
    answer = invoke(populated, "report", "--policy-text", **changed)
    assert answer.exit_code == 0
    assert answer.stdout.startswith("## Google API Services User Data")
    titles = {
        "en": "## Google API Services User Data",
        "es": "## Datos de usuario de los servicios de las API de Google",
    }
    assert [title in answer.stdout for title in titles.values()] == [True, True]
    spanish = invoke(populated, "report", "--policy-text", "--language", "es", **changed)
    assert spanish.stdout in answer.stdout
    assert titles["en"] not in spanish.stdout
    says_so = "Everything in this profile is published already."
    assert says_so not in invoke(populated, "report", "--policy-text").stderr
    overlay = tmp_path / "published.toml"
    overlay.write_text('extends = "videsk"\n[external_changes]\nsource = "published"\n', "utf-8")
    published = invoke(populated, "report", "--policy-text", CALENDAR_OPERATOR=str(overlay))
    assert says_so in published.stderr


@pytest.mark.parametrize(
    "words", [("--format", "pdf"), ("--language", "fr"), ("--output", "/nowhere/report.html")]
)
def test_a_bad_order_is_refused(populated: TestService, words: tuple[str, ...]) -> None:
    answer = invoke(populated, "report", *words)
    assert (answer.exit_code, bool(answer.stderr)) == (2, True)
