"""The conformance report of a running service: fresh, without a name, red only where evidence is missing."""

import json
from pathlib import Path

import pytest

from calendar_service.config.new_keys import new_key
from calendar_service.domain.clock import DAY
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from tests.journeys.test_commands import invoke
from tests.support.service import SECOND, TestService, _fresh

OTHER = Agent("acme", "agent-2")


@pytest.fixture
def lived(service: TestService) -> TestService:
    """A service with one living connection and one that ended, looked after by its worker."""
    service.connect()
    service.parts.sessions.schedule.put(service.agent, "s1", service.content("Very private"), By.AGENT, None)
    service.connect(OTHER, SECOND)
    service.parts.connection.disconnect.disconnect(OTHER, Actor.AGENT)
    service.work(3)
    return service


def verdicts(service: TestService, **changed: str) -> tuple[int, dict[str, str], str]:
    """Return exit status, standing by clause, and everything observed."""
    answer = invoke(service, "report", "--json", **changed)
    told = json.loads(answer.stdout)
    said = " ".join(one["what"] for clause in told["clauses"] for one in clause["observed"])
    return answer.exit_code, {one["name"]: one["standing"] for one in told["clauses"]}, said


def red(service: TestService, **changed: str) -> set[str]:
    code, standings, _ = verdicts(service, **changed)
    found = {name for name, standing in standings.items() if standing == "missing"}
    assert code == bool(found)
    return found


def test_a_sound_service_shows_its_evidence_measured_now(lived: TestService) -> None:
    code, standings, said = verdicts(lived)
    assert code == 0
    assert "missing" not in standings.values()
    assert {standings[name] for name in ("SC-1", "SC-2", "SC-3", "SC-5", "ST-1", "ST-5", "RV-1", "RV-3")} == {
        "shown"
    }
    assert "Signed checkpoint 1 of" in said
    assert "1 due, 0 erased since the one before, 0 held, 0 overdue" in said
    assert "Living connections: 1; the one that waits longest was proved alive 0.0 hours ago" in said
    assert "Entries of the audit trail that are as they were sealed" in said
    assert "the current key is “k1”" in said


def test_it_names_nobody_and_changes_nothing(lived: TestService) -> None:
    invoke(lived, "doctor")  # notes the identity key's check value, as every start does
    before = lived.stored()
    page = invoke(lived, "report", "--format", "html").stdout
    for word in ("agent-1", "agent-2", "acme", "Very private", "s1<", lived.calendars()[0]["id"]):
        assert word not in page
    assert lived.stored() == before


def test_both_formats_go_to_a_file_and_progress_beside_them(lived: TestService, tmp_path: Path) -> None:
    for name, start in (("report.html", "<!doctype html>"), ("report.md", "# Informe de conformidad")):
        answer = invoke(lived, "report", "--output", str(tmp_path / name), "--language", "es")
        assert (answer.exit_code, answer.stdout) == (0, "")
        assert "Videsk: " in answer.stderr
        assert (tmp_path / name).read_text("utf-8").startswith(start)


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_in_spanish_findings_and_permissions_are_told_in_spanish(lived: TestService, kind: str) -> None:
    page = invoke(lived, "report", "--format", kind, "--language", "es").stdout
    assert "lo confirmado está en disco y nada se desaloja" in page
    assert "Conectar, y tener un calendario para las sesiones" in page
    english = ("acknowledged writes", "identity key", "Connect, and have", "enforced by Google", "in order")
    assert [words for words in english if words in page] == []


def test_a_service_that_has_just_begun_has_things_open_and_nothing_red(service: TestService) -> None:
    service.connect()
    code, standings, said = verdicts(service)
    assert (code, standings["LU-6"], standings["ST-5"]) == (0, "open", "open")
    assert "There is no signed checkpoint yet" in said


def test_a_day_without_a_checkpoint_is_red(service: TestService) -> None:
    service.connect()
    service.clock.advance(DAY / 1000 + 60)
    assert red(service) >= {"LU-6", "ST-5"}


def test_a_proof_of_life_that_is_too_old_is_red(lived: TestService) -> None:
    lived.clock.advance(4 * DAY / 1000)
    assert "RV-1" in red(lived)


def test_what_is_past_its_time_is_red(lived: TestService) -> None:
    lived.clock.advance(8 * DAY / 1000)
    assert "ST-5" in red(lived)


def test_a_record_that_no_key_opens_is_red(lived: TestService) -> None:
    assert red(lived, CALENDAR_KEYRING=f"k7:{_fresh()}") == {"ST-1"}


def test_a_trail_that_was_changed_is_red(lived: TestService) -> None:
    client = lived.parts.store.database.client
    shard = next(shard for shard in keys.all_shards() if client.exists(keys.audit_log(shard)))
    first = client.xrange(keys.audit_log(shard), count=1)[0][0]
    client.xdel(keys.audit_log(shard), first)
    assert red(lived) == {"LU-6"}


def test_after_a_new_signing_key_the_former_ones_public_half_shows_the_trail(lived: TestService) -> None:
    former, newer = lived.parts.audit.public_keys[0], new_key()
    assert red(lived, CALENDAR_SIGNING_KEY=newer) == {"LU-6"}
    answer = invoke(lived, "report", "--json", "--public-key", former, CALENDAR_SIGNING_KEY=newer)
    assert (answer.exit_code, json.loads(answer.stdout)["standing"]) == (0, "open")


def test_without_its_database_everything_measured_is_red(lived: TestService) -> None:
    found = red(lived, CALENDAR_REDIS_URL="redis://127.0.0.1:1/0")
    assert {"ST-1", "ST-5", "RV-1", "SC-5"} <= found
    page = invoke(lived, "report", CALENDAR_REDIS_URL="redis://127.0.0.1:1/0").stdout
    assert "This could not be measured: the database does not answer." in page


def test_the_text_to_publish_needs_no_database(lived: TestService) -> None:
    changed = {"CALENDAR_OPERATOR": "vclerk", "CALENDAR_REDIS_URL": "redis://127.0.0.1:1/0"}
    answer = invoke(lived, "report", "--policy-text", **changed)
    assert answer.exit_code == 0
    assert answer.stdout.startswith("## Google API Services User Data")
    published = invoke(lived, "report", "--policy-text")
    assert "Everything in this profile is published already." in published.stderr


@pytest.mark.parametrize(
    "words", [("--format", "pdf"), ("--language", "fr"), ("--output", "/nowhere/report.html")]
)
def test_a_bad_order_is_refused(lived: TestService, words: tuple[str, ...]) -> None:
    answer = invoke(lived, "report", *words)
    assert (answer.exit_code, bool(answer.stderr)) == (2, True)
