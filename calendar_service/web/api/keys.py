"""Authentication by keys of the internal API, compared by hash in constant time."""

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from calendar_service.config import ApiKey
from calendar_service.domain.errors import Unauthenticated

ANY: Final = "*"
"""The organization of a key that is valid for all."""

_SCHEME: Final = "bearer "


class Keys:
    """The valid keys. Several are valid at once, so that one can be replaced while traffic runs."""

    def __init__(self, keys: Callable[[], Sequence[ApiKey]]) -> None:
        """Take `keys`, which is called at each request, so that a replaced file takes effect at once."""
        self._keys = keys

    def caller(self, authorization: str | None) -> ApiKey:
        """Return the key that the header presents, or raise `Unauthenticated`."""
        if not authorization:
            raise Unauthenticated("Send `Authorization: Bearer <key>`.", field="Authorization")
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated("The scheme is `Bearer`.", field="Authorization")
        presented = authorization[len(_SCHEME) :].strip(" ").encode("utf-8", "surrogatepass")
        matching = self._matching(sha256(presented).digest())
        if matching is None:
            raise Unauthenticated("This is not a key of this service.", field="Authorization")
        return matching

    def _matching(self, digest: bytes) -> ApiKey | None:
        # Compares with every key, so that an attacker cannot tell from the time whether or which one matches.
        match = None
        for key in self._keys():
            if hmac.compare_digest(digest, bytes.fromhex(key.sha256)):
                match = key
        return match


def is_foreign(caller: ApiKey, organization: str) -> bool:
    """Tell whether the key is not valid for this organization, whether or not that exists."""
    return caller.organization not in {ANY, organization}
