import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from calendar_service.domain.errors import (
    AccessRevoked,
    AdminBlocked,
    ClientRejected,
    ConsentRefused,
    GoogleError,
    GoogleUnavailable,
    RateLimited,
    RequestRefused,
)
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.secret import Secret
from calendar_service.google.oauth import (
    CodeRefused,
    OAuth,
    OAuthClient,
    Tokens,
    check_callback_issuer,
)
from calendar_service.google.token_answers import LONGEST_LIFE
from calendar_service.google.transport import GoogleCall, Transport
from tests.adapters.google.scripted_peer import Act, Peer, answer, hangs, says, says_and_closes

GRANTED = {
    "access_token": "ya29.planted-access",
    "expires_in": 3599,
    "refresh_token": "1//planted-refresh",
    "scope": SCOPE,
    "token_type": "Bearer",
}
Ask = Callable[[OAuth], object]


def exchange(oauth: OAuth) -> Tokens:
    return oauth.exchange(code=Secret("4/0Aplanted-code"), verifier=Secret("v" * 64))


def refresh(oauth: OAuth) -> Tokens:
    return oauth.refresh(Secret("1//planted-refresh"))


def revoke(oauth: OAuth) -> None:
    oauth.revoke(Secret("1//planted-refresh"))


@pytest.fixture(autouse=True)
def in_development(plain_http: None) -> None:
    """These peers speak plain http."""


def client_of(origin: str) -> OAuthClient:
    return OAuthClient(
        client_id="client-1.apps.example",
        secret_source=lambda: Secret("GOCSPX-planted"),
        redirect_uri="http://localhost:8080/oauth/callback",
        auth_uri=f"{origin}/o/oauth2/v2/auth",
        token_uri=f"{origin}/token",
        revoke_uri=f"{origin}/revoke",
    )


def body_of(request: bytes) -> dict[str, list[str]]:
    return parse_qs(request.partition(b"\r\n\r\n")[2].decode())


def says_json(value: object, status: str = "200 OK", **headers: str) -> Act:
    return says(answer(json.dumps(value).encode(), status, **headers))


def error(status: str, code: object, **more: object) -> Act:
    return says_json({"error": code, "error_description": "planted description", **more}, status)


def test_the_consent_url_asks_for_one_scope_offline_with_a_challenge(transport: Transport) -> None:
    oauth = OAuth(client_of("https://accounts.example"), transport)
    verifier = oauth.new_verifier()
    url = urlsplit(oauth.consent_url(state="state-1", verifier=verifier))
    digest = hashlib.sha256(verifier.reveal().encode()).digest()
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://accounts.example/o/oauth2/v2/auth"
    assert parse_qs(url.query) == {
        "response_type": ["code"],
        "client_id": ["client-1.apps.example"],
        "redirect_uri": ["http://localhost:8080/oauth/callback"],
        "scope": ["https://www.googleapis.com/auth/calendar"],
        "state": ["state-1"],
        "access_type": ["offline"],
        "prompt": ["select_account consent"],
        "code_challenge": [base64.urlsafe_b64encode(digest).decode().rstrip("=")],
        "code_challenge_method": ["S256"],
    }


def test_every_verifier_is_new_and_of_the_alphabet(transport: Transport) -> None:
    oauth = OAuth(client_of("https://accounts.example"), transport)
    verifiers = {oauth.new_verifier().reveal() for _ in range(50)}
    assert len(verifiers) == 50
    assert all(re.fullmatch("[A-Za-z0-9._~-]{43,128}", verifier) for verifier in verifiers)


def test_the_real_google_is_the_default() -> None:
    client = OAuthClient("id", Secret("s"), "https://calendar.example/oauth/callback")
    assert {urlsplit(uri).netloc for uri in (client.auth_uri, client.token_uri, client.revoke_uri)} == {
        "accounts.google.com",
        "oauth2.googleapis.com",
    }
    assert client.consent_origin == "https://accounts.google.com"


