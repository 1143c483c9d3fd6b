"""The token endpoint: codes, verifiers, client authentication, what it answers and refuses."""

import json
from typing import Any

import pytest

from tests.local_google.app import APP, OTHER_APP, VERIFIER, App, challenge
from tests.local_google.conftest import TestClock
from tests.local_google.facts import fact
from tests.local_google.http_api import FULL
from tests.support.local_google import LocalGoogle, fetch


def posted_json(google: LocalGoogle, text: str) -> tuple[int, Any]:
    status, _, answer = fetch(google.token_uri, text.encode(), {"Content-Type": "application/json"})
    return status, json.loads(answer)


def refused(reply: tuple[int, dict[str, str]]) -> tuple[int, str, str]:
    status, document = reply
    return status, document["error"], document["error_description"]


@fact("V", "The answer holds access_token, expires_in 3599, refresh_token, scope, token_type Bearer")
def test_a_code_becomes_tokens(app: App) -> None:
    status, tokens = app.exchange(app.code())
    assert status == 200
    assert list(tokens) == ["access_token", "expires_in", "refresh_token", "scope", "token_type"]
    assert (tokens["expires_in"], tokens["token_type"], tokens["scope"]) == (3599, "Bearer", FULL)


@fact("P", "Flow authenticates with an Authorization: Basic header, Credentials in the body; both are taken")
def test_both_ways_of_client_authentication_are_taken(app: App) -> None:
    fields = {"grant_type": "authorization_code", "redirect_uri": APP.redirect_uris[0]}
    assert app.token(basic=True, code=app.code(), **fields)[0] == 200
    assert app.token(basic=False, code=app.code(), **fields)[0] == 200


@fact("V2", "A bad code: 400 invalid_grant, Malformed auth code.")
def test_a_malformed_code_is_refused(app: App) -> None:
    assert refused(app.exchange("4/0Anonsense")) == (400, "invalid_grant", "Malformed auth code.")


@fact("V2", "A used or expired code: 400 invalid_grant, Bad Request")
def test_a_code_serves_once_and_not_for_long(app: App, clock: TestClock) -> None:
    code = app.code()
    app.exchange(code)
    assert refused(app.exchange(code)) == (400, "invalid_grant", "Bad Request")
    late = app.code()
    clock.advance(601)
    assert refused(app.exchange(late)) == (400, "invalid_grant", "Bad Request")


@fact("V2", "A challenge without a verifier: 400 invalid_grant, Missing code verifier.")
def test_a_missing_verifier_is_refused(app: App) -> None:
    assert refused(app.exchange(app.code(**challenge()))) == (400, "invalid_grant", "Missing code verifier.")


@fact("V2", "A verifier without a challenge: 400 invalid_grant, code_verifier or verifier is not needed")
def test_an_unneeded_verifier_is_refused(app: App) -> None:
    reply = app.exchange(app.code(), code_verifier=VERIFIER)
    assert refused(reply) == (400, "invalid_grant", "code_verifier or verifier is not needed")


@fact("V", "PKCE takes S256 and plain, plain being the default")
def test_the_right_verifier_opens_and_a_wrong_one_does_not(app: App) -> None:
    assert app.exchange(app.code(**challenge()), code_verifier=VERIFIER)[0] == 200
    assert app.exchange(app.code(**challenge()), code_verifier="w" * 43)[0] == 400
    assert app.exchange(app.code(code_challenge=VERIFIER), code_verifier=VERIFIER)[0] == 200


@fact("V2", "Web clients must send their secret even with PKCE: client_secret is missing.")
def test_the_secret_is_demanded_with_pkce_too(app: App) -> None:
    reply = app.exchange(app.code(**challenge()), code_verifier=VERIFIER, client_secret=None)
    assert refused(reply) == (400, "invalid_request", "client_secret is missing.")


