"""The registered OAuth clients. Stands for the credentials page of Google's developer console."""

from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_CLIENT_ID = "local-client.apps.local-google.test"
DEFAULT_CLIENT_SECRET = "local-secret"  # noqa: S105 - the local Google guards nothing; this is printed in its docs
DEFAULT_PROJECT = "local-project"
DEFAULT_APP_NAME = "Local app"


@dataclass(frozen=True)
class RegisteredClient:
    """One Web client of a Google project; redirect URIs match exactly."""

    client_id: str
    client_secret: str
    project: str
    redirect_uris: Sequence[str]
    name: str = DEFAULT_APP_NAME
    kind: str = "web"


def parse_client(text: str) -> RegisteredClient:
    """Read ``id|secret|project|redirect[,redirect…][|app name]``; raises ValueError with the expected form."""
    parts = text.split("|")
    if len(parts) not in (4, 5) or not all(parts[:3]):
        raise ValueError(
            "a client is written 'id|secret|project|redirect[,redirect…]' and may end in '|app name'"
        )
    client_id, secret, project, redirects = parts[:4]
    name = parts[4] if len(parts) == 5 and parts[4] else DEFAULT_APP_NAME
    return RegisteredClient(client_id, secret, project, tuple(filter(None, redirects.split(","))), name)
