"""The authorization request, the screens, and the callback."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.local_google.app import APP, DESKTOP_APP, ONE, TWO, App
from tests.local_google.facts import fact
from tests.local_google.http_api import FULL
from tests.support.local_google import ConsentRefusedError, LocalGoogle, fetch

READ = "https://www.googleapis.com/auth/calendar.readonly"
SETTINGS = "https://www.googleapis.com/auth/calendar.settings.readonly"


def shown(app: App, **parameters: str | None) -> tuple[int, str]:
    status, _, text = fetch(app.url(**parameters))
    return status, text


@fact(
    "V",
    "redirect_uri must match a registered one exactly; else a page redirect_uri_mismatch, never a redirect",
)
@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:9/cb/",
        "http://localhost:9/CB",
        "https://localhost:9/cb",
        "urn:ietf:wg:oauth:2.0:oob",
    ],
)
def test_a_redirect_uri_has_to_match_exactly(app: App, uri: str) -> None:
    status, text = shown(app, redirect_uri=uri)
    assert status == 400
    assert "Error 400: redirect_uri_mismatch" in text


@fact("V", "client_id, redirect_uri, response_type=code and scope are required: invalid_request")
@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_type", "scope"])
def test_a_missing_parameter_is_an_invalid_request(app: App, name: str) -> None:
    status, text = shown(app, **{name: None})
    assert status == 400
    assert "invalid_request" in text


@fact("V2", "An unknown scope name gives the page invalid_scope, HTTP 400")
def test_an_unknown_scope_is_shown_as_a_page(app: App) -> None:
    status, text = shown(app, scope=f"{FULL} https://www.googleapis.com/auth/nothing")
    assert (status, "invalid_scope" in text) == (400, True)


@fact("V", "An unknown client gives invalid_client, a removed one deleted_client, as pages")
def test_unknown_and_deleted_clients_are_shown_as_pages(app: App, google: LocalGoogle) -> None:
    assert "invalid_client" in shown(app, client_id="nobody.apps.test")[1]
    google.switch(deleted_clients=[APP.client_id])
    assert "deleted_client" in shown(app)[1]


@fact("V", "admin_policy_enforced: an administrator's block is a page that never returns to the app")
def test_an_administrators_block_never_returns_to_the_app(app: App, google: LocalGoogle) -> None:
    google.switch(admin_block=True)
    with pytest.raises(ConsentRefusedError, match="admin_policy_enforced"):
        app.callback()


@fact("V2", "Both /o/oauth2/v2/auth and the older /o/oauth2/auth work")
def test_the_older_authorization_address_works_too(app: App) -> None:
    status, _, _ = fetch(app.url().replace("/o/oauth2/v2/auth", "/o/oauth2/auth"))
    assert status == 200


@fact("V2", "The callback carries state, iss, code, scope, authuser, prompt in this order")
def test_the_callback_keeps_its_order(app: App) -> None:
    callback = app.callback()
    assert list(callback) == ["state", "iss", "code", "scope", "authuser", "prompt"]
    assert callback["iss"] == "https://accounts.google.com"
    assert (callback["state"], callback["scope"]) == ("s1", FULL)
    assert callback["authuser"] == "0"


@fact("V", "state is returned unchanged")
def test_the_state_comes_back_unchanged(app: App) -> None:
    odd = "a b&c=d/é+%41"
    assert app.callback(state=odd)["state"] == odd
    assert "state" not in app.callback(state=None)


@fact("V2", "iss was rolled out gradually: some callbacks have none")
def test_the_issuer_can_be_absent_wrong_or_doubled(app: App, google: LocalGoogle) -> None:
    google.switch(iss="absent")
    assert list(app.callback())[:2] == ["state", "code"]
    google.switch(iss="https://evil.example")
    assert app.callback()["iss"] == "https://evil.example"
    google.switch(iss="twice")
    query = urlsplit(google.consent(app.url())).query
    assert [name for name, _ in parse_qsl(query)].count("iss") == 2


@fact("V", "Cancel redirects to the app with error=access_denied and the state")
def test_cancel_returns_access_denied(app: App) -> None:
    assert app.callback(allow=False) == {"error": "access_denied", "state": "s1"}


@fact(
    "V2", "Codes look like 4/0A…, access tokens ya29.…, refresh tokens 1//…; at most 256, 2048 and 512 bytes"
)
def test_tokens_have_googles_shapes_and_sizes(app: App) -> None:
    code = app.code()
    _, tokens = app.exchange(code)
    assert code.startswith("4/0A")
    assert len(code) <= 256
    assert tokens["access_token"].startswith("ya29.")
    assert len(tokens["access_token"]) <= 2048
    assert tokens["refresh_token"].startswith("1//")
    assert len(tokens["refresh_token"]) <= 512


@fact("V", "With prompt absent, consent is asked only the first time")
def test_consent_is_asked_only_the_first_time(app: App, google: LocalGoogle) -> None:
    assert app.callback(prompt=None)["prompt"] == "consent"
    status, headers, _ = fetch(app.url(prompt=None, login_hint=ONE))
    assert status == 302
    assert "prompt=none" in headers["Location"]


@fact("V", "prompt=consent asks again, prompt=select_account shows the accounts")
def test_prompts_bring_their_screens_back(app: App) -> None:
    app.connect()
    assert 'value="allow"' in shown(app, prompt="consent", login_hint=ONE)[1]
    text = shown(app, prompt="select_account", login_hint=ONE)[1]
    assert text.index(f"<span>{ONE}</span></button>") < text.index(f"<span>{TWO}</span></button>")


@fact("V", "prompt=none shows nothing: straight back, with a code or an error")
def test_prompt_none_never_shows_a_screen(app: App) -> None:
    _, headers, _ = fetch(app.url(prompt="none", login_hint=ONE))
    assert "error=consent_required" in headers["Location"]
    _, headers, _ = fetch(app.url(prompt="none"))
    assert "error=interaction_required" in headers["Location"]
    app.connect()
    _, headers, _ = fetch(app.url(prompt="none", login_hint=ONE))
    assert "code=" in headers["Location"]
    assert shown(app, prompt="none consent")[0] == 400


@fact("V2", "Exactly one scope that is not for signing in gets a plain allow/cancel screen")
def test_one_scope_has_no_boxes(app: App) -> None:
    _, text = shown(app, login_hint=ONE)
    assert "checkbox" not in text
    assert "permanently delete all the calendars" in text


@fact("V2", "Boxes appear for two scopes, or for a sign-in scope beside another")
@pytest.mark.parametrize("scope", [f"{READ} {SETTINGS}", f"openid {READ}"])
def test_more_scopes_have_boxes(app: App, scope: str) -> None:
    assert "checkbox" in shown(app, login_hint=ONE, scope=scope)[1]


@fact("V", "A person may grant fewer scopes than were asked; the answer's scope says which")
def test_a_box_left_empty_is_not_granted(app: App, google: LocalGoogle) -> None:
    url = google.consent(app.url(scope=f"{READ} {SETTINGS}"), scopes=[READ])
    callback = dict(parse_qsl(urlsplit(url).query))
    assert callback["scope"] == READ
    assert app.exchange(callback["code"])[1]["scope"] == READ


@fact("V", "include_granted_scopes=true makes the new token carry what the project was granted before")
def test_granted_scopes_can_be_included(app: App) -> None:
    app.connect(scope=READ)
    tokens = app.connect(scope=SETTINGS, include_granted_scopes="true")
    assert set(tokens["scope"].split()) == {READ, SETTINGS}
    assert app.connect(scope=SETTINGS)["scope"] == SETTINGS


@fact(
    "V", "The consent text of the calendar scope says: see, edit, share and permanently delete all calendars"
)
def test_the_consent_screen_names_the_app_and_uses_googles_words(app: App) -> None:
    _, text = shown(app, login_hint=ONE)
    assert "Sessions App" in text
    assert "See, edit, share, and permanently delete all the calendars you can access" in text


@fact("V", "disallowed_useragent in an embedded web view, org_internal for another organization's client")
def test_web_views_and_foreign_organizations_are_turned_away(app: App, google: LocalGoogle) -> None:
    view = {"User-Agent": "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36"}
    assert "disallowed_useragent" in fetch(app.url(), None, view)[2]
    google.switch(org_internal=True)
    assert "org_internal" in shown(app)[1]


@fact("V", "Apps that an administrator trusts skip the boxes")
def test_trusted_apps_have_no_boxes(app: App, google: LocalGoogle) -> None:
    google.switch(admin_trusted=True)
    two = f"{READ} {SETTINGS}"
    assert "checkbox" not in shown(app, login_hint=ONE, scope=two)[1]
    assert app.connect(scope=two)["scope"] == two


@fact("V", "login_hint is an address or a sub")
def test_the_hint_may_be_a_subject(app: App) -> None:
    token = app.connect(TWO, scope="openid")["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(token + "=="))
    assert f">{TWO}<" in shown(app, login_hint=claims["sub"])[1]


@fact(
    "V",
    "Discovery names plain and S256, userinfo, what is supported, and announces iss (absent until Feb. 2026)",
)
def test_discovery_announces_pkce_userinfo_and_the_issuer(google: LocalGoogle) -> None:
    def document() -> Any:
        return json.loads(fetch(f"{google.url}/.well-known/openid-configuration")[2])

    assert document()["code_challenge_methods_supported"] == ["plain", "S256"]
    assert document()["userinfo_endpoint"] == f"{google.url}/v1/userinfo"
    assert document()["authorization_response_iss_parameter_supported"] is True
    assert {"scopes_supported", "claims_supported", "grant_types_supported"} < set(document())
    assert "client_secret_basic" in document()["token_endpoint_auth_methods_supported"]
    google.switch(iss="absent")
    assert document()["authorization_response_iss_parameter_supported"] is False


@fact("V", "A Desktop client may be answered at any port and path of the loopback address")
@pytest.mark.parametrize("redirect", ["http://localhost:49321/", "http://127.0.0.1:8", "http://[::1]:80/cb"])
def test_a_desktop_client_may_use_any_loopback_port(google: LocalGoogle, redirect: str) -> None:
    app = App(google, DESKTOP_APP)
    code = app.code(redirect_uri=redirect)
    assert app.exchange(code, redirect_uri=redirect)[0] == 200


@pytest.mark.parametrize(
    "redirect",
    ["https://localhost/", "http://example.org/", "http://localhost:x/", "urn:ietf:wg:oauth:2.0:oob"],
)
def test_a_desktop_client_stays_on_loopback(google: LocalGoogle, redirect: str) -> None:
    assert "redirect_uri_mismatch" in shown(App(google, DESKTOP_APP), redirect_uri=redirect)[1]


@fact("V", "Refresh tokens are always returned for installed apps")
def test_a_desktop_client_always_gets_a_refresh_token(google: LocalGoogle) -> None:
    app, redirect = App(google, DESKTOP_APP), "http://localhost:49321/"
    code = app.code(redirect_uri=redirect, access_type=None)
    assert "refresh_token" in app.exchange(code, redirect_uri=redirect)[1]


@fact("V2", "approval_prompt: force means consent; beside prompt, or with auto, a page of 400")
def test_the_older_approval_prompt(app: App) -> None:
    app.connect()
    assert "refresh_token" in app.connect(prompt=None, approval_prompt="force")
    status, text = shown(app, prompt="consent", approval_prompt="force")
    assert (status, "Conflict params: approval_prompt and prompt" in text) == (400, True)
    assert "&#39;auto&#39; is not valid" in shown(app, prompt=None, approval_prompt="auto")[1]


@fact(
    "V2", "An app over its limit of sign-ins: a page of 403 rate_limit_exceeded that never returns to the app"
)
def test_too_many_sign_ins_are_a_page(app: App, google: LocalGoogle) -> None:
    google.switch(sign_in_rate_limited=True)
    status, text = shown(app)
    assert (status, "rate_limit_exceeded" in text, "limit of sign-ins" in text) == (403, True, True)


def test_an_account_can_be_added_on_the_way(app: App, google: LocalGoogle) -> None:
    callback = app.callback("newcomer@example.com")
    assert callback["authuser"] == "2"
    assert [a["email"] for a in google.state()["accounts"]][2] == "newcomer@example.com"


def test_a_form_of_another_site_is_refused(app: App) -> None:
    form = {"account": ONE, "decision": "allow"}
    status, headers, _ = fetch(app.url(), form, {"Origin": "https://evil.example"})
    assert (status, headers.get("Location")) == (400, None)
