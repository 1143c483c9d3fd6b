"""Every page and state of the product in both languages: accessible, and usable by keyboard alone."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser

from tests.pages.catalogue import ENGLISH_ONLY, PAGE_STATES, REFUSALS
from tests.pages.checks import NARROW, WIDE, faults, unreachable
from tests.pages.fixture import page_fixture
from tests.pages.pictures import take
from tests.pages.sentences import in_english
from tests.pages.visitor import PageVisitor, VisitorPool
from tests.support.evidence import shows

_KEPT = """() => [document.cookie, JSON.stringify(localStorage), innerWidth, innerHeight,
    matchMedia('(prefers-color-scheme: dark)').matches, matchMedia('(prefers-reduced-motion)').matches,
    document.querySelectorAll(':hover').length, document.activeElement.tagName]"""
"""What a visitor might find of the one before."""
DRAFT_STATES = ("public-home", "public-google-user-data", "settings-connected", "settings-not-connected")
"""What differs most under another operator: a draft, facts not set, proposed clauses, own terms of erasing, colours."""
SPANISH = sorted(set(PAGE_STATES) - ENGLISH_ONLY)


@pytest.fixture(scope="module")
def pool(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VisitorPool]:
    """One service for all page states."""
    with (
        page_fixture(tmp_path_factory.mktemp("pages")) as fixture,
        closing(VisitorPool(browser, fixture)) as visitors,
    ):
        yield visitors


@shows("LU-4")
@pytest.mark.parametrize("name", PAGE_STATES)
def test_a_page_is_fit_for_everybody(pool: VisitorPool, name: str) -> None:
    with pool.visitor("en") as visitor:
        PAGE_STATES[name](visitor)
        assert visitor.refused is (name in REFUSALS)
        problems = [*faults(visitor, "light"), *unreachable(visitor)]
        take(visitor, name, WIDE, "light")
        assert problems == []


@pytest.mark.parametrize("name", SPANISH)
def test_a_page_is_fit_for_everybody_in_spanish(pool: VisitorPool, name: str) -> None:
    with pool.visitor("es") as visitor:
        PAGE_STATES[name](visitor)
        assert visitor.refused is (name in REFUSALS)
        problems = [*faults(visitor, "dark"), *in_english(visitor.page)]
        take(visitor, name, NARROW, "dark")
        assert problems == []


@pytest.fixture(scope="module")
def draft_pool(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VisitorPool]:
    """The service under an operator whose policy is a draft and who offers shorter terms."""
    home = tmp_path_factory.mktemp("draft")
    with (
        page_fixture(home, CALENDAR_OPERATOR="cticontrol") as fixture,
        closing(VisitorPool(browser, fixture)) as visitors,
    ):
        yield visitors


@pytest.mark.parametrize("name", DRAFT_STATES)
def test_a_page_is_fit_for_everybody_under_a_draft(draft_pool: VisitorPool, name: str) -> None:
    with draft_pool.visitor("es") as visitor:
        PAGE_STATES[name](visitor)
        assert visitor.page.locator(".banner").count() == 1
        assert visitor.page.locator("form[action='/term']").count() == (name == "settings-connected")
        problems = [*faults(visitor, "light", "dark"), *unreachable(visitor), *in_english(visitor.page)]
        take(visitor, f"draft-{name}", NARROW, "light")
        assert problems == []


def test_a_visitor_finds_nothing_of_the_one_before(pool: VisitorPool) -> None:
    with pool.visitor("en") as first:
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
    with pool.visitor("en") as second:
        assert second.context is first.context
        assert second.context.pages == [second.page]
        assert [*second.context.cookies(), *second.requests, *second.complaints] == []
        second.open("/settings")
        assert second.refused
        second.settings()
        assert second.page.evaluate(_KEPT) == before
        assert _style(second) == style  # nothing comes from a cache


def _style(visitor: PageVisitor) -> int:
    """Return how many bytes of style sheets came over the wire; an icon is asked for whenever the browser likes."""
    sheets = [request for request in visitor.requests if request.resource_type == "stylesheet"]
    size = sum(request.sizes()["responseBodySize"] for request in sheets)
    assert size > 1_000
    return size


def test_a_visitor_who_fails_leaves_no_browser_context_and_no_fault_behind(pool: VisitorPool) -> None:
    with (
        pytest.raises(LookupError),
        pool.visitor("es") as first,
        first.trouble("/token"),
        first.database_full(),
    ):
        raise LookupError
    with pool.visitor("es") as second:
        assert second.context is not first.context
        assert first.page.is_closed()
        second.connected()
        assert second.page.locator(".state-connected").count() == 1
