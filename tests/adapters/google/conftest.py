"""The service's Google adapters over the local Google: an account's consent, a token, a calendar."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import CalendarApi
from calendar_service.google.oauth import OAuth, OAuthClient, Tokens, permit_plain_http
from calendar_service.google.transport import GoogleCall, Transport
from local_google.state import clients
from tests.support.local_google import LocalGoogle

REDIRECT = "http://localhost:8080/oauth/callback"
SECRET = "local-secret-of-these-tests"


@pytest.fixture
def calls() -> list[GoogleCall]:
    return []


@pytest.fixture
def transport(calls: list[GoogleCall]) -> Iterator[Transport]:
    transport = Transport(deadline=5, observe=calls.append)
    yield transport
    transport.close()


@pytest.fixture
def hasty(calls: list[GoogleCall]) -> Iterator[Transport]:
    transport = Transport(deadline=0.2, observe=calls.append)
    yield transport
    transport.close()


@pytest.fixture
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "")  # so that it is taken back after the test
    permit_plain_http()


@pytest.fixture(scope="session")
def running_google() -> Iterator[LocalGoogle]:
    ours = clients.RegisteredClient("ours.apps.example", SECRET, "our-project", (REDIRECT,))
    theirs = clients.RegisteredClient("theirs.apps.example", SECRET, "our-project", (REDIRECT,))
    with LocalGoogle.start(clients=[ours, theirs]) as google:
        yield google


@pytest.fixture
def google(running_google: LocalGoogle) -> Iterator[LocalGoogle]:
    running_google.reset()
    yield running_google
    running_google.clear_faults()


@pytest.fixture
def client(google: LocalGoogle) -> OAuthClient:
    return OAuthClient(
        client_id="ours.apps.example",
        secret_source=lambda: Secret(SECRET),
        redirect_uri=REDIRECT,
        auth_uri=google.auth_uri,
        token_uri=google.token_uri,
        revoke_uri=google.revoke_uri,
    )


@pytest.fixture
def oauth(client: OAuthClient, transport: Transport, plain_http: None) -> OAuth:
    return OAuth(client, transport)


def callback(google: LocalGoogle, oauth: OAuth, verifier: Secret, account: str) -> dict[str, list[str]]:
    """Consent as a person; return the callback's address."""
    url = google.consent(oauth.consent_url(state="state-1", verifier=verifier), account)
    return parse_qs(urlsplit(url).query)


def connect(google: LocalGoogle, oauth: OAuth, account: str = "agent-one@example.com") -> Tokens:
    """Consent, exchange the code, and return the tokens."""
    verifier = oauth.new_verifier()
    code = callback(google, oauth, verifier, account)["code"][0]
    return oauth.exchange(code=Secret(code), verifier=verifier)


@pytest.fixture
def token(google: LocalGoogle, oauth: OAuth) -> Secret:
    return connect(google, oauth).access_token


@pytest.fixture
def calendar(google: LocalGoogle, transport: Transport) -> CalendarApi:
    return CalendarApi(transport, google.api_endpoint)


@pytest.fixture
def calendar_id(calendar: CalendarApi, token: Secret) -> str:
    return calendar.create(token, summary="Sessions", description="[marker-1]", time_zone="America/Santiago")
