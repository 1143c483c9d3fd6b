"""Each fact of a profile is shown where its sentence stands: on the pages, in the report and in the policy's text."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from calendar_service import operators
from calendar_service.domain.operator import OPTIONAL_FACTS, STATED_FACTS, Operator
from calendar_service.journeys.operations.all_connections import ConnectionTotals
from calendar_service.report.judging import judge
from calendar_service.report.writing import policy_text, write
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words

GIVEN = {
    "contacts.phones": '["+00 1234", "+00 5678"]',
    "contacts.support": '["support@operator.example", "+00 9999"]',
    "contacts.postal_address": '"A street 1, A city"',
    "contacts.data_protection_officer": '"officer@operator.example"',
    "contacts.dispute_address": '"Another street 2, A city"',
    "hosting.countries": '["US", "NO"]',
    "hosting.volume_encryption": '{ what = "LUKS", who = "A. Operator", date = "2026-05-01" }',
    "hosting.backup_encryption": '{ what = "age", who = "B. Operator", date = "2026-05-02" }',
    "hosting.sub_processors": '"https://operator.example/sub-processors"',
}
"""By place: what an overlay sets there, as TOML."""
COUNTRIES = {"en": "United States, Norway", "es": "Estados Unidos, Noruega"}
SHOWN = {
    language: (
        "+00 1234", "+00 5678", "support@operator.example", "+00 9999", "A street 1, A city",
        "officer@operator.example", "Another street 2, A city", countries,
        "https://operator.example/sub-processors", "LUKS", "age",
    )
    for language, countries in COUNTRIES.items()
}  # fmt: skip
ANSWERED = {"en": "Questions are answered within 3 days.", "es": "se responden en un máximo de 3 días."}
IN_FOOTER = 5
"""So many of `SHOWN`, the first ones, are contacts and stand on every page."""


def everything_given(folder: Path) -> str:
    """Return an overlay that sets each optional and each stated fact, with the additions that state them."""
    additions = {
        name: addition
        for profile in map(operators.load, operators.shipped())
        for name, addition in profile.additions.items()
        if name in STATED_FACTS
    }
    lines = ['extends = "videsk"', "contacts.answer_days = 3", "promises.minimum_age_in_eea = 16"]
    lines += [f"{place} = {value}" for place, value in GIVEN.items()]
    for name, addition in additions.items():
        lines += [
            f'additions.{name}.source = "published"',
            f'additions.{name}.kept_by = "{addition.kept_by}"',
        ]
        lines += [f'additions.{name}.text.{code} = "{text}"' for code, text in addition.text.items()]
    path = folder / "given.toml"
    path.write_text("\n".join(lines), "utf-8")
    return str(path)


@pytest.fixture
def visitor_of(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock
) -> Iterator[Callable[[str], Visitor]]:
    """Return a browser at the operator of a profile or an overlay."""
    with ExitStack() as opened:

        def visit(profile: str) -> Visitor:
            service = TestService.of(clean_store, google_process, test_clock, CALENDAR_OPERATOR=profile)
            opened.callback(service.close)
            return Visitor(create_app(service.parts), service)

        yield visit


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return operators.load(everything_given(tmp_path))


def test_the_overlay_of_these_tests_sets_every_such_fact(operator: Operator) -> None:
    places = {place for places in STATED_FACTS.values() for place in places}
    assert all(operator.fact(place) for place in (*OPTIONAL_FACTS, *places))
    assert set(STATED_FACTS) <= set(operator.additions)


@shows("CO-1")
@pytest.mark.parametrize("language", ["en", "es"])
def test_pages_show_each_fact_with_its_sentence(
    visitor_of: Callable[[str], Visitor], tmp_path: Path, language: str
) -> None:
    visitor = visitor_of(everything_given(tmp_path))
    visitor.enter()
    for path in ("/", "/settings", "/google-user-data", "/nothing"):
        page = visitor.get(f"{path}?lang={language}")
        contacts = (*SHOWN[language][:IN_FOOTER], ANSWERED[language])
        assert [fact for fact in contacts if fact not in words(page)] == [], path
    data_page = visitor.get(f"/google-user-data?lang={language}")
    assert [fact for fact in SHOWN[language] if fact not in words(data_page)] == []
    assert {"en": "LUKS (1 May 2026)", "es": "LUKS (1 de mayo de 2026)"}[language] in words(data_page)
    assert 'href="https://operator.example/sub-processors"' in data_page.text
    assert 'href="mailto:support@operator.example"' in data_page.text


@pytest.mark.parametrize("language", ["en", "es"])
def test_report_and_policy_text_show_each_fact(operator: Operator, language: str) -> None:
    report = judge(operator, "development", {}, (), ConnectionTotals(), 1_777_831_200_000)
    texts = [write(report, kind, language) for kind in ("html", "markdown")] + [
        policy_text(operator, language)
    ]
    day = {"en": "B. Operator, 2 May 2026", "es": "B. Operator, 2 de mayo de 2026"}[language]
    assert [day in text for text in texts[:2]] == [True, True]
    for text in texts:
        assert [fact for fact in SHOWN[language] if fact not in text] == []


@pytest.mark.parametrize("name", operators.shipped())
def test_a_fact_is_to_be_set_where_a_published_sentence_needs_it_and_nowhere_else(name: str) -> None:
    profile = operators.load(name)
    for addition, places in STATED_FACTS.items():
        empty = {place for place in places if not profile.fact(place)}
        assert (
            empty <= set(profile.unset())
            if addition in profile.additions
            else not empty & set(profile.unset())
        )
    assert not set(OPTIONAL_FACTS) & set(profile.unset())


@shows("CH-1")
@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Nobody under 13, or under 16 in the European Economic Area, may connect"),
        ("es", "Nadie menor de 13 años, o de 16 en el Espacio Económico Europeo, puede conectar"),
    ],
)
def test_every_page_says_both_ages_where_the_operator_names_two(
    visitor_of: Callable[[str], Visitor], language: str, sentence: str
) -> None:
    visitor = visitor_of("vclerk")
    visitor.enter()
    for path in ("/", "/settings", "/google-user-data", "/nothing"):
        assert sentence in words(visitor.get(f"{path}?lang={language}")), path


@shows("ID-1")
@pytest.mark.parametrize(
    ("name", "country"),
    [
        ("optiwe", {"en": "United States", "es": "Estados Unidos"}),
        ("virtual-scale", {"en": "Mexico", "es": "México"}),
        ("vclerk", {"en": "Norway", "es": "Noruega"}),
        ("videsk", {"en": "Chile", "es": "Chile"}),
        ("cticontrol", {"en": "Colombia", "es": "Colombia"}),
    ],
)
def test_the_country_is_named_in_the_readers_language(
    visitor_of: Callable[[str], Visitor], name: str, country: dict[str, str]
) -> None:
    visitor = visitor_of(name)
    for language, shown in country.items():
        footer = words(visitor.get(f"/nothing?lang={language}"))
        assert f", {shown} " in footer
        assert shown in policy_text(visitor.service.parts.operator, language)


@shows("LU-2", "LU-3")
@pytest.mark.parametrize(
    ("language", "cases", "summary"),
    [
        (
            "en",
            (
                "with your consent", "looking into abuse", "to comply with the law", "after your explicit consent",
                "certain events or calendars are viewed", "looking into a fault or abuse", "the law requires it",
                "aggregated and anonymized",
            ),
            "This is a summary; the policy binds.",
        ),
        (
            "es",
            (
                "con su consentimiento", "para investigar abusos", "para cumplir la ley",
                "tras su consentimiento expreso",
                "se vean ciertos eventos o calendarios", "para investigar una falla o un abuso", "la ley lo exige",
                "agregados y anonimizados",
            ),
            "lo que obliga es la política.",
        ),
    ],
)  # fmt: skip
def test_the_data_page_lists_the_cases_that_google_allows_and_says_what_binds(
    visitor_of: Callable[[str], Visitor], language: str, cases: tuple[str, ...], summary: str
) -> None:
    page = words(visitor_of("videsk").get(f"/google-user-data?lang={language}"))
    assert [case for case in (*cases, summary) if case not in page] == []
