"""The pages for people over plain HTTP; `test_browser.py` and tests/pages check them in Chromium."""

import re
from html import unescape
from pathlib import Path

import pytest

from local_google.discovery import scope_texts
from local_google.oauth.scope_words import SPANISH as SCOPES_IN_SPANISH
from local_google.oauth.scopes import SIGN_IN
from local_google.people.week_words import DASH
from local_google.rendering.texts import TEXTS
from tests.local_google.app import APP, ONE, TWO, App
from tests.local_google.http_api import GoogleApi
from tests.support.local_google import LocalGoogle, fetch

TEMPLATES = Path(__file__).resolve().parents[2] / "local_google" / "templates"
SPANISH = {"Accept-Language": "es-CL,es;q=0.9"}


@pytest.mark.parametrize("path", ["/", "/calendar", "/permissions", "/no-such-page"])
def test_every_page_says_that_it_is_not_google(google: LocalGoogle, path: str) -> None:
    assert "This is not Google." in fetch(google.url + path)[2]
    assert "Esto no es Google." in fetch(google.url + path, None, SPANISH)[2]


def test_the_language_follows_address_cookie_and_browser(google: LocalGoogle) -> None:
    _, headers, text = fetch(f"{google.url}/?hl=es", None, {"Accept-Language": "en"})
    assert '<html lang="es">' in text
    assert headers["Set-Cookie"].startswith("local_google_lang=es;")
    _, _, text = fetch(f"{google.url}/", None, {"Cookie": "local_google_lang=es"})
    assert '<html lang="es">' in text
    assert '<html lang="en">' in fetch(f"{google.url}/?hl=xx")[2]


def test_every_text_is_there_in_both_languages_and_used() -> None:
    assert set(TEXTS["en"]) == set(TEXTS["es"])
    pages = "".join(file.read_text("utf-8") for file in TEMPLATES.glob("*.html"))
    plain = [name for name in TEXTS["en"] if not name.startswith(("error_", "problem_"))]
    assert [name for name in plain if f"t.{name}" not in pages] == []


def test_the_consent_has_buttons_in_both_languages(app: App) -> None:
    english = fetch(app.url(login_hint=ONE))[2]
    spanish = fetch(app.url(login_hint=ONE, hl="es"))[2]
    assert re.findall(r'value="(?:cancel|allow)"[^>]*>(\w+)<', english) == ["Cancel", "Allow"]
    assert re.findall(r'value="(?:cancel|allow)"[^>]*>(\w+)<', spanish) == ["Cancelar", "Permitir"]


def test_every_permission_is_asked_for_in_the_readers_language(app: App) -> None:
    assert set(SCOPES_IN_SPANISH) == {*SIGN_IN, *scope_texts()}
    spanish = unescape(fetch(app.url(login_hint=ONE, hl="es"))[2])
    assert SCOPES_IN_SPANISH["https://www.googleapis.com/auth/calendar"] in spanish
    assert "See, edit, share" not in spanish


def test_languages_are_links_that_keep_the_request(app: App) -> None:
    text = fetch(app.url())[2]
    links = re.findall(r'<a href="([^"]+)" lang="(\w\w)"', text)
    assert [lang for _, lang in links] == ["en", "es"]
    assert all("client_id=" in link and "state=s1" in link for link, _ in links)


def test_accounts_are_submit_buttons_of_the_first_form(app: App) -> None:
    form = re.findall(r"<form.*?</form>", fetch(app.url())[2], re.DOTALL)[0]
    assert re.findall(r'<button type="submit" name="account" value="[^"]+">.*?<span>([^<]+)<', form) == [
        ONE,
        TWO,
    ]


def test_no_page_needs_a_script_or_loads_from_elsewhere(google: LocalGoogle, app: App) -> None:
    for url in (f"{google.url}/", f"{google.url}/calendar", f"{google.url}/permissions", app.url()):
        _, headers, text = fetch(url)
        assert "<script" not in text
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "form-action 'self'" in headers["Content-Security-Policy"]


def test_consent_may_lead_to_the_app_and_nowhere_else(app: App) -> None:
    policy = fetch(app.url())[1]["Content-Security-Policy"]
    assert "form-action 'self' http://localhost:9;" in policy


def test_no_cookie_is_called_session(google: LocalGoogle, app: App) -> None:
    for url in (f"{google.url}/?hl=es", f"{google.url}/calendar", app.url(login_hint=ONE)):
        for cookie in fetch(url)[1].get_all("Set-Cookie") or []:
            assert cookie.startswith("local_google_")
            assert "HttpOnly" in cookie


