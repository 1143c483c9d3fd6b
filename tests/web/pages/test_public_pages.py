"""What everybody may read: the home page and the promise (ID-1, LU-0, ST-3)."""

import pytest

from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.operator import CLAUSES
from tests.household import Household
from tests.web.pages.visitor import Visitor, words


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("path", ["/", "/google-user-data"])
def test_both_languages_have_a_stable_address(visitor: Visitor, path: str, language: str) -> None:
    page = visitor.get(f"{path}?lang={language}")
    assert f'<html lang="{language}">' in page.text
    assert f'hreflang="{language}" href="http://localhost:8080{path}?lang={language}"' in page.text


@pytest.mark.parametrize("language", ["en", "es"])
def test_home_says_who_what_for_and_why(visitor: Visitor, household: Household, language: str) -> None:
    page = visitor.get(f"/?lang={language}")
    operator = household.service.operator
    said = words(page)
    for fact in ("Videsk", "Videsk SpA", "Santiago", "Chile", "videsk.io", operator.limited_use.sentence):
        assert fact in said
    assert operator.limited_use.link in page.text
    assert "https://www.googleapis.com/auth/calendar" in said
    assert said.count("Google LLC") == 1
    assert "login" not in said.lower()


def test_facts_that_the_operator_has_not_given_are_marked_and_not_invented(visitor: Visitor) -> None:
    said = words(visitor.get("/"))
    assert "Privacy policy: not set by the operator yet" in said
    assert "Questions about Google data: not set by the operator yet" in said


def test_the_data_page_has_every_clause_and_everything_that_is_kept(
    visitor: Visitor, household: Household
) -> None:
    page = visitor.get("/google-user-data")
    said = words(page)
    for clause in CLAUSES:
        assert f'id="{clause}"' in page.text
        assert household.service.operator.clauses[clause].text["en"] in said
    for item in INVENTORY:
        assert all(text in said for text in (item.what, item.why, item.end)), item.what


def test_pages_are_light(visitor: Visitor) -> None:
    sheet = len(visitor.get("/static/app.css").data)
    for path in ("/", "/google-user-data", "/console"):
        page = visitor.get(path)
        assert len(page.data) + sheet < 60_000
        assert page.text.count('<link rel="stylesheet"') == 1
