"""Who calls: keys of the internal API, compared by hash in constant time. Must not know what a call does."""

import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from calendar_service.config import ApiKey
from calendar_service.domain.errors import Unauthenticated

ANY: Final = "*"
"""A key for all organizations."""

_SCHEME: Final = "bearer "


class Keys:
    """The keys in force. Several are valid at once, so that one can be exchanged while traffic runs."""

    def __init__(self, known: Callable[[], Sequence[ApiKey]]) -> None:
        """Take `known`: asked at each request, so that an exchanged file is seen at once."""
        self._known = known

    def caller(self, authorization: str | None) -> ApiKey:
        """Return the key that the header presents, or raise `Unauthenticated`."""
        if not authorization:
            raise Unauthenticated("Send `Authorization: Bearer <key>`.", field="Authorization")
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated("The scheme is `Bearer`.", field="Authorization")
        presented = authorization[len(_SCHEME) :].strip(" ").encode("utf-8", "surrogatepass")
        found = self._matching(sha256(presented).digest())
        if found is None:
            raise Unauthenticated("This is not a key of this service.", field="Authorization")
        return found

    def _matching(self, presented: bytes) -> ApiKey | None:
        # All are compared, whichever fits: the time taken tells neither whether nor which.
        found = None
        for key in self._known():
            if hmac.compare_digest(presented, bytes.fromhex(key.sha256)):
                found = key
        return found


def is_foreign(caller: ApiKey, organization: str) -> bool:
    """Tell whether the key does not speak for this organization. Reads nothing: what exists plays no part."""
    return caller.organization not in {ANY, organization}