def test_text_of_events_is_shown_as_text(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    api.insert(calendar, {"summary": "<script>alert(1)</script>", "description": "<b>x</b>"})
    text = fetch(f"{google.url}/calendar?account={ONE}&week=2030-05-06")[2]
    assert "&lt;script&gt;alert(1)" in text
    assert "<b>x</b>" not in text


def test_the_week_shows_its_events_and_no_others(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    api.insert(calendar, {"id": "abcdef", "summary": "Call with Rosa"})
    assert "Call with Rosa" in fetch(f"{google.url}/calendar?account={ONE}&week=2030-05-08")[2]
    assert "Call with Rosa" not in fetch(f"{google.url}/calendar?account={ONE}&week=2030-05-13")[2]
    assert "Call with Rosa" not in fetch(f"{google.url}/calendar?account={TWO}&week=2030-05-08")[2]
    api.delete(calendar, "abcdef")
    text = fetch(f"{google.url}/calendar?account={ONE}&week=2030-05-06")[2]
    assert 'value="restore"' in text
    assert re.search(r"\b\d May 2030, \d\d:\d\d: Call with Rosa", text)


def test_the_link_of_an_event_leads_to_its_week(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    link = api.insert(calendar).document["htmlLink"]
    status, headers, _ = fetch(link)
    assert status == 303
    assert "week=2030-05-06" in headers["Location"]


@pytest.mark.parametrize(
    ("monday", "english", "spanish"),
    [
        ("2030-05-06", "6-12 May 2030", "6-12 de mayo de 2030"),
        ("2030-04-29", "29 April - 5 May 2030", "29 de abril - 5 de mayo de 2030"),
        ("2030-12-30", "30 December 2030 - 5 January 2031", "30 de diciembre de 2030 - 5 de enero de 2031"),
    ],
)
def test_a_week_is_named_by_its_days(google: LocalGoogle, monday: str, english: str, spanish: str) -> None:
    for headers, name in (({}, english), (SPANISH, spanish)):
        page = fetch(f"{google.url}/calendar?week={monday}", None, headers)[2]
        assert f"<h1>{name}</h1>" in page.replace(DASH, "-")


def test_today_is_marked_in_its_week_only(google: LocalGoogle) -> None:
    assert fetch(f"{google.url}/calendar")[2].count('aria-current="date"') == 1
    assert 'aria-current="date"' not in fetch(f"{google.url}/calendar?week=1999-05-03")[2]


def test_chooser_and_consent_show_the_apps_name_with_its_mark(app: App) -> None:
    for url in (app.url(), app.url(login_hint=ONE)):
        card = re.findall(r'<header class="app">.*?</header>', fetch(url)[2], re.DOTALL)[0]
        assert re.search(r'<span class="initial tint\d large" aria-hidden="true">S</span>', card)
        assert APP.name in card


@pytest.mark.parametrize("week", ["nonsense", "0001-01-01", "9999-12-31", "2030-02-31"])
def test_an_odd_week_is_no_error(google: LocalGoogle, week: str) -> None:
    assert fetch(f"{google.url}/calendar?week={week}")[0] == 200


def test_another_sites_forms_are_refused(google: LocalGoogle, app: App) -> None:
    tokens = app.connect()
    form = {"account": ONE, "project": APP.project}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert fetch(f"{google.url}/permissions", form, headers)[0] == 403
        assert fetch(f"{google.url}/_control/reset", {}, headers)[0] == 403
    assert app.refresh(tokens["refresh_token"])[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", "[", ""])
def test_the_controls_are_refused_under_a_foreign_name(google: LocalGoogle, host: str) -> None:
    for path in ("state", "journal", "nothing"):
        status, _, text = fetch(f"{google.url}/_control/{path}", headers={"Host": host})
        assert status == 421
        assert "foreign name" in text
    assert fetch(f"{google.url}/_control/state", headers={"Host": "127.0.0.1:1"})[0] == 200


def test_what_the_rules_refuse_is_told(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    api.insert(calendar, {"id": "abcdef"})
    form = {"account": ONE, "calendar": calendar, "event": "abcdef", "act": "move", "back": "/calendar"}
    bad = form | {"start": "2030-05-06T10:00", "end": "2030-05-06T09:00"}
    location = fetch(f"{google.url}/calendar", bad)[1]["Location"]
    assert "time range is empty" in fetch(google.url + location)[2]


def test_a_way_back_to_elsewhere_is_not_taken(google: LocalGoogle) -> None:
    form = {"account": ONE, "act": "delete", "calendar": "x", "event": "y", "back": "https://evil.example/"}
    assert fetch(f"{google.url}/calendar", form)[1]["Location"].startswith("/calendar?")
