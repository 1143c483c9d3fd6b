"""Whom a token stands for: id tokens, userinfo, tokeninfo, and the addresses at which Google tells it."""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.local_google.app import APP, ONE, App
from tests.local_google.conftest import TestClock
from tests.local_google.facts import fact
from tests.local_google.http_api import FULL
from tests.support.local_google import LocalGoogle, fetch

EVERYTHING = f"openid email profile {FULL}"


def part(token: str, number: int) -> bytes:
    text = token.split(".")[number]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(tokens: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(part(tokens["id_token"], 1))
    return document


def answer_at(google: LocalGoogle, path: str, token: str | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    status, _, text = fetch(google.url + path, None, headers)
    return status, json.loads(text)


@fact("V", "A nonce of the authorization request is in the id token; without one there is none")
def test_a_nonce_comes_back_in_the_id_token(app: App) -> None:
    assert claims(app.connect(scope="openid", nonce="n1"))["nonce"] == "n1"
    assert "nonce" not in claims(app.connect(scope="openid"))


@fact("V", "at_hash is always in an id token of the server flow: half of the access token's SHA-256")
def test_an_id_token_is_bound_to_its_access_token(app: App) -> None:
    tokens = app.connect(scope="openid")
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims(tokens)["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


@fact("V", "The id token has the address only under the scope email, names only under profile")
def test_an_id_token_tells_no_more_than_its_scopes(app: App) -> None:
    bare, whole = claims(app.connect(scope="openid")), claims(app.connect(scope=EVERYTHING))
    assert not {"email", "email_verified", "name"} & set(bare)
    assert (whole["email"], whole["email_verified"], whole["name"]) == (ONE, True, "Agent One")
    assert bare["sub"] == whole["sub"]


@fact("V2", "A refresh under a sign-in scope brings an id token")
def test_a_refresh_brings_an_id_token(app: App) -> None:
    refreshed = app.refresh(app.connect(scope=EVERYTHING, nonce="n1")["refresh_token"])[1]
    assert (claims(refreshed)["email"], "nonce" in claims(refreshed)) == (ONE, False)
    assert "id_token" not in app.refresh(app.connect()["refresh_token"])[1]


@fact("V2", "An id token can be verified by /oauth2/v1/certs, which gives certificates by key id")
def test_an_id_token_can_be_verified_by_a_certificate(app: App, google: LocalGoogle) -> None:
    token = app.connect(scope="openid")["id_token"]
    pem = answer_at(google, "/oauth2/v1/certs")[1][json.loads(part(token, 0))["kid"]]
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(part(token, 2), token.rpartition(".")[0].encode(), padding.PKCS1v15(), hashes.SHA256())


@fact("V", "userinfo gives sub, and email and names under their scopes")
@pytest.mark.parametrize("path", ["/v1/userinfo", "/oauth2/v3/userinfo"])
def test_userinfo_tells_no_more_than_the_scopes(app: App, google: LocalGoogle, path: str) -> None:
    status, bare = answer_at(google, path, app.connect(scope="openid")["access_token"])
    assert (status, list(bare)) == (200, ["sub"])
    whole = answer_at(google, path, app.connect(scope=EVERYTHING)["access_token"])[1]
    assert (whole["email"], whole["email_verified"], whole["given_name"]) == (ONE, True, "Agent")


@fact("V", "The userinfo of v2 says id and verified_email")
@pytest.mark.parametrize("path", ["/oauth2/v2/userinfo", "/oauth2/v1/userinfo"])
def test_the_older_userinfo_has_older_names(app: App, google: LocalGoogle, path: str) -> None:
    document = answer_at(google, path, app.connect(scope=EVERYTHING)["access_token"])[1]
    assert (len(document["id"]), document["verified_email"], document["email"]) == (21, True, ONE)


def test_userinfo_needs_a_good_token_and_a_sign_in_scope(app: App, google: LocalGoogle) -> None:  # [R]
    for path in ("/v1/userinfo", "/oauth2/v2/userinfo"):
        assert answer_at(google, path)[0] == 401
        assert answer_at(google, path, "ya29.unknown")[0] == 401
        assert answer_at(google, path, app.connect()["access_token"])[0] == 401


@fact("V", "tokeninfo names azp, aud, scope, exp, expires_in, access_type; numbers are texts")
def test_tokeninfo_has_its_present_form(app: App, google: LocalGoogle) -> None:
    token = app.connect()["access_token"]
    status, document = answer_at(google, f"/tokeninfo?access_token={token}")
    assert (status, list(document)) == (200, ["azp", "aud", "scope", "exp", "expires_in", "access_type"])
    assert (document["azp"], document["aud"], document["scope"]) == (APP.client_id, APP.client_id, FULL)
    assert 3590 <= int(document["expires_in"]) <= 3599
    assert {type(value) for value in document.values()} == {str}
    online = app.connect(access_type="online")["access_token"]
    assert answer_at(google, f"/tokeninfo?access_token={online}")[1]["access_type"] == "online"


@fact(
    "V", "tokeninfo takes a POST with the token in an Authorization header, as google-auth-library sends it"
)
def test_tokeninfo_takes_a_bearer_header(app: App, google: LocalGoogle) -> None:
    header = {"Authorization": "Bearer " + app.connect(scope=EVERYTHING)["access_token"]}
    status, _, text = fetch(f"{google.url}/tokeninfo", {}, header)
    document = json.loads(text)
    assert (status, document["email"], document["email_verified"]) == (200, ONE, "true")
    assert len(document["sub"]) == 21


@fact("V2", "tokeninfo takes an id token, and tells its claims as texts")
def test_tokeninfo_tells_of_id_tokens(app: App, google: LocalGoogle, clock: TestClock) -> None:
    token = app.connect(scope=EVERYTHING)["id_token"]
    status, document = answer_at(google, f"/tokeninfo?id_token={token}")
    assert (status, document["email"], document["alg"], document["aud"]) == (200, ONE, "RS256", APP.client_id)
    assert document["exp"].isdigit()
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    for bad in ("nonsense", "a.b.c", forged):
        assert answer_at(google, f"/tokeninfo?id_token={bad}")[1]["error"] == "invalid_token"
    clock.advance(3601)
    assert answer_at(google, f"/tokeninfo?id_token={token}")[0] == 400


@fact("V2", "The older tokeninfo says issued_to, audience and a number of seconds")
@pytest.mark.parametrize("path", ["/oauth2/v1/tokeninfo", "/oauth2/v2/tokeninfo"])
def test_the_older_tokeninfo_has_its_own_form(app: App, google: LocalGoogle, path: str) -> None:
    token = app.connect(scope=EVERYTHING)["access_token"]
    document = answer_at(google, f"{path}?access_token={token}")[1]
    assert (document["issued_to"], document["audience"]) == (APP.client_id, APP.client_id)
    assert (document["email"], document["verified_email"], len(document["user_id"])) == (ONE, True, 21)
    assert 3590 <= document["expires_in"] <= 3599
    assert answer_at(google, f"{path}?access_token=ya29.unknown")[1]["error"] == "invalid_token"


@fact("V2", "The older addresses /o/oauth2/token, /oauth2/v4/token and /o/oauth2/revoke still serve")
def test_older_addresses_still_serve(app: App, google: LocalGoogle) -> None:
    tokens = app.connect()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    form |= {"client_id": APP.client_id, "client_secret": APP.client_secret}
    for path in ("/o/oauth2/token", "/oauth2/v4/token"):
        assert fetch(google.url + path, form)[0] == 200
    assert fetch(f"{google.url}/revoke?token={tokens['access_token']}")[0] == 400
    assert fetch(f"{google.url}/o/oauth2/revoke?token={tokens['access_token']}")[0] == 200
    assert app.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"


def test_no_token_of_a_query_is_in_the_journal(app: App, google: LocalGoogle) -> None:
    tokens = app.connect(scope=EVERYTHING)
    for name in ("access_token", "id_token"):
        answer_at(google, f"/tokeninfo?{name}={tokens[name]}")
    journal = json.dumps(google.journal())
    assert tokens["access_token"] not in journal
    assert tokens["id_token"] not in journal


def test_the_flow_for_devices_is_not_here_and_says_so(google: LocalGoogle) -> None:
    address = answer_at(google, "/.well-known/openid-configuration")[1]["device_authorization_endpoint"]
    assert fetch(address, {"client_id": APP.client_id})[0] == 501
