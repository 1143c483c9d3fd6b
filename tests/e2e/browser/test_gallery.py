"""Every page and state of the product in both languages: fit for everybody, and by keyboard alone."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser

from tests.gallery.guest import Desk, Guest
from tests.gallery.look import NARROW, WIDE, faults, unreachable
from tests.gallery.pictures import take
from tests.gallery.registry import ENGLISH_ONLY, REFUSALS, SIGHTS
from tests.gallery.sentences import in_english
from tests.gallery.stage import stage
from tests.support.evidence import shows

_KEPT = """() => [document.cookie, JSON.stringify(localStorage), innerWidth, innerHeight,
    matchMedia('(prefers-color-scheme: dark)').matches, matchMedia('(prefers-reduced-motion)').matches,
    document.querySelectorAll(':hover').length, document.activeElement.tagName]"""
"""What a guest might find of the one before."""
OTHERS_SIGHTS = ("public-home", "public-google-user-data", "settings-connected", "settings-not-connected")
"""What differs most under another operator: a draft, facts not set, proposed clauses, own terms of erasing, colours."""
SPANISH = sorted(set(SIGHTS) - ENGLISH_ONLY)


@pytest.fixture(scope="module")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One service for the whole gallery."""
    with stage(tmp_path_factory.mktemp("gallery")) as service, closing(Desk(browser, service)) as open_desk:
        yield open_desk


@shows("LU-4")
@pytest.mark.parametrize("name", SIGHTS)
def test_a_page_is_fit_for_everybody(desk: Desk, name: str) -> None:
    with desk.guest("en") as looking:
        SIGHTS[name](looking)
        assert looking.refused is (name in REFUSALS)
        found = [*faults(looking, "light"), *unreachable(looking)]
        take(looking, name, WIDE, "light")
        assert found == []


@pytest.mark.parametrize("name", SPANISH)
def test_a_page_is_fit_for_everybody_in_spanish(desk: Desk, name: str) -> None:
    with desk.guest("es") as looking:
        SIGHTS[name](looking)
        assert looking.refused is (name in REFUSALS)
        found = [*faults(looking, "dark"), *in_english(looking.page)]
        take(looking, name, NARROW, "dark")
        assert found == []


@pytest.fixture(scope="module")
def elsewhere(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The service under an operator whose policy is a draft and who offers shorter terms."""
    home = tmp_path_factory.mktemp("elsewhere")
    with stage(home, CALENDAR_OPERATOR="cticontrol") as service, closing(Desk(browser, service)) as open_desk:
        yield open_desk


@pytest.mark.parametrize("name", OTHERS_SIGHTS)
def test_a_page_is_fit_for_everybody_under_a_draft(elsewhere: Desk, name: str) -> None:
    with elsewhere.guest("es") as looking:
        SIGHTS[name](looking)
        assert looking.page.locator(".banner").count() == 1
        assert looking.page.locator("form[action='/term']").count() == (name == "settings-connected")
        found = [*faults(looking, "light", "dark"), *unreachable(looking), *in_english(looking.page)]
        take(looking, f"draft-{name}", NARROW, "light")
        assert found == []


def test_a_guest_finds_nothing_of_the_one_before(desk: Desk) -> None:
    with desk.guest("en") as first:
        first.settings()
        before, style = first.page.evaluate(_KEPT), _style(first)
        first.page.evaluate("document.cookie = 'left=1'; localStorage.left = 1")
        first.page.route("**", lambda route: route.abort())
        first.context.new_page()
        take(first, "left", NARROW, "dark")
        first.page.focus("button >> nth=0")
        first.page.hover("button >> nth=0")
        first.complaints.append("left")
        assert first.context.cookies() != []
        assert first.page.evaluate(_KEPT) != before
    with desk.guest("en") as second:
        assert second.context is first.context
        assert second.context.pages == [second.page]
        assert [*second.context.cookies(), *second.requests, *second.complaints] == []
        second.open("/settings")
        assert second.refused
        second.settings()
        assert second.page.evaluate(_KEPT) == before
        assert _style(second) == style  # nothing comes from a cache


def _style(guest: Guest) -> int:
    """Return how many bytes of style sheets came over the wire; an icon is asked for whenever the browser likes."""
    sheets = [request for request in guest.requests if request.resource_type == "stylesheet"]
    size = sum(request.sizes()["responseBodySize"] for request in sheets)
    assert size > 1_000
    return size


def test_whoever_fails_leaves_no_window_and_no_trouble_to_the_next(desk: Desk) -> None:
    with (
        pytest.raises(LookupError),
        desk.guest("es") as first,
        first.trouble("/token"),
        first.database_full(),
    ):
        raise LookupError
    with desk.guest("es") as second:
        assert second.context is not first.context
        assert first.page.is_closed()
        second.connected()
        assert second.page.locator(".state-connected").count() == 1
