"""The main job, as a person does it in a browser: from the console to the receipt and back."""

import json
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.browser.conftest import Arrive, Person, Running

WORDS = {
    "en-US": {
        "connected": "Your video sessions appear in “Videsk",
        "kept": "Your sessions in the console haven't changed",
        "erased": "Receipt of the erasure",
    },
    "es-CL": {
        "connected": "Sus sesiones de video aparecen en «Videsk",
        "kept": "Sus sesiones en la consola siguen como estaban",
        "erased": "Constancia de borrado",
    },
}


def _books(running: Running, account: str) -> list[dict[str, Any]]:
    """Return the account's calendars besides its own, as the local Google has them."""
    with urllib.request.urlopen(f"{running.google}/_control/state", timeout=10) as answer:  # noqa: S310
        calendars = json.loads(answer.read())["calendars"]
    return [book for book in calendars if book["owner"] == account and book["id"] != account]


def _schedule(person: Person, start: str, title: str = "A talk with Ana") -> None:
    page = person.open("/console")
    page.fill("#session", "session-1")
    page.fill("#title", title)
    page.fill("#start", start)
    page.click("form[action='/console/sessions'] button")
    page.wait_for_url("**/console?done=scheduled")


def _starts(running: Running, account: str) -> list[str]:
    events = [event for book in _books(running, account) for event in book["events"]]
    return [event["start"]["dateTime"] for event in events if event["status"] != "cancelled"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("locale", ["en-US", "es-CL"])
def test_a_newcomer_does_everything(arrive: Arrive, running: Running, locale: str, script: bool) -> None:  # noqa: FBT001
    person, words = arrive(locale, script=script), WORDS[locale]
    account = f"{person.agent}@example.com"
    page = person.settings()
    assert page.locator("html").get_attribute("lang") == locale[:2]
    assert person.state() == "not_connected"
    person.consent(account)
    assert page.url == f"{running.url}/settings"  # nothing of Google's answer stays in the address
    assert person.state() == "connected"
    assert person.says(words["connected"])
    assert person.says(f"{account[:2]}•••@example.com")

    _schedule(person, "2031-05-05T10:00")
    assert len(_starts(running, account)) == 1
    before = _starts(running, account)
    _schedule(person, "2031-05-06T11:30")
    assert len(_starts(running, account)) == 1
    assert _starts(running, account) != before
    page.click("form[action='/console/sessions/cancel'] button")
    page.wait_for_url("**/console?done=cancelled")
    assert _starts(running, account) == []
    _schedule(person, "2031-05-07T09:00")

    person.settings()
    page.click("a[href='/disconnect']")
    assert page.locator("input[value=no]").is_checked()
    if script:
        expect(page.locator("a.button[href='/settings']")).to_be_focused()
    page.click("form[action='/disconnect'] button")
    page.wait_for_url(f"{running.url}/settings")
    assert person.state() == "disconnected"
    assert person.says(words["kept"])
    calendars = [book["id"] for book in _books(running, account)]
    assert len(calendars) == 1
    assert len(_starts(running, account)) == 1

    page.click("form[action='/erase'] button")
    page.wait_for_url("**/receipts/*")
    assert person.says(words["erased"])
    with page.expect_download() as download:
        page.click("a[download]")
    receipt = json.loads(download.value.path().read_text("utf-8"))
    assert receipt["number"] == page.url.rpartition("/")[2]
    assert {"salt", "signature", "subject"} <= set(receipt)

    page.click("main a[href='/settings']")
    assert person.state() == "not_connected"
    person.consent(account)
    assert person.state() == "connected"
    assert [book["id"] for book in _books(running, account)] == calendars


def test_the_calendar_is_deleted_when_that_is_chosen(arrive: Arrive, running: Running) -> None:
    person = arrive()
    account = f"{person.agent}@example.com"
    page = person.connect(account)
    assert len(_books(running, account)) == 1
    page.click("a[href='/disconnect']")
    page.check("input[value=yes]")
    page.click("form[action='/disconnect'] button")
    page.wait_for_url(f"{running.url}/settings")
    assert _books(running, account) == []
    assert person.says("is deleted")


def test_cancelling_at_google_leads_back_with_nothing_stored(arrive: Arrive) -> None:
    person = arrive()
    person.settings()
    person.consent(f"{person.agent}@example.com", allow=False)
    assert person.says("You cancelled at Google")
    assert person.state() == "not_connected"


def test_the_keyboard_alone_suffices(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.connect(f"{person.agent}@example.com")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.innerText")
        )
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", reached[-1]
        if reached[-1] == "/disconnect":
            break
    assert "Pause" in reached
    page.keyboard.press("Enter")
    page.wait_for_url(f"{running.url}/disconnect")
    cancel = page.locator("a.button[href='/settings']")
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{running.url}/settings")
    assert person.state() == "connected"
    page.goto(f"{running.url}/disconnect")
    expect(cancel).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{running.url}/settings")
    assert person.state() == "disconnected"


def _press(person: Person, selector: str, key: str = "Enter") -> None:
    """Reach an element by the Tab key, and press it."""
    for _ in range(60):
        person.page.keyboard.press("Tab")
        if person.page.evaluate("meant => document.activeElement.matches(meant)", selector):
            person.page.keyboard.press(key)
            return
    pytest.fail(f"the keyboard does not reach {selector}")


def test_every_act_is_done_by_keyboard_alone(arrive: Arrive, running: Running) -> None:
    person = arrive()
    page = person.settings()
    _press(person, "form[action='/connect'] button")
    page.wait_for_url(f"{running.google}/**")
    _press(person, "button[name=account]")
    page.wait_for_selector("button[value=allow]")
    _press(person, "button[value=allow]")
    page.wait_for_url(f"{running.url}/settings")
    for action, state in (("/pause", "paused"), ("/resume", "connected")):
        _press(person, f"form[action='{action}'] button")
        page.wait_for_selector(f"section.state-{state}")
    _press(person, "a[href='/disconnect']")
    page.wait_for_url(f"{running.url}/disconnect")
    page.wait_for_selector(":focus")  # the page stands on Cancel once it is shown
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    assert page.locator("input[value=yes]").is_checked()
    _press(person, "form[action='/disconnect'] button")
    page.wait_for_selector("section.state-disconnected")
    assert person.says("is deleted")
    _press(person, "form[action='/erase'] button")
    page.wait_for_url("**/receipts/*")
    with page.expect_download():
        _press(person, "a[download]")
    _press(person, "main a[href='/settings']")
    page.wait_for_selector("section.state-not_connected")