def test_plain_http_is_refused_unless_the_process_was_told(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT")
    with pytest.raises(ValueError, match="https"):
        OAuth(client_of("http://localhost:8081"), transport)


@pytest.mark.parametrize("values", [[], ["https://accounts.google.com"]])
def test_a_callback_of_our_issuer_or_of_none_named_is_accepted(values: list[str]) -> None:
    check_callback_issuer(values)


@pytest.mark.parametrize(
    "values",
    [["https://evil.example"], ["accounts.google.com"], [""], ["https://accounts.google.com"] * 2],
)
def test_a_callback_of_another_issuer_or_of_several_is_refused(values: list[str]) -> None:
    with pytest.raises(ConsentRefused) as refusal:
        check_callback_issuer(values)
    assert refusal.value.reason == "issuer"


def test_an_exchange_sends_code_and_verifier_once_and_returns_what_was_granted(
    transport: Transport, calls: list[GoogleCall]
) -> None:
    with Peer(says_json(GRANTED)) as peer:
        got = exchange(OAuth(client_of(peer.origin), transport))
        assert len(peer.requests) == 1
    sent = body_of(peer.requests[0])
    assert sent["code"] == ["4/0Aplanted-code"]
    assert sent["code_verifier"] == ["v" * 64]
    assert sent["redirect_uri"] == ["http://localhost:8080/oauth/callback"]
    assert peer.requests[0].startswith(b"POST /token HTTP/1.1\r\n")
    assert got.access_token.reveal() == "ya29.planted-access"
    assert got.refresh_token is not None
    assert got.refresh_token.reveal() == "1//planted-refresh"
    assert (got.expires_in, got.scopes) == (3599, frozenset({SCOPE}))
    assert [(c.method.name, c.method.verb, c.method.path, c.status) for c in calls] == [
        ("oauth.exchange", "POST", "/token", 200)
    ]


def test_a_refresh_keeps_everything_in_the_body(transport: Transport, calls: list[GoogleCall]) -> None:
    fresh = {name: GRANTED[name] for name in ("access_token", "expires_in", "scope", "token_type")}
    with Peer(says_json(fresh)) as peer:
        got = refresh(OAuth(client_of(peer.origin), transport))
    assert body_of(peer.requests[0]) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["1//planted-refresh"],
        "client_id": ["client-1.apps.example"],
        "client_secret": ["GOCSPX-planted"],
    }
    assert got.refresh_token is None
    assert [(c.method.name, c.method.path) for c in calls] == [("oauth.refresh", "/token")]


@pytest.mark.parametrize("ask", [exchange, refresh])
@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ({}, None),
        ({"scope": ""}, frozenset()),
        ({"scope": f"openid {SCOPE}"}, frozenset({"openid", SCOPE})),
        ({"scope": f"{SCOPE} {SCOPE}"}, frozenset({SCOPE})),
    ],
)
def test_the_scopes_are_what_the_answer_names_and_never_stop_the_exchange(
    transport: Transport, ask: Ask, scope: dict[str, str], scopes: frozenset[str] | None
) -> None:
    granted = {name: value for name, value in GRANTED.items() if name != "scope"} | scope
    with Peer(says_json(granted)) as peer:
        got = ask(OAuth(client_of(peer.origin), transport))
    assert isinstance(got, Tokens)
    assert got.scopes == scopes


@pytest.mark.parametrize("ask", [exchange, refresh])
def test_an_access_token_is_never_trusted_for_longer_than_an_hour(transport: Transport, ask: Ask) -> None:
    with Peer(says_json(GRANTED | {"expires_in": 10**12})) as peer:
        got = ask(OAuth(client_of(peer.origin), transport))
    assert isinstance(got, Tokens)
    assert got.expires_in == LONGEST_LIFE