@fact("V2", "A wrong secret or an unknown client: 401 invalid_client")
@pytest.mark.parametrize("wrong", [{"client_secret": "no"}, {"client_id": "nobody.apps.test"}])
def test_wrong_client_credentials_are_refused_and_spend_no_code(app: App, wrong: dict[str, str]) -> None:
    code = app.code()
    status, document = app.exchange(code, **wrong)
    assert (status, document["error"]) == (401, "invalid_client")
    assert app.exchange(code)[0] == 200


@fact("V2", "A removed client: 401 deleted_client")
def test_a_deleted_client_is_refused(app: App, google: LocalGoogle) -> None:
    code = app.code()
    google.switch(deleted_clients=[APP.client_id])
    status, document = app.exchange(code)
    assert (status, document["error"]) == (401, "deleted_client")


@fact("V2", "400 unsupported_grant_type, Invalid grant_type: X; without one the name is empty")
def test_an_unknown_grant_type_is_refused(app: App) -> None:
    reply = app.token(grant_type="password")
    assert refused(reply) == (400, "unsupported_grant_type", "Invalid grant_type: password")
    assert refused(app.token()) == (400, "unsupported_grant_type", "Invalid grant_type: ")


@fact(
    "V2",
    "The token endpoint reads JSON too; broken JSON: 400 INVALID_ARGUMENT, Invalid JSON payload received",
)
def test_the_token_endpoint_reads_json(app: App, google: LocalGoogle) -> None:
    fields = {"grant_type": "refresh_token", "refresh_token": app.connect()["refresh_token"]}
    fields |= {"client_id": APP.client_id, "client_secret": APP.client_secret}
    assert posted_json(google, json.dumps(fields))[0] == 200
    for broken in ("{", "[]", '{"grant_type": {}}'):
        status, document = posted_json(google, broken)
        assert (status, document["error"]["status"]) == (400, "INVALID_ARGUMENT")
        assert document["error"]["message"].startswith("Invalid JSON payload received")


@fact("V2", "400 invalid_request, Missing required parameter: refresh_token")
def test_a_missing_refresh_token_is_named(app: App) -> None:
    reply = app.token(grant_type="refresh_token")
    assert refused(reply) == (400, "invalid_request", "Missing required parameter: refresh_token")


def test_another_redirect_uri_than_asked_is_refused(app: App) -> None:  # [R] status and name
    status, document = app.exchange(app.code(), redirect_uri="http://localhost:9/other")
    assert (status, document["error"]) == (400, "redirect_uri_mismatch")


@fact("V2", "A refresh token presented by another client: 401 unauthorized_client, Unauthorized")
def test_a_refresh_token_of_another_client_is_not_a_dead_grant(app: App, google: LocalGoogle) -> None:
    refresh_token = app.connect()["refresh_token"]
    reply = App(google, OTHER_APP).refresh(refresh_token)
    assert refused(reply) == (401, "unauthorized_client", "Unauthorized")
    assert app.refresh(refresh_token)[0] == 200


def test_a_code_of_another_client_is_worth_nothing(app: App, google: LocalGoogle) -> None:
    code = app.code()
    assert App(google, OTHER_APP).exchange(code)[0] == 400


@fact("V", "refresh_token comes only with access_type=offline")
def test_online_access_has_no_refresh_token(app: App) -> None:
    assert "refresh_token" not in app.connect(access_type="online")
    assert "refresh_token" not in app.connect(access_type=None)


@fact(
    "V",
    "A refresh token comes with the first consent only; afterwards with prompt=consent or after a revocation",
)
def test_a_refresh_token_comes_with_the_first_consent_only(app: App) -> None:
    first = app.connect(prompt=None)
    assert "refresh_token" in first
    assert "refresh_token" not in app.connect(prompt=None)
    assert "refresh_token" in app.connect(prompt="consent")
    app.revoke(first["access_token"])
    assert "refresh_token" in app.connect(prompt=None)


