"""A reviewer's journey from the link alone, without script, over everything that `run` starts."""

import json
import os
import subprocess

from tests.e2e.browser.conftest import PROGRAM, Arrive, Person, Running


def _command(running: Running, *words: str) -> str:
    variables = {"PATH": os.environ["PATH"], "CALENDAR_DATA_DIR": str(running.data_dir)}
    done = subprocess.run(
        [PROGRAM, *words], env=variables, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def _step(person: Person, name: str) -> None:
    person.page.click(f"nav a[href='/console?step={name}']")


def _send(person: Person, action: str) -> None:
    person.page.click(f"form[action='{action}'] button")


def _settings(person: Person) -> None:
    _send(person, "/console/settings")
    person.page.wait_for_url("**/settings")


def _back(person: Person) -> None:
    person.page.click("header a[href='/console']")
    person.page.wait_for_url("**/console")


def _called(person: Person) -> list[str]:
    return person.page.locator("section[aria-labelledby=calls-title] code").all_inner_texts()


def _state(person: Person) -> str:
    classes = person.page.locator("section[aria-labelledby=agent-title]").get_attribute("class") or ""
    return classes.rpartition("state-")[2]


def _connect(person: Person, account: str) -> None:
    _settings(person)
    person.consent(account)
    _back(person)
    assert _state(person) == "connected"


def _sessions(person: Person) -> None:
    for step, action, method in (
        ("agent", "/console/sessions", "events.insert"),
        ("system", "/console/sessions", "events.insert"),
        ("reschedule", "/console/sessions", "events.patch"),
        ("cancel", "/console/sessions/cancel", "events.delete"),
    ):
        _step(person, step)
        _send(person, action)
        assert _called(person) == [method], step
    shown = person.page.locator("li.session").all_inner_texts()
    assert [each.split("\n") for each in shown] == [["session-1", "in the calendar"]]


def _pause(person: Person) -> None:
    _step(person, "pause")
    _settings(person)
    _send(person, "/pause")
    _back(person)
    _send(person, "/console/sessions")
    assert person.says("session-3 waits for the agent")
    _settings(person)
    _send(person, "/resume")
    _back(person)


def _revoke_at_google(person: Person, account: str) -> None:
    _step(person, "revoke")
    _send(person, "/console/check")
    assert person.says("the permission stands")
    with person.context.expect_page() as opened:
        person.page.click("section.guide a[target=_blank]")
    google = opened.value
    google.click(f"a:has-text('{account}'), button:has-text('{account}')")
    google.click("button[popovertarget]:has-text('Remove')")
    google.click("form button:has-text('Remove')")
    google.close()
    _send(person, "/console/check")
    assert person.says("Google says that the permission is gone")
    assert _state(person) == "revoked"


def _disconnect(person: Person, *, delete: bool) -> None:
    _settings(person)
    person.page.click("a[href='/disconnect']")
    if delete:
        person.page.check("input[name=delete_calendar][value=yes]")
    _send(person, "/disconnect")
    _back(person)
    assert _state(person) == "disconnected"
    assert "oauth.revoke" in _called(person)
    assert ("calendars.delete" in _called(person)) is delete


def _erase(person: Person) -> bytes:
    """Erase now; return the receipt's file."""
    _settings(person)
    _send(person, "/erase")
    with person.page.expect_download() as download:
        person.page.click("a[download]")
    file = download.value.path().read_bytes()
    _back(person)
    return file


def test_a_reviewer_tries_everything_from_the_link_alone(arrive: Arrive, running: Running) -> None:
    link = json.loads(_command(running, "reviewer", "link", "--days", "60", "--json"))
    person = arrive(script=False)
    page, account = person.page, f"{person.agent}@example.com"
    page.goto(link["url"])
    assert page.url == f"{running.url}/console"
    page.select_option("#time_zone", "Europe/London")
    _send(person, "/console/begin")
    _connect(person, account)
    assert _called(person)[:3] == ["oauth.exchange", "calendarList.list", "calendars.insert"]
    _sessions(person)
    _pause(person)
    _revoke_at_google(person, account)
    _connect(person, account)
    _step(person, "keep")
    _disconnect(person, delete=False)
    _step(person, "reconnect")
    _erase(person)
    _connect(person, account)
    assert "calendarList.list" in _called(person)
    assert "calendars.insert" not in _called(person)
    _step(person, "delete")
    _disconnect(person, delete=True)
    _step(person, "erase")
    receipt = _erase(person)
    _step(person, "receipt")
    page.set_input_files(
        "#receipt", {"name": "receipt.json", "mimeType": "application/json", "buffer": receipt}
    )
    _send(person, "/console/verify")
    assert person.says("genuine and unchanged, and it is about your test agent")
    _step(person, "stored")
    assert person.says("An open settings page")
    assert len(_called(person)) > 20
    assert _command(running, "reviewer", "end", link["organization"]).startswith("Ended")
    page.goto(link["url"])
    assert person.says("This link no longer opens")
