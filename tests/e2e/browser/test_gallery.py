"""Every page and state of the product in both languages: fit for everybody, and by keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.gallery.guest import guest
from tests.gallery.look import NARROW, WIDE, faults, unreachable
from tests.gallery.pictures import take
from tests.gallery.registry import ENGLISH_ONLY, REFUSALS, SIGHTS
from tests.gallery.sentences import in_english
from tests.gallery.stage import Stage, stage

SPANISH = sorted(set(SIGHTS) - ENGLISH_ONLY)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One service for the whole gallery."""
    with stage(tmp_path_factory.mktemp("gallery")) as running:
        yield running


@pytest.mark.parametrize("name", SIGHTS)
def test_a_page_is_fit_for_everybody(browser: Browser, service: Stage, name: str) -> None:
    with guest(browser, service, "en") as looking:
        SIGHTS[name](looking)
        assert looking.refused is (name in REFUSALS)
        found = [*faults(looking, "light"), *unreachable(looking)]
        take(looking, name, WIDE, "light")
        assert found == []


@pytest.mark.parametrize("name", SPANISH)
def test_a_page_is_fit_for_everybody_in_spanish(browser: Browser, service: Stage, name: str) -> None:
    with guest(browser, service, "es") as looking:
        SIGHTS[name](looking)
        assert looking.refused is (name in REFUSALS)
        found = [*faults(looking, "dark"), *in_english(looking.page)]
        take(looking, name, NARROW, "dark")
        assert found == []
