"""The same pages under every operator's name: in its languages, with its words, marked where they are a draft."""

from collections.abc import Iterator

import pytest

from calendar_service import operators
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words


@pytest.fixture(params=operators.shipped())
def visitor(
    clean_store: str,
    google_process: LocalGoogle,
    test_clock: MovableClock,
    request: pytest.FixtureRequest,
) -> Iterator[Visitor]:
    """A browser at one of the operators."""
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_OPERATOR=request.param)
    yield Visitor(create_app(service.parts), service)
    service.close()


@shows("LU-0")
def test_every_page_shows_in_every_language_of_the_operator(visitor: Visitor) -> None:
    operator = visitor.service.parts.operator
    visitor.enter()
    for language in operator.languages:
        for path in ("/", "/google-user-data", "/settings", "/console", "/nothing"):
            page = visitor.get(f"{path}?lang={language}")
            assert f'<html lang="{language}">' in page.text
            assert operator.identity.app_name in words(page)
            assert ('class="banner"' in page.text) is operator.is_draft
    for path in ("/", "/settings"):
        assert operator.limited_use.sentence in words(visitor.get(path))


def test_a_language_that_the_operator_does_not_speak_is_not_offered(visitor: Visitor) -> None:
    operator = visitor.service.parts.operator
    for language in {"en", "es"} - set(operator.languages):
        page = visitor.get(f"/?lang={language}")
        assert f'<html lang="{operator.languages[0]}">' in page.text
        assert f"?lang={language}" not in page.text
