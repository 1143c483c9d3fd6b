"""Unusual use: double clicks, the back button, two tabs, frames, forms from a hostile site."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browser.conftest import Arrive, Person, Running


class _Hostile(BaseHTTPRequestHandler):
    """A hostile site whose page frames the service's page and posts to it."""

    def do_GET(self) -> None:
        target = self.path.partition("?")[2]
        html = (
            f"<!doctype html><title>elsewhere</title><iframe src='{target}' width=600 height=600></iframe>"
            f"<form method=post action='{target}'><input name=csrf value=guess>"
            "<input name=delete_calendar value=yes><button>win a prize</button></form>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(html.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Print nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of another site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def _account(person: Person) -> str:
    return f"{person.agent}@example.com"


def test_no_page_of_ours_shows_in_another_sites_frame(
    arrive: Arrive, running: Running, elsewhere: str
) -> None:
    person = arrive()
    person.connect(_account(person))
    for path in ("/", "/settings", "/disconnect", "/console", "/receipts/x", "/nothing"):
        person.page.goto(f"{elsewhere}?{running.url}{path}")
        person.page.wait_for_load_state("networkidle")
        assert person.page.frames[1].url == "chrome-error://chromewebdata/"
        assert all("frame-ancestors" in text or "X-Frame" in text for text in person.complaints)
    person.complaints.clear()


def _erased(page: Page) -> Locator:
    """Return what one of the pages says to which two clicks on the button lead."""
    return (
        page.get_by_text("Receipt of the erasure").or_(page.get_by_text("there was nothing left to do")).first
    )


def test_a_form_on_another_site_does_nothing(arrive: Arrive, running: Running, elsewhere: str) -> None:
    person = arrive()
    page = person.connect(_account(person))
    page.goto(f"{elsewhere}?{running.url}/disconnect")
    page.click("button")
    page.wait_for_url(f"{running.url}/disconnect")
    assert person.says("Nothing was changed")
    person.complaints.clear()  # the frame on that page
    person.settings()
    assert person.state() == "connected"


def test_a_double_click_on_connect_still_leads_to_google(arrive: Arrive, running: Running) -> None:
    person = arrive()
    person.settings()
    person.page.dblclick("form[action='/connect'] button")
    # Here and below not by the address: the second click may cut off the way that the first one began.
    person.page.locator("input[name='account']").wait_for()
    assert person.page.url.startswith(running.google)
    person.page.go_back()
    person.consent(_account(person))
    assert person.state() == "connected"


def test_a_double_click_on_disconnect_disconnects_once(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.connect(_account(person))
    page.click("a[href='/disconnect']")
    page.dblclick("form[action='/disconnect'] button")
    page.locator(".state-disconnected").wait_for()
    assert person.state() == "disconnected"


def test_a_double_click_on_erase_erases_once_and_says_what_is_left(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.connect(_account(person))
    page.goto(f"{running.url}/disconnect")
    page.click("form[action='/disconnect'] button")
    page.wait_for_url(f"{running.url}/settings")
    page.dblclick("form[action='/erase'] button")
    _erased(page).wait_for()
    page.goto(f"{running.url}/settings")
    assert person.state() == "not_connected"


def test_closing_the_settings_in_one_tab_closes_them_in_the_other(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.connect(_account(person))
    other = person.context.new_page()
    other.goto(f"{running.url}/settings")
    page.click("form[action='/logout'] button")
    page.wait_for_url(f"{running.url}/settings")
    assert person.says("This page is closed")
    page.go_back()
    assert person.says("This page is closed")
    other.click("form[action='/pause'] button")
    assert "This page is closed" in other.locator("body").inner_text()
    person.settings()
    assert person.state() == "connected"


def test_going_back_shows_how_things_are_and_not_how_they_were(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.connect(_account(person))
    page.click("form[action='/pause'] button")
    page.wait_for_url(f"{running.url}/settings")
    assert person.state() == "paused"
    person.open("/google-user-data")
    page.go_back()
    assert person.state() == "paused"


def test_googles_answer_opened_again_stores_nothing_and_breaks_nothing(arrive: Arrive) -> None:
    person = arrive()
    seen: list[str] = []
    person.page.on("request", lambda request: seen.append(request.url))
    page = person.connect(_account(person))
    page.goto(next(url for url in seen if "/oauth/callback?" in url))
    assert person.says("This reply from Google was already used or has expired")
    page.click("main a[href='/settings']")
    assert person.state() == "connected"


def test_two_tabs_of_one_agent_agree(arrive: Arrive, running: Running) -> None:
    person = arrive()
    person.connect(_account(person))
    other = person.context.new_page()
    other.goto(f"{running.url}/settings")
    other.click("form[action='/pause'] button")
    other.wait_for_url(f"{running.url}/settings")
    person.page.click("form[action='/pause'] button")
    person.page.wait_for_url(f"{running.url}/settings")
    assert person.state() == "paused"


def test_a_page_of_the_agent_before_cannot_act_for_the_one_after(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.connect(_account(person))
    second = person.context.new_page()
    person.agent = f"{person.agent}-b"
    person.open_link(second)
    second.click("form[action='/portal'] button")
    second.wait_for_url(f"{running.url}/settings")
    page.click("form[action='/pause'] button")
    assert person.says("This form was not accepted")
    page.click("main a[href='/settings']")
    assert person.says(f"Settings of {person.agent}")


def test_an_ended_visit_is_a_page_with_a_way_back(arrive: Arrive) -> None:
    person = arrive()
    page = person.connect(_account(person))
    person.context.clear_cookies()
    page.click("form[action='/pause'] button")
    assert person.says("This page is closed")
    page.click("main a[href='/console']")
    assert page.locator("form[action='/console/settings']").count() == 1


def test_a_used_link_is_a_page_with_a_way_back(arrive: Arrive, running: Running) -> None:
    person = arrive()
    links: list[str] = []
    person.page.on("request", lambda request: links.append(request.url))
    person.settings()
    used = next(link for link in links if "/portal/" in link)
    stranger = arrive()
    stranger.page.goto(used)
    assert stranger.says("This link no longer opens")
    assert person.page.url == f"{running.url}/settings"


def test_an_answer_of_google_in_another_browser_is_told_and_binds_nothing(
    arrive: Arrive, running: Running
) -> None:
    person, stranger = arrive(), arrive()
    person.settings()
    person.page.click("form[action='/connect'] button")
    person.page.wait_for_url(f"{running.google}/**")
    stranger.page.goto(person.page.url)
    stranger.allow(_account(person))
    assert stranger.says("This is another browser")
    person.settings()
    assert person.state() == "not_connected"


def test_the_same_words_in_both_languages_by_link(arrive: Arrive) -> None:
    person = arrive()
    page = person.settings()
    page.click("a[hreflang=es]")
    assert person.says("No conectado")
    page.click("a[href='/google-user-data'] >> nth=0")
    assert page.locator("html").get_attribute("lang") == "es"


@pytest.mark.parametrize("width", [320, 640])
def test_nothing_has_to_be_scrolled_sideways(arrive: Arrive, width: int) -> None:
    person = arrive("es-CL", width=width)
    person.connect(_account(person))
    for path in ("/", "/google-user-data", "/console", "/settings", "/disconnect", "/nothing", "/portal/x"):
        page = person.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_nothing_but_this_service_is_asked_and_little_of_it(arrive: Arrive, running: Running) -> None:
    person = arrive()
    sizes: dict[str, int] = {}
    person.page.on(
        "response", lambda answer: sizes.update({answer.url: len(answer.body()) if answer.ok else 0})
    )
    for path in ("/", "/google-user-data"):
        sizes.clear()
        person.open(path)
        person.page.wait_for_load_state("networkidle")
        assert all(url.startswith(running.url) for url in sizes)
        assert len(sizes) <= 6
        assert sum(sizes.values()) <= 60_000


def test_a_double_click_on_erase_ends_at_one_receipt(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.connect(_account(person))
    page.click("a[href='/disconnect']")
    page.click("form[action='/disconnect'] button")
    page.wait_for_url(f"{running.url}/settings")
    page.dblclick("form[action='/erase'] button")
    _erased(page).wait_for()
    person.settings()
    assert person.state() == "not_connected"


def test_going_back_after_a_disconnect_shows_no_living_connection(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.connect(_account(person))
    page.click("a[href='/disconnect']")
    page.click("form[action='/disconnect'] button")
    page.wait_for_url(f"{running.url}/settings")
    for _ in range(2):
        page.go_back()
        page.wait_for_url(f"{running.url}/settings")
        assert person.state() == "disconnected"


def test_a_slow_line_shows_a_page_that_can_be_used(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.settings()
    line = person.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    slow = {"offline": False, "latency": 300, "downloadThroughput": 20_000, "uploadThroughput": 10_000}
    line.send("Network.emulateNetworkConditions", slow)
    page.reload(wait_until="commit")
    expect(page.locator("form[action='/connect'] button")).to_be_visible(timeout=3_000)
    person.consent(_account(person))
    assert person.state() == "connected"


@pytest.mark.parametrize(("locale", "language"), [("es-MX", "es"), ("en-GB", "en"), ("pt-BR", "en")])
def test_the_browsers_language_is_spoken_until_another_is_chosen(
    arrive: Arrive, locale: str, language: str
) -> None:
    person = arrive(locale)
    other = {"en": "es", "es": "en"}[language]
    page = person.open("/")
    assert page.locator("html").get_attribute("lang") == language
    page.click(f"a[hreflang={other}]")
    for path in ("/google-user-data", "/console", "/nothing"):
        assert person.open(path).locator("html").get_attribute("lang") == other