@pytest.mark.parametrize("ask", [exchange, refresh])
@pytest.mark.parametrize(
    "act",
    [
        *(says_json(GRANTED | {"expires_in": value}) for value in (0, -1, "3599", None, 1.5, True, [])),
        says_json({name: value for name, value in GRANTED.items() if name != "expires_in"}),
        says_json({name: value for name, value in GRANTED.items() if name != "access_token"}),
        *(says_json(GRANTED | {"access_token": value}) for value in ("", None, 1, "a b", "a\nb", "x" * 9000)),
        says_json(GRANTED | {"refresh_token": 7}),
        says_json(GRANTED | {"scope": 7}),
        says_json(GRANTED | {"token_type": "mac"}),
        says_json(GRANTED | {"error": "invalid_grant"}),
        says_json(GRANTED | {"expires_at": "1e999"}, "500 Internal Server Error"),
        says_json(GRANTED, Content_Type="text/html"),
        says_json([GRANTED]),
        says_json(GRANTED, "202 Accepted"),
        says_json(GRANTED, "302 Found", Location="http://localhost:1/"),
        says(answer(b"")),
        says(answer(b"\xff\xfe{}")),
        says(answer(b"[" * 200_000)),
        says(answer(b'{"expires_in": ' + b"9" * 5000 + b"}")),
        says(answer(b"<html>Sorry</html>", Content_Type="text/html")),
        says(answer(b"x" * 2_000_000)),
        says_and_closes(answer(json.dumps(GRANTED).encode(), Content_Length="9000")),
        says_and_closes(b""),
    ],
)
def test_what_is_no_proper_grant_proves_nothing_and_is_tried_once(
    transport: Transport, ask: Ask, act: Act
) -> None:
    with Peer(act) as peer:
        with pytest.raises(GoogleUnavailable) as fault:
            ask(OAuth(client_of(peer.origin), transport))
        assert fault.value.ambiguous
        assert len(peer.requests) == 1


PROVES_NOTHING = [
    error("500 Internal Server Error", "internal_failure"),
    error("503 Service Unavailable", "invalid_grant"),
    error("400 Bad Request", "temporarily_unavailable"),
    error("408 Request Timeout", "invalid_grant"),
    error("200 OK", "invalid_grant"),
    says(answer(b"<html>502</html>", "502 Bad Gateway", Content_Type="text/html")),
    says(answer(b"<html>400</html>", "400 Bad Request", Content_Type="text/html")),
    says(answer(b'{"error": "invalid_grant"}', "400 Bad Request", Content_Type="text/plain")),
    says(answer(b"", "400 Bad Request")),
    says(answer(b'"invalid_grant"', "400 Bad Request")),
]


@pytest.mark.parametrize("ask", [exchange, refresh, revoke])
@pytest.mark.parametrize("act", PROVES_NOTHING)
def test_trouble_at_the_endpoint_proves_nothing(transport: Transport, ask: Ask, act: Act) -> None:
    with Peer(act) as peer, pytest.raises(GoogleUnavailable):
        ask(OAuth(client_of(peer.origin), transport))


@pytest.mark.parametrize("ask", [exchange, refresh, revoke])
def test_an_endpoint_that_hangs_proves_nothing(ask: Ask) -> None:
    with Peer(hangs) as peer, pytest.raises(GoogleUnavailable):
        ask(OAuth(client_of(peer.origin), Transport(deadline=0.2)))


@pytest.mark.parametrize("ask", [exchange, refresh, revoke])
@pytest.mark.parametrize(
    ("act", "fact"),
    [
        (error("401 Unauthorized", "invalid_client"), ClientRejected),
        (error("401 Unauthorized", "deleted_client"), ClientRejected),
        (error("403 Forbidden", "unauthorized_client"), ClientRejected),
        (error("400 Bad Request", "admin_policy_enforced"), AdminBlocked),
        (error("400 Bad Request", "invalid_request"), RequestRefused),
        (error("400 Bad Request", "unsupported_grant_type"), RequestRefused),
        (error("400 Bad Request", ["invalid_grant"]), RequestRefused),
        (error("400 Bad Request", {"code": "invalid_grant"}), RequestRefused),
        (error("401 Unauthorized", "invalid_grant"), RequestRefused),
        (says_json({}, "400 Bad Request"), RequestRefused),
        (error("429 Too Many Requests", "rate_limited"), RateLimited),
    ],
)
def test_each_refusal_is_its_own_fact_and_none_is_a_dead_grant(
    transport: Transport, ask: Ask, act: Act, fact: type[GoogleError]
) -> None:
    with Peer(act) as peer, pytest.raises(GoogleError) as refusal:
        ask(OAuth(client_of(peer.origin), transport))
    assert type(refusal.value) is fact
    assert "planted" not in str(refusal.value)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"error_description": "Bad Request"},
        {"error_subtype": "invalid_rapt", "error_description": "reauth related error (invalid_rapt)"},
    ],
)
def test_only_invalid_grant_at_a_refresh_proves_that_the_grant_is_dead(
    transport: Transport, more: dict[str, str]
) -> None:
    with Peer(error("400 Bad Request", "invalid_grant", **more)) as peer, pytest.raises(AccessRevoked):
        refresh(OAuth(client_of(peer.origin), transport))


