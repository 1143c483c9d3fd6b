"""Links back to the console, and nowhere else; pages in a frame where the profile allows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words

OVERLAY = """
extends = "videsk"
console_url = "https://console.example.com/"
[organizations.acme]
return_urls = ["https://console.example.com/agents/me"]
frame_ancestors = ["https://console.example.com"]
"""
ALLOWED = "https://console.example.com/agents/me"
TRICKS = (
    "//evil.example", "/\\evil.example", "https:evil.example", "https://console.example.com@evil.example/",
    "https://console.example.com.evil.example/", "https://console。example.com/agents/me", "javascript:alert(1)",
    "https://console.example.com/agents/me/../../x", "https://console.example.com/agents/me\t", f"{ALLOWED}?x=1",
    "http://console.example.com/agents/me", "data:text/html,x", "\nhttps://evil.example", " https://evil.example",
)  # fmt: skip


@pytest.fixture
def visitor(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock, tmp_path: Path
) -> Iterator[Visitor]:
    """A browser at an operator whose console is known."""
    profile = tmp_path / "operator.toml"
    profile.write_text(OVERLAY, "utf-8")
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_OPERATOR=str(profile))
    yield Visitor(create_app(service.parts), service)
    service.close()


def test_the_way_back_is_the_one_the_console_named_if_the_profile_lists_it(visitor: Visitor) -> None:
    page = visitor.enter(return_url=ALLOWED)
    assert f'<a href="{ALLOWED}">Back to the console</a>' in page.text


def test_any_other_way_back_is_replaced_by_the_operators_console(visitor: Visitor) -> None:
    for trick in TRICKS:
        page = visitor.enter(return_url=trick)
        assert '<a href="https://console.example.com/">Back to the console</a>' in page.text
        assert "evil" not in page.text
        assert ALLOWED not in page.text


def test_no_parameter_of_a_page_leads_away(visitor: Visitor) -> None:
    visitor.connect()
    for name in ("next", "return", "return_url", "redirect", "url", "continue"):
        for path in ("/settings", "/disconnect", "/", "/portal/x", "/oauth/callback?refused=expired"):
            answer = visitor.get(f"{path}{'&' if '?' in path else '?'}{name}=https://evil.example/")
            assert "evil.example" not in answer.text
            assert answer.location is None
        answer = visitor.post(f"/pause?{name}=https://evil.example/", {name: "https://evil.example/"})
        assert answer.location == "/settings"


def test_only_the_organizations_own_console_may_frame_its_settings(visitor: Visitor) -> None:
    page = visitor.enter()
    assert "frame-ancestors https://console.example.com" in page.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in page.headers
    for path in ("/", "/google-user-data", "/console"):
        other = Visitor(visitor.client.application, visitor.service).get(path)
        assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"]


def test_in_a_frame_the_link_offers_a_tab_of_its_own(visitor: Visitor) -> None:
    link = visitor.ticket()
    framed = visitor.get(link, Sec_Fetch_Dest="iframe")
    assert "Open in a tab of its own" in words(framed)
    assert "frame-ancestors https://console.example.com" in framed.headers["Content-Security-Policy"]
    assert visitor.get(link).location == "/settings"


def test_in_production_a_dead_end_names_the_operators_console(visitor: Visitor) -> None:
    for path in ("/portal/used", "/settings", "/oauth/callback?refused=expired"):
        assert 'href="https://console.example.com/"' in visitor.get(path).text
