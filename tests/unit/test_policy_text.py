"""The text for an operator to publish holds what Google asks of a privacy policy."""

from pathlib import Path

import pytest

from calendar_service import operators
from calendar_service.report.writing import policy_text
from tests.support.evidence import shows

ALL = operators.shipped()
DISCLOSED = {
    "en": (
        "https://www.googleapis.com/auth/calendar",
        "Of the list of your calendars the service reads identifier, description and kind of access",
        "the identifier of your main calendar",
        "whether they still stand and at what time",
        "does not read events of your other calendars",
        "keyed fingerprint of the Google account is kept until the connection is erased at the latest",
        "audit log keeps one entry for each step that changes a connection or a session, for 400 days",
        "with your consent",
        "looking into abuse",
        "to comply with the law",
        "after your explicit consent",
        "you agree that certain events or calendars are viewed",
        "looking into a fault or abuse",
        "the law requires it",
        "aggregated and anonymized",
        "Questions about Google data: ",
    ),
    "es": (
        "https://www.googleapis.com/auth/calendar",
        "De la lista de sus calendarios, el servicio lee el identificador, la descripción y el tipo de acceso",
        "el identificador de su calendario principal",
        "si siguen en pie y a qué hora",
        "No lee eventos de sus otros calendarios",
        "una huella de la cuenta de Google",
        "una entrada de cada paso que cambia una conexión o una sesión, durante 400 días",
        "con su consentimiento",
        "para investigar abusos",
        "para cumplir la ley",
        "tras su consentimiento expreso",
        "usted acepta que se vean ciertos eventos o calendarios",
        "para investigar una falla o un abuso",
        "la ley lo exige",
        "agregados y anonimizados",
        "Preguntas sobre los datos de Google: ",
    ),
}
PROPOSED = {"en": "was moved or deleted there. (proposed)", "es": "se movió o se eliminó allí. (propuesto)"}
DAY_OF_PUBLICATION = {
    "en": "Last modified: [the day of publication]",
    "es": "Última modificación: [el día de la publicación]",
}


@shows("LU-1", "LU-2", "LU-3")
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_text_discloses_what_google_asks_of_a_policy(name: str, language: str) -> None:
    text = policy_text(operators.load(name), language)
    assert [sentence for sentence in DISCLOSED[language] if sentence not in text] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_watching_of_our_calendar_is_a_proposal_until_the_operator_adopts_it(
    tmp_path: Path, language: str
) -> None:
    adopted = tmp_path / "adopted.toml"
    adopted.write_text('extends = "vclerk"\npolicy.adopted_on = "2026-06-01"\n', "utf-8")
    assert PROPOSED[language] in policy_text(operators.load("videsk"), language)
    assert PROPOSED[language] in policy_text(operators.load("vclerk"), language)
    assert "(prop" not in policy_text(operators.load(str(adopted)), language)


@shows("UP-1")
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_text_bears_its_date_and_a_draft_that_of_its_publication(tmp_path: Path, language: str) -> None:
    dated = tmp_path / "dated.toml"
    dated.write_text('extends = "videsk"\npolicy.date = "2026-06-01"\n', "utf-8")
    line = DAY_OF_PUBLICATION[language].partition("[")[0]
    assert f"{line}2026-06-01\n" in policy_text(operators.load(str(dated)), language)
    assert f"{line}[" in policy_text(operators.load("videsk"), language)
    assert DAY_OF_PUBLICATION[language] in policy_text(operators.load("vclerk"), language)


@pytest.mark.parametrize("name", ALL)
def test_the_text_is_markdown_without_escapes_and_its_lists_are_whole(name: str) -> None:
    text = policy_text(operators.load(name), "en")
    assert "&#" not in text
    assert "\n\n\n" not in text
    lines = text.splitlines()
    for number, line in enumerate(lines):
        assert not line.startswith("  - ") or lines[number - 1].startswith(("- ", "  - "))
