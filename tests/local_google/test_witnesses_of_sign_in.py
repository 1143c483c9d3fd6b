"""Public clients that sign people in with Google: Authlib, social-auth-core, and Google's flow for Desktop apps."""

from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import pytest
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from google.auth.transport.requests import Request
from google.oauth2 import id_token
from google_auth_oauthlib.flow import InstalledAppFlow
from joserfc import jwt
from joserfc.jwk import KeySet
from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.storage import AssociationMixin, BaseStorage, NonceMixin
from social_core.strategy import BaseStrategy

from tests.local_google.app import APP, DESKTOP_APP, ONE, VERIFIER
from tests.local_google.http_api import FULL
from tests.support.local_google import LocalGoogle

EVERYTHING = f"openid email profile {FULL}"


@pytest.fixture
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OAUTHLIB_INSECURE_TRANSPORT", "AUTHLIB_INSECURE_TRANSPORT"):
        monkeypatch.setenv(name, "1")


def test_authlib_signs_in_and_refreshes(google: LocalGoogle, plain_http: None) -> None:
    redirect = APP.redirect_uris[0]
    with OAuth2Session(
        APP.client_id,
        APP.client_secret,
        scope=EVERYTHING,
        redirect_uri=redirect,
        code_challenge_method="S256",
    ) as session:
        discovery = session.get(f"{google.url}/.well-known/openid-configuration", withhold_token=True).json()
        more = {"nonce": "n1", "code_verifier": VERIFIER, "access_type": "offline", "prompt": "consent"}
        url, state = session.create_authorization_url(discovery["authorization_endpoint"], **more)
        tokens = session.fetch_token(
            discovery["token_endpoint"],
            authorization_response=google.consent(url),
            state=state,
            code_verifier=VERIFIER,
        )
        keys = KeySet.import_key_set(session.get(discovery["jwks_uri"], withhold_token=True).json())
        signed = jwt.decode(tokens["id_token"], keys)
        parameters = {"nonce": "n1", "client_id": APP.client_id, "access_token": tokens["access_token"]}
        claims = CodeIDToken(
            signed.claims, signed.header, {"iss": {"values": [discovery["issuer"]]}}, parameters
        )
        claims.validate()
        assert claims["email"] == ONE
        assert session.get(discovery["userinfo_endpoint"]).json()["email"] == ONE
        refreshed = session.refresh_token(discovery["token_endpoint"], tokens["refresh_token"])
        assert refreshed["access_token"] != tokens["access_token"]
        assert (
            session.revoke_token(discovery["revocation_endpoint"], refreshed["access_token"]).status_code
            == 200
        )


class Nonces(AssociationMixin):
    """Where social-auth-core keeps its nonces."""

    held: ClassVar[list[Any]] = []

    @classmethod
    def store(cls, server_url: str, association: Any) -> None:
        one = cls()
        one.id, one.server_url, one.handle = len(cls.held), server_url, association.handle
        one.issued, one.lifetime = association.issued, association.lifetime
        one.assoc_type = association.assoc_type
        cls.held.append(one)

    @classmethod
    def get(cls, server_url: str | None = None, handle: str | None = None) -> list[Any]:
        return [one for one in cls.held if (one.server_url, one.handle) == (server_url, handle)]

    @classmethod
    def remove(cls, ids_to_delete: list[int]) -> None:
        cls.held[:] = [one for one in cls.held if one.id not in ids_to_delete]


class States(NonceMixin):
    """Where social-auth-core keeps the states it has given out; each serves once."""

    held: ClassVar[set[tuple[str, int, str]]] = set()

    @classmethod
    def use(cls, server_url: str, timestamp: int, salt: str) -> bool:
        fresh = (server_url, timestamp, salt) not in cls.held
        cls.held.add((server_url, timestamp, salt))
        return fresh

    @classmethod
    def consume(cls, server_url: str, timestamp: int, salt: str) -> bool:
        there = (server_url, timestamp, salt) in cls.held
        cls.held.discard((server_url, timestamp, salt))
        return there


class Storage(BaseStorage):
    """The storage that the strategy names."""

    association, nonce = Nonces, States


class Site(BaseStrategy):
    """What social-auth-core asks of a web framework; the pipeline ends with what Google said of the person."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(Storage)
        self.settings, self.session, self.received = settings, dict[str, Any](), dict[str, str]()

    def get_setting(self, name: str) -> Any:
        return self.settings[name]

    def redirect(self, url: str) -> str:
        return url

    def get_request_data(self, **_how: bool) -> dict[str, str]:
        return self.received

    def session_get(self, name: str, default: Any = None) -> Any:
        return self.session.get(name, default)

    def session_set(self, name: str, value: Any) -> None:
        self.session[name] = value

    def session_pop(self, name: str) -> Any:
        return self.session.pop(name, None)

    def build_absolute_uri(self, path: str | None = None) -> str:
        return path or ""

    def authenticate(self, *_backend: Any, **results: Any) -> Any:
        return results["response"]


def test_social_auth_core_signs_in(google: LocalGoogle) -> None:
    settings = {"SOCIAL_AUTH_OIDC_OIDC_ENDPOINT": google.url, "SOCIAL_AUTH_OIDC_USE_PKCE": True}
    settings |= {"SOCIAL_AUTH_OIDC_KEY": APP.client_id, "SOCIAL_AUTH_OIDC_SECRET": APP.client_secret}
    site = Site(settings)
    callback = google.consent(OpenIdConnectAuth(site, redirect_uri=APP.redirect_uris[0]).start())
    site.received = dict(parse_qsl(urlsplit(callback).query))
    backend = OpenIdConnectAuth(site, redirect_uri=APP.redirect_uris[0])
    person = backend.auth_complete()
    assert (person["email"], person["name"]) == (ONE, "Agent One")
    assert backend.id_token is not None
    assert backend.id_token["sub"] == person["sub"]


def test_googles_desktop_flow_connects_and_verifies(google: LocalGoogle, plain_http: None) -> None:
    installed = {"client_id": DESKTOP_APP.client_id, "client_secret": DESKTOP_APP.client_secret}
    installed |= {"auth_uri": google.auth_uri, "token_uri": google.token_uri}
    scopes = ["openid", "https://www.googleapis.com/auth/userinfo.email", FULL]
    flow = InstalledAppFlow.from_client_config(
        {"installed": installed}, scopes, redirect_uri="http://localhost:49321/"
    )
    callback = google.consent(flow.authorization_url()[0])
    flow.fetch_token(authorization_response=callback)
    flow.oauth2session.close()
    assert flow.credentials.refresh_token.startswith("1//")
    request = Request()
    certificates = f"{google.url}/oauth2/v1/certs"
    for _ in range(2):  # after the exchange, and after a refresh, which asks for the scopes by their names
        claims = id_token.verify_token(
            flow.credentials.id_token, request, DESKTOP_APP.client_id, certificates, clock_skew_in_seconds=5
        )
        assert claims["email"] == ONE
        flow.credentials.refresh(request)
    request.session.close()
