"""Which organization's agent has a browser session, as far as this process was told. Must not ask the database."""

import threading
from hashlib import sha256
from typing import Final

_REMEMBERED: Final = 4_096
"""Beyond so many browser sessions, those that were not used for longest are forgotten."""


class KnownVisits:
    """The organizations of the browser sessions that were used last. Safe to share between threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._organizations: dict[bytes, str] = {}

    def note(self, cookie: str, organization: str) -> None:
        """Remember a browser session that the database knows."""
        name = _name(cookie)
        with self._lock:
            self._organizations.pop(name, None)
            self._organizations[name] = organization
            if len(self._organizations) > _REMEMBERED:
                del self._organizations[next(iter(self._organizations))]

    def organization(self, cookie: str) -> str:
        """Return the organization of this browser session, or "" if it is not known here."""
        return self._organizations.get(_name(cookie), "")


def _name(cookie: str) -> bytes:
    # The cookie itself is a secret that opens the page; its hash is not.
    return sha256(cookie.encode("utf-8", "surrogatepass")).digest()