@fact("V2", "prompt=select_account alone gives no refresh token, select_account consent always does")
def test_select_account_alone_gives_no_refresh_token(app: App) -> None:
    app.connect()
    assert "refresh_token" not in app.connect(prompt="select_account")
    assert "refresh_token" in app.connect(prompt="select_account consent")


@fact("V", "Refreshing gives access_token, expires_in, scope, token_type and no new refresh token")
def test_refreshing_keeps_the_refresh_token(app: App) -> None:
    refresh_token = app.connect()["refresh_token"]
    status, tokens = app.refresh(refresh_token)
    assert status == 200
    assert list(tokens) == ["access_token", "expires_in", "scope", "token_type"]
    assert app.works(tokens["access_token"]) == 200


@fact("V2", "A refresh may ask for the scopes by their short names: email and profile are the same scopes")
def test_a_refresh_takes_short_scope_names(app: App) -> None:
    scope = f"openid email profile {FULL}"
    status, tokens = app.refresh(app.connect(scope=scope)["refresh_token"], scope=scope)
    assert (status, tokens["scope"].split()[1]) == (200, "https://www.googleapis.com/auth/userinfo.email")
    narrow = app.connect(scope=f"openid email {FULL}")["refresh_token"]
    assert app.refresh(narrow, scope="profile")[1]["error"] == "invalid_scope"


@fact("V", "Refreshing early is legal at any moment; older access tokens stay good")
def test_refreshing_early_is_legal(app: App) -> None:
    tokens = app.connect()
    for _ in range(3):
        assert app.refresh(tokens["refresh_token"])[0] == 200
    assert app.works(tokens["access_token"]) == 200


@fact("V2", "Access tokens live for 3599 seconds")
def test_an_access_token_ends_after_an_hour(app: App, clock: TestClock) -> None:
    access_token = app.connect()["access_token"]
    clock.advance(3590)
    assert app.works(access_token) == 200
    clock.advance(3610)
    assert app.works(access_token) == 401


@fact("V", "id_token comes only when a sign-in scope was asked")
def test_an_id_token_comes_only_with_a_sign_in_scope(app: App) -> None:
    assert "id_token" not in app.connect()
    tokens = app.connect(scope=f"openid email {FULL}")
    assert tokens["id_token"].count(".") == 2
    assert "https://www.googleapis.com/auth/userinfo.email" in tokens["scope"]


@fact("V2", "Granted scope names may differ from the asked ones where there are aliases")
def test_short_scope_names_come_back_in_full(app: App) -> None:
    assert app.connect(scope="email")["scope"] == "https://www.googleapis.com/auth/userinfo.email"


@fact("V2", "The token endpoint sometimes answers 502 with an HTML page")
def test_the_token_endpoint_can_answer_with_a_page(app: App, google: LocalGoogle) -> None:
    google.fault("/token", {"html": 502}, times=1)
    status, headers, text = fetch(google.token_uri, {"grant_type": "refresh_token"})
    assert (status, headers["Content-Type"], text[:9]) == (502, "text/html; charset=UTF-8", "<!DOCTYPE")


@pytest.mark.parametrize(
    ("switch", "expected"),
    [
        ("less", "https://www.googleapis.com/auth/calendar.events"),
        ("more", f"{FULL} https://www.googleapis.com/auth/calendar.settings.readonly"),
        ("empty", ""),
        ("absent", None),
    ],
)
def test_the_granted_scope_can_differ(
    app: App, google: LocalGoogle, switch: str, expected: str | None
) -> None:
    google.switch(granted_scope=switch)
    assert app.connect().get("scope") == expected


def test_a_narrower_scope_can_be_enforced_than_is_named(app: App, google: LocalGoogle) -> None:
    google.switch(enforced_scope="https://www.googleapis.com/auth/calendar.settings.readonly")
    tokens = app.connect()
    assert tokens["scope"] == FULL
    assert app.works(tokens["access_token"]) == 403
