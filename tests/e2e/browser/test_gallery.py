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

OTHERS_SIGHTS = ("settings-connected", "settings-not-connected")
"""What differs most under another operator: a draft, own terms of erasing, its colours."""
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


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The service under an operator whose policy is a draft and who offers shorter terms."""
    with stage(tmp_path_factory.mktemp("elsewhere"), CALENDAR_OPERATOR="cticontrol") as running:
        yield running


@pytest.mark.parametrize("name", OTHERS_SIGHTS)
def test_a_page_is_fit_for_everybody_under_a_draft(browser: Browser, elsewhere: Stage, name: str) -> None:
    with guest(browser, elsewhere, "es") as looking:
        SIGHTS[name](looking)
        assert looking.page.locator(".banner").count() == 1
        assert looking.page.locator("form[action='/term']").count() == (name == "settings-connected")
        found = [*faults(looking, "light", "dark"), *unreachable(looking), *in_english(looking.page)]
        take(looking, f"draft-{name}", NARROW, "light")
        assert found == []
