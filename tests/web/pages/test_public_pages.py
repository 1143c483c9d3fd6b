"""The public pages: home page and promise (ID-1, LU-0, ST-3)."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from calendar_service.config.config import API_ENDPOINT, TOKEN_URI
from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS
from calendar_service.domain.operator import CLAUSES
from calendar_service.domain.scope import NARROWER_COMBINATIONS
from calendar_service.operators import load
from calendar_service.web.app import create_app
from tests.support.evidence import shows
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("path", ["/", "/google-user-data"])
def test_both_languages_have_a_stable_address(visitor: Visitor, path: str, language: str) -> None:
    page = visitor.get(f"{path}?lang={language}")
    assert f'<html lang="{language}">' in page.text
    assert f'hreflang="{language}" href="http://localhost:8080{path}?lang={language}"' in page.text
    assert f'rel="canonical" href="http://localhost:8080{path}?lang={language}"' in page.text
    assert f'hreflang="x-default" href="http://localhost:8080{path}"' in page.text


@pytest.mark.parametrize("language", ["en", "es"])
def test_home_says_who_what_for_and_why(visitor: Visitor, service: TestService, language: str) -> None:
    page = visitor.get(f"/?lang={language}")
    operator = service.parts.operator
    text = words(page)
    for fact in ("Videsk", "Videsk SpA", "Santiago", "Chile", "videsk.io", operator.limited_use.sentence):
        assert fact in text
    assert operator.limited_use.link in page.text
    assert "https://www.googleapis.com/auth/calendar" in text
    assert text.count("Google LLC") == 1
    assert "login" not in text.lower()


@pytest.mark.parametrize("path", ["/", "/google-user-data"])
def test_a_page_is_english_unless_the_browser_asks_for_spanish(visitor: Visitor, path: str) -> None:
    for wanted, language in (("es-CL, en;q=0.5", "es"), ("fr, de", "en"), ("", "en")):
        assert f'<html lang="{language}">' in visitor.get(path, Accept_Language=wanted).text


@shows("LU-0")
def test_the_statement_that_google_asks_for_is_short_and_linked(
    visitor: Visitor, service: TestService
) -> None:
    stated = service.parts.operator.limited_use
    assert len(stated.sentence) < 500
    for path in ("/", "/google-user-data"):
        page = visitor.get(path)
        assert stated.sentence in words(page)
        assert f'href="{stated.link}"' in page.text


def test_the_policy_stands_at_its_address_in_both_languages(service: TestService, tmp_path: Path) -> None:
    addresses = {code: f"https://videsk.io/{code}/privacy" for code in ("en", "es")}
    policy = ", ".join(f'{code} = "{address}"' for code, address in addresses.items())
    visitor = _with_profile(service, tmp_path, f"[policy]\nurl = {{ {policy} }}\n")
    for path in ("/", "/google-user-data"):
        page = visitor.get(path)
        assert all(f'href="{address}"' in page.text for address in addresses.values())


def _with_profile(service: TestService, folder: Path, overlay: str) -> Visitor:
    profile = folder / "operator.toml"
    profile.write_text(f'extends = "videsk"\n{overlay}', "utf-8")
    config = replace(service.config, operator=load(str(profile)))
    return Visitor(create_app(replace(service.parts, config=config)), service)


@shows("CO-1")
def test_facts_that_the_operator_has_not_given_are_marked_and_not_invented(visitor: Visitor) -> None:
    text = words(visitor.get("/"))
    assert "Privacy policy (English): not set by the operator yet" in text
    assert "Privacy policy (Español): not set by the operator yet" in text
    assert "4 facts to set" in text
    assert "facts to set" in words(visitor.get("/transparency"))
    assert "Questions about Google data: not set by the operator yet" in text


def test_the_data_page_has_every_clause_and_everything_that_is_kept(
    visitor: Visitor, service: TestService
) -> None:
    page = visitor.get("/google-user-data")
    text = words(page)
    for clause in CLAUSES:
        assert f'id="{clause}"' in page.text
        assert service.parts.operator.clauses[clause].text["en"] in text
    for item in INVENTORY:
        assert all(words in text for words in (item.what, item.why, item.end)), item.what
    for method in METHODS.values():
        assert f"{method.name.removeprefix('calendar.')} {method.feature} {method.clause}" in text
    assert service.parts.audit.public_keys[0] in text


def test_what_is_kept_stands_in_groups_that_the_contents_name_keys_first(visitor: Visitor) -> None:
    page = visitor.get("/google-user-data").text
    contents, _, rest = page.partition('class="contents"')[2].partition("</nav>")
    groups = re.findall(r'<details class="items" id="kept-(\w+)"( open)?>(.*?)</details>', rest, re.S)
    assert [(name, bool(is_open)) for name, is_open, _ in groups] == [
        ("google", True), ("agent", False), ("bookkeeping", False),
    ]  # fmt: skip
    assert [name for name, _, _ in groups] == re.findall(r'href="#kept-(\w+)"', contents)
    assert [text.count("<dt>") for _, _, text in groups] == [
        sum(item.group == name for item in INVENTORY) for name, _, _ in groups
    ]
    assert "The keys that Google gave us" in groups[0][2].partition("</dt>")[0]


def test_home_begins_with_a_picture_and_three_steps(visitor: Visitor) -> None:
    page = visitor.get("/").text
    steps = page.partition('<ol class="steps">')[2].partition("</ol>")[0]
    assert re.findall(r"<h2>(.*?)</h2>", steps) == ["Connect", "Work as before", "Stop at any time"]
    assert page.index('<svg class="week"') < page.index('<ol class="steps">') < page.index("Who can use it")


def test_home_has_no_way_back_for_somebody_who_was_never_there(service: TestService, tmp_path: Path) -> None:
    visitor = _with_profile(service, tmp_path, 'console_url = "https://console.example.com/"\n')
    assert "Back to the console" not in words(visitor.get("/"))
    assert "Back to the console" in words(visitor.get("/google-user-data"))


def test_an_address_in_a_promise_can_be_followed(visitor: Visitor) -> None:
    page = visitor.get("/google-user-data").text.partition('id="promise"')[2].partition('id="why"')[0]
    assert 'href="https://myaccount.google.com/permissions"' in page


@shows("SC-6")
def test_the_data_page_says_why_not_a_narrower_permission_and_what_speaks_for_it(visitor: Visitor) -> None:
    text = words(visitor.get("/google-user-data"))
    assert "would do, as far as we could try without Google" in text
    for combination in NARROWER_COMBINATIONS:
        assert all(scope in text for scope in combination)
    assert "the smallest single one" in text


@shows("LU-2", "LU-3", "CO-1", "CH-1")
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_data_page_is_a_summary_that_leaves_no_case_out(
    service: TestService, tmp_path: Path, language: str
) -> None:
    visitor = _with_profile(
        service,
        tmp_path,
        '[identity]\ncontact = "data@videsk.io"\n[policy]\ndate = "2024-09-07"\n'
        'url = { en = "https://videsk.io/privacy", es = "https://videsk.io/privacidad" }\n',
    )
    page = visitor.get(f"/google-user-data?lang={language}")
    summary = {
        "en": "This is a summary; the policy binds.",
        "es": "Esto es un resumen; lo que obliga es la política.",
    }
    assert summary[language] in words(page)
    clauses = dict(re.findall(r'<div id="([A-Z]+-[0-9])">(.*?)</dd>', page.text, re.S))
    assert {name: clauses[name].count("<li>") for name in ("LU-2", "LU-3")} == {"LU-2": 4, "LU-3": 4}
    assert all("mailto:data@videsk.io" in clauses[name] for name in ("CO-1", "CH-1"))
    assert {"en": "7 September 2024", "es": "7 de septiembre de 2024"}[language] in words(page)


@shows("ST-2")
def test_a_run_without_tls_says_so_beside_the_clause(visitor: Visitor, service: TestService) -> None:
    assert "speaks to a local Google, without TLS" in words(visitor.get("/google-user-data"))
    google = replace(service.config.google, token_uri=TOKEN_URI, api_endpoint=API_ENDPOINT)
    with_tls = Visitor(
        create_app(replace(service.parts, config=replace(service.config, google=google))), service
    )
    assert "without TLS" not in words(with_tls.get("/google-user-data"))


@shows("ST-5", "LU-6")
@pytest.mark.parametrize("path", ["/", "/google-user-data"])
def test_what_outlasts_the_erasure_is_named_where_the_erasure_is_promised(
    visitor: Visitor, path: str
) -> None:
    text = words(visitor.get(path))
    assert "400 days" in text
    assert "audit entries" in text.lower()
    assert not re.search(r"nothing is left|all of it is erased|leads to nobody", text, re.I)


@shows("LU-2", "PR-1")
@pytest.mark.parametrize("path", ["/", "/google-user-data"])
def test_the_receiver_is_named_with_what_it_learns(visitor: Visitor, path: str) -> None:
    text = words(visitor.get(path))
    for word in ("organization's console", "identifiers", "moved or deleted in Google", "at what time"):
        assert word in text


def test_pages_are_light(visitor: Visitor) -> None:
    sheet = len(visitor.get("/static/app.css").data)
    for path in ("/", "/google-user-data", "/console"):
        page = visitor.get(path)
        assert len(page.data) + sheet < 60_000
        assert page.text.count('<link rel="stylesheet"') == 1
