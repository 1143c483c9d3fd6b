"""The registered OAuth clients. Stands for the credentials page of Google's developer console."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_CLIENT_ID = "local-client.apps.local-google.test"
DEFAULT_CLIENT_SECRET = "local-secret"  # noqa: S105 - the local Google guards nothing; this is printed in its docs
DEFAULT_PROJECT = "local-project"
DEFAULT_APP_NAME = "Local app"


DESKTOP = "desktop"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class RegisteredClient:
    """One client of a Google project: a Web client with its redirect URIs, or, with ``desktop``, a Desktop client."""

    client_id: str
    client_secret: str
    project: str
    redirect_uris: Sequence[str]
    name: str = DEFAULT_APP_NAME

    @property
    def desktop(self) -> bool:
        """Whether it is an installed app."""
        return tuple(self.redirect_uris) == (DESKTOP,)

    def accepts(self, redirect_uri: str) -> bool:
        """A Web client's redirect URI matches to the letter, a Desktop client's is any port and path on loopback."""
        if not self.desktop:
            return redirect_uri in self.redirect_uris
        try:
            parts = urlsplit(redirect_uri)
            return parts.scheme == "http" and parts.hostname in LOOPBACK and parts.port != 0
        except ValueError:  # a port that is no number
            return False


def parse_client(text: str) -> RegisteredClient:
    """Read ``id|secret|project|redirect[,redirect…][|app name]``; raises ValueError with the expected form.

    ``desktop`` in the place of the redirects makes a Desktop client.
    """
    parts = text.split("|")
    if len(parts) not in (4, 5) or not all(parts[:3]):
        raise ValueError(
            "a client is written 'id|secret|project|redirect[,redirect…]' and may end in '|app name'"
        )
    client_id, secret, project, redirects = parts[:4]
    name = parts[4] if len(parts) == 5 and parts[4] else DEFAULT_APP_NAME
    return RegisteredClient(client_id, secret, project, tuple(filter(None, redirects.split(","))), name)
