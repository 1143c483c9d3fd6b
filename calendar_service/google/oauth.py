"""Calls to Google's authorization server: consent, exchange, refresh, revoke. Stores no token.

Sources: https://developers.google.com/identity/protocols/oauth2/web-server, RFC 6749, RFC 7636 (PKCE),
RFC 9207 (issuer).
"""

import io
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from google_auth_oauthlib.flow import Flow
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.utils import is_secure_transport

from calendar_service.domain.errors import AccessRevoked, ConsentRefused, GoogleUnavailable
from calendar_service.domain.methods import METHODS, Method
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.secret import Secret
from calendar_service.google.quiet_logging import quiet_libraries
from calendar_service.google.token_answers import CodeRefused, Tokens, revoked, tokens
from calendar_service.google.transport import Transport

__all__ = [
    "SCOPE",
    "CodeRefused",
    "OAuth",
    "OAuthClient",
    "Tokens",
    "check_callback_issuer",
    "permit_plain_http",
]

AUTH_URI = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
REVOKE_URI = "https://oauth2.googleapis.com/revoke"
ISSUER = "https://accounts.google.com"
"""The value of `iss` in Google's callbacks; the local Google sends the same."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True)
class OAuthClient:
    """The operator's OAuth client, and the addresses of the Google with which it is registered."""

    client_id: str
    secret_source: Callable[[], Secret]
    """Called at each use, so that a changed secret file takes effect at once."""
    redirect_uri: str
    """Fixed by configuration, never built from a request (RFC 9700, 2.1)."""
    auth_uri: str = AUTH_URI
    token_uri: str = TOKEN_URI
    revoke_uri: str = REVOKE_URI

    @property
    def consent_origin(self) -> str:
        """The origin of the consent page: the one foreign origin that a form of our pages may lead to."""
        parts = urlsplit(self.auth_uri)
        return f"{parts.scheme}://{parts.netloc}"


def permit_plain_http() -> None:
    """Let this process use OAuth over plain http. Only wiring calls it, in development.

    oauthlib offers nothing narrower than this variable of the environment. Production refuses addresses
    without https (clause ST-2).
    """
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def check_callback_issuer(values: Sequence[str]) -> None:
    """Raise `ConsentRefused("issuer")` if a callback's `iss` is not Google's or is given twice.

    A missing `iss` is accepted: Google sends it to some people only and does not announce it (RFC 9207, 2.4).
    """
    if values and list(values) != [ISSUER]:
        raise ConsentRefused("issuer")


class OAuth:
    """Requests to Google's authorization server, all of them over our transport."""

    def __init__(self, client: OAuthClient, transport: Transport) -> None:
        """Raise `ValueError` for an address without https, unless `permit_plain_http` was called before."""
        for uri in (client.auth_uri, client.token_uri, client.revoke_uri):
            if not is_secure_transport(uri):
                raise ValueError(f"{urlsplit(uri).scheme or 'no scheme'}: Google is spoken to over https")
        self._client = client
        self._transport = transport
        quiet_libraries()

    @property
    def consent_origin(self) -> str:
        """The origin of the consent page."""
        return self._client.consent_origin

    def new_verifier(self) -> Secret:
        """Return a fresh PKCE verifier: 64 characters, 384 bits (RFC 7636, 4.1)."""
        return Secret(secrets.token_urlsafe(48))

    def consent_url(self, *, state: str, verifier: Secret) -> str:
        """Return the address of the consent page: code flow, S256, offline, one scope (clause SC-1).

        `select_account`, because several people may use one browser. `consent`, because otherwise Google
        may send no refresh token.
        """
        url, _ = self._library_flow(verifier, [SCOPE]).authorization_url(
            state=state, access_type="offline", prompt="select_account consent"
        )
        return str(url)

    def exchange(self, *, code: Secret, verifier: Secret) -> Tokens:
        """Exchange the code, once. The caller checks `scopes`, and whether there is a refresh token.

        Raises `CodeRefused` for a bad code, which says nothing of any grant.
        """
        if not re.fullmatch("[!-~]{1,1024}", code.reveal()):
            raise CodeRefused(
                "what came as a code cannot be one"
            )  # an attacker can call the callback with anything
        # Without a scope: the library would raise a Warning for another one, after the code is used up.
        flow = self._library_flow(verifier, None)
        answers: list[Tokens] = []
        flow.oauth2session.register_compliance_hook(
            "access_token_response", lambda answer: _classify(answer, answers)
        )
        try:
            flow.fetch_token(code=code.reveal())
        except AccessRevoked as error:
            raise CodeRefused(error.detail) from None
        except (OAuth2Error, ValueError, TypeError, OverflowError):
            raise GoogleUnavailable("the token answer is not understood", ambiguous=True) from None
        return answers[0]

    def refresh(self, refresh_token: Secret) -> Tokens:
        """Return a fresh access token. Only `AccessRevoked` proves that the grant is dead (law 5)."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token.reveal(),
            "client_id": self._client.client_id,
            "client_secret": self._client.secret_source().reveal(),
        }
        return tokens(*self._post(METHODS["oauth.refresh"], self._client.token_uri, form))

    def revoke(self, token: Secret) -> None:
        """Return once Google confirms that the token is dead or unknown; raise for any other answer.

        Google ends all that the account granted to the operator's project, other connections included (law 6).
        """
        revoked(*self._post(METHODS["oauth.revoke"], self._client.revoke_uri, {"token": token.reveal()}))

    def _post(
        self, method: Method, uri: str, form: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        # In the body, not in the address: proxies log addresses.
        call = self._transport.named(method)
        answer, content = call.request(uri, method.verb, urlencode(form), _FORM)
        return answer.status, answer, content

    def _library_flow(self, verifier: Secret, scopes: list[str] | None) -> Any:
        config = {
            "client_id": self._client.client_id,
            "client_secret": self._client.secret_source().reveal(),
            "auth_uri": self._client.auth_uri,
            "token_uri": self._client.token_uri,
        }
        flow = Flow.from_client_config({"web": config}, scopes=scopes, code_verifier=verifier.reveal())
        flow.redirect_uri = self._client.redirect_uri
        session = flow.oauth2session
        session.trust_env = False  # no proxy and no .netrc
        session.adapters.clear()
        session.mount(self._client.token_uri, _Adapter(self._transport))
        return flow


class _Adapter(requests.adapters.BaseAdapter):
    """Sends the library's one request over our transport; mounted for the token endpoint only."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        uri = request.url or ""
        call = self._transport.named(METHODS["oauth.exchange"])
        form: Any = request.body
        headers: Any = request.headers
        answer, content = call.request(uri, "POST", form, headers)
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer)
        response.encoding = "utf-8"
        response.raw = io.BytesIO(content)
        response.request = request
        response.url = uri
        return response

    def close(self) -> None:
        """Do nothing: the transport owns the connection."""


def _classify(answer: requests.Response, answers: list[Tokens]) -> requests.Response:
    # `requests` compares header names without regard to case, as `tokens` expects them in lower case.
    answers.append(tokens(answer.status_code, answer.headers, answer.content))
    return answer