def test_invalid_grant_at_an_exchange_is_a_bad_code(transport: Transport) -> None:
    with Peer(error("400 Bad Request", "invalid_grant")) as peer, pytest.raises(CodeRefused):
        exchange(OAuth(client_of(peer.origin), transport))


@pytest.mark.parametrize("code", ["", " ", "a b", "a\r\nb", "é", "x" * 5000])
def test_what_cannot_be_a_code_is_never_sent(transport: Transport, code: str) -> None:
    with Peer(says_json(GRANTED)) as peer:
        with pytest.raises(CodeRefused):
            OAuth(client_of(peer.origin), transport).exchange(code=Secret(code), verifier=Secret("v" * 64))
        assert peer.requests == []


def test_an_exchange_uses_our_connection_and_no_other(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Peer(says_json(GRANTED)) as proxy, Peer(says_json(GRANTED)) as peer:
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        oauth = OAuth(client_of(peer.origin), transport)
        refresh(oauth)
        exchange(oauth)
        refresh(oauth)
        assert (peer.connections, len(peer.requests), proxy.requests) == (1, 3, [])


@pytest.mark.parametrize(
    "act",
    [
        says_json({}),
        says(answer(b"")),
        says_json(
            {"error": "invalid_token", "error_description": "Token expired or revoked"}, "400 Bad Request"
        ),
    ],
)
def test_a_revocation_is_done_when_google_says_so_or_knows_no_such_token(
    transport: Transport, act: Act, calls: list[GoogleCall]
) -> None:
    with Peer(act) as peer:
        revoke(OAuth(client_of(peer.origin), transport))
    assert peer.requests[0].startswith(b"POST /revoke HTTP/1.1\r\n")
    assert body_of(peer.requests[0]) == {"token": ["1//planted-refresh"]}
    assert calls[-1].method.name == "oauth.revoke"


@pytest.mark.parametrize(
    "act",
    [
        says(answer(b"<html>Welcome</html>", Content_Type="text/html")),
        says_json({"error": "invalid_token"}),
        says_json({"error": "invalid_token"}, "503 Service Unavailable"),
        says_json({"error": "invalid_request"}, "400 Bad Request"),
        says_json({"error": "invalid_grant"}, "400 Bad Request"),
        says_json({}, "302 Found"),
    ],
)
def test_anything_else_is_no_confirmation_of_a_revocation(transport: Transport, act: Act) -> None:
    with Peer(act) as peer, pytest.raises(GoogleError) as refusal:
        revoke(OAuth(client_of(peer.origin), transport))
    assert not isinstance(refusal.value, AccessRevoked)


def test_no_library_logs_a_code_or_a_token(transport: Transport, caplog: pytest.LogCaptureFixture) -> None:
    with Peer(says_json(GRANTED)) as peer, caplog.at_level(logging.DEBUG):
        oauth = OAuth(client_of(peer.origin), transport)
        exchange(oauth)
        refresh(oauth)
    assert "planted" not in caplog.text
    assert "v" * 64 not in caplog.text


def test_a_token_shows_itself_nowhere(transport: Transport) -> None:
    with Peer(says_json(GRANTED)) as peer:
        client = client_of(peer.origin)
        got = exchange(OAuth(client, transport))
    assert "planted" not in f"{got!r}{got!s}{client!r}"
