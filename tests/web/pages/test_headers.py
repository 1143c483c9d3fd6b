"""The headers of every answer, whatever its status."""

import re
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from calendar_service.web.api.dispatch import is_api
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import PUBLIC_URL, TestService
from tests.web.pages.visitor import Visitor

EVERYWHERE = [
    ("GET", "/", 200),
    ("GET", "/google-user-data", 200),
    ("GET", "/settings", 401),
    ("GET", "/portal/unknown", 410),
    ("GET", "/oauth/callback?refused=expired", 400),
    ("GET", "/console", 200),
    ("GET", "/static/app.css", 200),
    ("GET", "/static/logo", 404),
    ("GET", "/nothing/here", 404),
    ("GET", "/connect", 405),
    ("DELETE", "/", 405),
    ("TRACE", "/", 405),
    ("GET", "/v1/organizations/acme", 401),
    ("GET", "/receipts/unknown", 404),
    ("GET", "/receipts/public-key", 200),
    ("POST", "/connect", 401),
]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def test_every_answer_is_hardened(visitor: Visitor) -> None:
    for method, path, status in EVERYWHERE:
        answer = visitor.client.open(path, method=method, base_url=PUBLIC_URL)
        assert answer.status_code == status, path
        _is_hardened(answer.headers)


def _is_hardened(headers: object) -> None:
    names = dict(headers)  # type: ignore[call-overload]
    policy = dict(part.split(" ", 1) for part in names["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe" not in names["Content-Security-Policy"]
    assert names["X-Content-Type-Options"] == "nosniff"
    assert names["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in names["Permissions-Policy"]
    assert names["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert "Cache-Control" in names


def test_a_fault_of_ours_is_hardened_and_says_nothing_of_itself(app: Flask, service: TestService) -> None:
    def broken() -> None:
        raise RuntimeError("the secret of the service")

    app.add_url_rule("/broken", "broken", broken)
    answer = Visitor(app, service).get("/broken")
    assert answer.status_code == 500
    assert "secret of the service" not in answer.text
    _is_hardened(answer.headers)


def test_pages_with_forms_keep_their_referrer_and_redirects_drop_it(visitor: Visitor) -> None:
    visitor.enter()
    assert visitor.get("/settings").headers["Referrer-Policy"] == "same-origin"
    assert visitor.begin().headers["Referrer-Policy"] == "no-referrer"


def test_forms_may_lead_to_googles_consent_and_nowhere_else(visitor: Visitor, service: TestService) -> None:
    policy = visitor.enter().headers["Content-Security-Policy"]
    google = service.config.google.auth_uri.partition("/o/oauth2")[0]
    assert f"form-action 'self' {google};" in policy


def test_personal_pages_are_kept_by_no_cache(visitor: Visitor) -> None:
    visitor.connect()
    for path in ("/settings", "/disconnect", "/export"):
        assert visitor.get(path).headers["Cache-Control"] == "no-store"


def test_the_style_sheet_is_kept_for_ever_under_its_own_content(visitor: Visitor) -> None:
    page = visitor.get("/")
    address = page.text.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    assert address.startswith("/static/app.css?v=")
    sheet = visitor.get(address)
    assert "immutable" in sheet.headers["Cache-Control"]
    assert sheet.mimetype == "text/css"
    assert "Set-Cookie" not in sheet.headers


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "localhost:8080@evil.example", "localhost:80:80", "::1", ""],
)
def test_another_host_is_not_served(app: Flask, host: str) -> None:
    for path in ("/", "/settings", "/v1/organizations/acme"):
        answer = app.test_client().get(path, headers={"Host": host})
        assert answer.status_code in {400, 421}
        assert "evil" not in answer.text


def test_probes_may_know_this_process_by_its_address_alone(app: Flask) -> None:
    assert app.test_client().get("/healthz", headers={"Host": "10.0.0.7:8080"}).status_code == 200


def test_other_names_of_a_development_machine_lead_to_the_one_that_cookies_know(app: Flask) -> None:
    answer = app.test_client().get("/console?lang=es", base_url="http://127.0.0.1:8080")
    assert (answer.status_code, answer.location) == (307, f"{PUBLIC_URL}/console?lang=es")
    post = app.test_client().post("/connect", base_url="http://127.0.0.1:8080")
    assert post.status_code == 401


def test_addresses_are_never_built_from_what_a_request_claims(visitor: Visitor) -> None:
    visitor.enter()
    claimed = {
        "X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "https", "Forwarded": "host=evil.example",
    }  # fmt: skip
    answer = visitor.begin(**claimed)
    assert "evil" not in answer.location
    assert "redirect_uri=http%3A%2F%2Flocalhost%3A8080%2Foauth%2Fcallback" in answer.location


@pytest.fixture
def on_https(clean_store: str, google_process: LocalGoogle, test_clock: MovableClock) -> Visitor:
    """A service with an https address."""
    service = TestService.of(
        clean_store, google_process, test_clock, CALENDAR_PUBLIC_URL="https://calendar.videsk.io"
    )
    return Visitor(create_app(service.parts), service)


def test_on_https_cookies_are_bound_to_host_and_encryption(on_https: Visitor) -> None:
    answer = on_https.client.get(on_https.ticket(), base_url="https://calendar.videsk.io")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    page = on_https.client.get("/settings", base_url="https://calendar.videsk.io")
    assert page.status_code == 200
    on_https.service.close()


def test_allow_names_the_methods_that_a_path_takes_and_no_other(app: Flask, visitor: Visitor) -> None:
    def status(method: str, path: str) -> int:
        return visitor.client.open(path, method=method, base_url=PUBLIC_URL).status_code

    # The API asks for its key first; test_refusals.py has its methods.
    rules = [rule.rule for rule in app.url_map.iter_rules() if not is_api(rule.rule)]
    paths = {re.sub(r"<[^>]+>", "x", path) for path in rules}
    assert {"/portal/x", "/oauth/callback", "/reviewer/x", "/connect"} < paths
    for path in sorted(paths):
        answer = visitor.client.open(path, method="TRACE", base_url=PUBLIC_URL)
        allowed = set(answer.headers["Allow"].split(", "))
        assert allowed == {method for method in METHODS if status(method, path) != 405}, path


@pytest.mark.parametrize("path", ["/portal/x", "/oauth/callback", "/reviewer/x"])
def test_what_a_get_uses_up_is_not_looked_at_by_head(visitor: Visitor, path: str) -> None:
    for method in ("HEAD", "POST", "TRACE"):
        answer = visitor.client.open(path, method=method, base_url=PUBLIC_URL)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_hosts_below_ours_are_bound_to_https_only_where_the_profile_says_so(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock, tmp_path: Path
) -> None:
    profile = tmp_path / "profile.toml"
    profile.write_text('extends = "videsk"\nhttps_subdomains = true\n', "utf-8")
    address = {"CALENDAR_PUBLIC_URL": "https://calendar.videsk.io", "CALENDAR_OPERATOR": str(profile)}
    with closing(TestService.of(clean_store, google_process, test_clock, **address)) as service:
        answer = create_app(service.parts).test_client().get("/", base_url="https://calendar.videsk.io")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
