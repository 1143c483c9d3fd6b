"""An OAuth client written by hand, so that tests see every parameter and every answer."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from local_google.state.clients import RegisteredClient
from tests.local_google.http_api import FULL
from tests.support.local_google import LocalGoogle, fetch

APP = RegisteredClient("app.apps.test", "app-secret", "project-a", ("http://localhost:9/cb",), "Sessions App")
OTHER_APP = RegisteredClient(
    "other.apps.test", "other-secret", "project-a", ("http://localhost:9/other",), "Other App"
)
STRANGER_APP = RegisteredClient(
    "stranger.apps.test", "s3", "project-b", ("http://localhost:9/cb",), "Stranger"
)
DESKTOP_APP = RegisteredClient("desktop.apps.test", "d4", "project-d", ("desktop",), "Desktop App")
ONE, TWO = "agent-one@example.com", "agent-two@example.com"
VERIFIER = "v" * 43


def challenge(verifier: str = VERIFIER) -> dict[str, str]:
    digest = hashlib.sha256(verifier.encode()).digest()
    text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {"code_challenge": text, "code_challenge_method": "S256"}


@dataclass(frozen=True)
class App:
    """One client of the local Google."""

    google: LocalGoogle
    client: RegisteredClient

    def url(self, **parameters: str | None) -> str:
        """Return an authorization URL; a parameter given as None is left out."""
        wanted: dict[str, str | None] = {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "response_type": "code",
            "scope": FULL,
            "access_type": "offline",
            "prompt": "consent",
            "state": "s1",
        }
        query = {name: value for name, value in (wanted | parameters).items() if value is not None}
        return f"{self.google.auth_uri}?{urlencode(query)}"

    def callback(self, account: str = ONE, *, allow: bool = True, **parameters: str | None) -> dict[str, str]:
        """Go through the screens; return the callback's parameters in their order."""
        url = self.google.consent(self.url(**parameters), account, allow=allow)
        return dict(parse_qsl(urlsplit(url).query))

    def code(self, account: str = ONE, **parameters: str | None) -> str:
        return self.callback(account, **parameters)["code"]

    def token(self, *, basic: bool = False, **fields: str | None) -> tuple[int, Any]:
        """Call the token endpoint; a field given as None is left out."""
        wanted: dict[str, str | None] = dict(fields)
        if not basic:
            wanted = {"client_id": self.client.client_id, "client_secret": self.client.client_secret} | wanted
        data = {name: value for name, value in wanted.items() if value is not None}
        headers = {}
        if basic:
            pair = f"{self.client.client_id}:{self.client.client_secret}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        status, _, text = fetch(self.google.token_uri, data, headers)
        return status, json.loads(text)

    def exchange(self, code: str, **more: str | None) -> tuple[int, Any]:
        fields: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uris[0],
        }
        return self.token(**(fields | more))

    def connect(self, account: str = ONE, scope: str = FULL, **parameters: str | None) -> Any:
        """Consent and exchange the code; return the token answer."""
        status, document = self.exchange(self.code(account, scope=scope, **parameters))
        assert status == 200, document
        return document

    def refresh(self, refresh_token: str, **more: str | None) -> tuple[int, Any]:
        return self.token(**({"grant_type": "refresh_token", "refresh_token": refresh_token} | more))

    def revoke(self, token: str) -> tuple[int, Any]:
        status, _, text = fetch(self.google.revoke_uri, {"token": token})
        return status, json.loads(text)

    def works(self, access_token: str) -> int:
        """Return the status of a Calendar call with this token."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return fetch(f"{self.google.api_endpoint}calendars/primary", None, headers)[0]
