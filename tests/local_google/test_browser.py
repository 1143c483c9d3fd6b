"""The pages in Chromium: by keyboard, without script, and back to the app at another origin."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from playwright.sync_api import Locator, Page, ViewportSize

from local_google.state.clients import RegisteredClient
from tests.local_google.app import ONE, TWO, App
from tests.local_google.http_api import GoogleApi
from tests.local_google.receiver import listening
from tests.support.browser import chromium
from tests.support.local_google import LocalGoogle

InBrowser = Callable[[Callable[[Page], None]], None]
PHONE: ViewportSize = {"width": 360, "height": 740}
WIDE: ViewportSize = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def in_browser() -> Iterator[InBrowser]:
    """Runs an action with a page without script, as narrow as a phone.

    In a thread of its own: playwright allows one driver a thread, and other tests may hold one in the main thread.
    """
    with ThreadPoolExecutor(1) as thread, ExitStack() as stack:

        def opened() -> Page:
            browser = stack.enter_context(chromium())
            context = browser.new_context(java_script_enabled=False, viewport=PHONE)
            return context.new_page()

        page = thread.submit(opened).result()
        yield lambda action: thread.submit(action, page).result()
        thread.submit(stack.close).result()


def _overlap(one: Locator, other: Locator) -> bool:
    a, b = one.bounding_box(), other.bounding_box()
    assert a is not None
    assert b is not None
    return all(
        a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "width"), ("y", "height"))
    )


def _inside(part: Locator, whole: Locator) -> bool:
    a, b = part.bounding_box(), whole.bounding_box()
    assert a is not None
    assert b is not None
    return b["x"] <= a["x"] and a["x"] + a["width"] <= b["x"] + b["width"]


def test_consent_by_keyboard_leads_back_to_the_app(in_browser: InBrowser) -> None:
    def action(page: Page) -> None:
        with listening() as receiver:
            client = RegisteredClient("keys.apps.test", "s", "keys", (receiver.url,), "Keyboard App")
            with LocalGoogle.start([client]) as google:
                url = App(google, client).url(prompt="select_account consent")
                page.goto(url)
                page.get_by_role("button", name=TWO).press("Enter")
                page.get_by_text("Keyboard App wants access").first.wait_for()
                assert "client_id=keys.apps.test" in page.url
                page.get_by_role("button", name="Allow").press("Enter")
                page.wait_for_url(re.compile(re.escape(receiver.url)))
                assert "code=4/0A" in page.url
                assert google.state()["consents"][0]["account"] == TWO

    in_browser(action)


def test_the_language_is_a_link_that_keeps_the_request(in_browser: InBrowser, app: App) -> None:
    def action(page: Page) -> None:
        page.goto(app.url(login_hint=ONE, hl="en"))
        page.get_by_role("link", name="Español").click()
        assert page.get_by_role("button", name="Permitir").is_visible()
        assert "client_id=" in page.url
        page.get_by_role("link", name="English").click()

    in_browser(action)


def test_an_event_is_moved_deleted_and_restored_by_hand(
    in_browser: InBrowser, google: LocalGoogle, api: GoogleApi, calendar: str
) -> None:
    def action(page: Page) -> None:
        api.insert(calendar, {"id": "abcdef", "summary": "Call with Rosa"})
        page.goto(f"{google.url}/calendar?account={ONE}&week=2030-05-06&hl=en")
        page.get_by_role("button", name="Call with Rosa").click()
        page.get_by_label("Starts").fill("2030-05-07T08:00")
        page.get_by_label("Ends").fill("2030-05-07T08:30")
        page.get_by_role("button", name="Move").click()
        assert api.event(calendar, "abcdef").document["start"]["dateTime"] == "2030-05-07T08:00:00-04:00"
        page.get_by_role("button", name="Call with Rosa").click()
        page.get_by_role("button", name="Delete", exact=True).click()
        assert api.event(calendar, "abcdef").document["status"] == "cancelled"
        page.get_by_role("button", name="Restore").click()
        assert api.event(calendar, "abcdef").document["status"] == "confirmed"

    in_browser(action)


def test_a_calendar_and_an_apps_access_are_removed_by_hand(
    in_browser: InBrowser, google: LocalGoogle, api: GoogleApi, calendar: str
) -> None:
    def action(page: Page) -> None:
        page.goto(f"{google.url}/calendar?account={ONE}&hl=en")
        page.get_by_text("Delete calendar").first.click()
        page.get_by_role("button", name="Delete calendar").click()
        assert api.call("GET", f"calendars/{calendar}").status == 404
        page.goto(f"{google.url}/permissions?account={ONE}&hl=en")
        page.get_by_role("button", name="Remove access").click()
        page.get_by_role("button", name="Cancel").click()
        assert api.call("GET", "colors").status == 200
        page.get_by_role("button", name="Remove access").click()
        page.locator(".popover").get_by_role("button", name="Remove access").click()
        assert page.get_by_text("The app's access was removed.").is_visible()
        assert api.call("GET", "colors").status == 401

    in_browser(action)


def test_an_event_opens_beside_the_week_and_closes_again(
    in_browser: InBrowser, google: LocalGoogle, api: GoogleApi, calendar: str
) -> None:
    def action(page: Page) -> None:
        api.insert(calendar, {"summary": "Call with Rosa", "location": "Room 2"})
        page.set_viewport_size(WIDE)
        page.goto(f"{google.url}/calendar?account={ONE}&week=2030-05-06&hl=en")
        event, popover = page.get_by_role("button", name="Call with Rosa"), page.locator(".popover")
        event.press("Enter")
        assert popover.is_visible()
        assert "Where: Room 2" in popover.inner_text()
        assert not _overlap(event, popover)
        page.keyboard.press("Escape")
        assert not popover.is_visible()
        event.click()
        page.get_by_role("button", name="Close").click()
        assert not popover.is_visible()
        page.set_viewport_size(PHONE)

    in_browser(action)


def test_short_events_have_one_line_and_parallel_ones_stand_side_by_side(
    in_browser: InBrowser, google: LocalGoogle, api: GoogleApi, calendar: str
) -> None:
    def action(page: Page) -> None:
        for begins, ends, title in (
            ("10:00", "10:15", "A"),
            ("10:00", "11:00", "B"),
            ("10:10", "10:40", "C"),
            ("23:50", "23:55", "D"),
        ):
            times = {
                "start": {"dateTime": f"2030-05-07T{begins}:00-04:00"},
                "end": {"dateTime": f"2030-05-07T{ends}:00-04:00"},
            }
            api.insert(calendar, times | {"summary": f"{title} that is long"})
        page.set_viewport_size(WIDE)
        page.goto(f"{google.url}/calendar?account={ONE}&week=2030-05-06&hl=en")
        events = page.locator(".hours .event").all()
        assert [event.inner_text().split()[0][:5] for event in events] == ["10:00", "10:00", "10:10", "23:50"]
        for number, event in enumerate(events):
            height = event.bounding_box()
            assert height is not None
            assert height["height"] >= 20
            assert _inside(event.locator(".when"), event)
            assert not any(_overlap(event, other) for other in events[:number])
        for event in (events[1], events[3]):
            when, what = event.locator(".when").bounding_box(), event.locator(".what").bounding_box()
            assert when is not None
            assert what is not None
            assert abs(when["y"] - what["y"]) < 1, "on one line"
        page.set_viewport_size(PHONE)

    in_browser(action)


def test_quiet_hours_are_folded_until_they_are_asked_for(
    in_browser: InBrowser, google: LocalGoogle, api: GoogleApi, calendar: str
) -> None:
    def action(page: Page) -> None:
        api.insert(calendar, {"id": "abcdef", "summary": "Call with Rosa"})
        page.set_viewport_size(WIDE)
        page.goto(f"{google.url}/calendar?account={ONE}&week=2030-05-06&hl=en")
        lines, hour = (
            page.locator(".lines > span"),
            api.event(calendar, "abcdef").document["start"]["dateTime"],
        )
        busy = int(hour[11:13])
        assert lines.all_inner_texts() == [f"{each:02}" for each in (busy - 1, busy, busy + 1)]
        page.locator(".fold").first.click()
        assert lines.all_inner_texts() == [f"{each:02}" for each in range(24)]
        page.get_by_role("button", name="Call with Rosa").click()
        page.get_by_role("button", name="Dismiss").click()
        assert lines.count() == 24, "as they were unfolded"
        page.get_by_role("link", name="Show busy hours only").click()
        assert lines.count() == 3
        page.set_viewport_size(PHONE)

    in_browser(action)


@pytest.mark.parametrize("path", ["/", "/calendar?week=2030-05-06", "/permissions"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_no_page_is_wider_than_a_phone(
    in_browser: InBrowser, google: LocalGoogle, api: GoogleApi, calendar: str, path: str, language: str
) -> None:
    def action(page: Page) -> None:
        api.insert(calendar, {"summary": "A title that is long and goes on without end " * 3})
        joint = "&" if "?" in path else "?"
        page.goto(f"{google.url}{path}{joint}account={ONE}&hl={language}")
        box = page.locator("main").bounding_box()
        assert box is not None
        assert box["width"] <= 360

    in_browser(action)
