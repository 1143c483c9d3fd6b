"""Page tokens and sync tokens of lists.

Both are opaque to clients. They hold the position, and a fingerprint of the query they belong to.
Sources: Google's guides to pagination and to synchronization (docs/local-google.md, "Lists").
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from local_google.calendar.call import MethodCall
from local_google.errors import ApiError, invalid

FULL_SYNC = "Sync token is no longer valid, a full sync is required."
NOT_PART_OF_THE_QUERY = frozenset(
    {"pageToken", "syncToken", "maxResults", "fields", "alt", "prettyPrint", "quotaUser"}
)


def _sealed(*parts: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode()


def _opened(text: str) -> list[Any]:
    try:
        parts = msgspec.json.decode(base64.urlsafe_b64decode(text))
    except (ValueError, msgspec.DecodeError):
        return []
    return parts if isinstance(parts, list) else []


def _fingerprint(call: MethodCall) -> str:
    query = {name: value for name, value in call.query.items() if name not in NOT_PART_OF_THE_QUERY}
    text = msgspec.json.encode(
        [call.method.id, dict(call.variables), call.email, sorted(query.items(), key=str)]
    )
    return hashlib.sha256(text).hexdigest()[:12]


def sync_start(call: MethodCall, collection: str, forbidden: Sequence[str]) -> int | None:
    """The number of the change after which to list, or None for a full list; raises Google's 410 and 400."""
    text = call.query.get("syncToken")
    if text is None:
        return None
    clashing = [name for name in forbidden if name in call.query]
    if clashing or call.query.get("showDeleted") is False:
        place = clashing[0] if clashing else "showDeleted"
        message = f"Sync token cannot be used with {place}."  # [R] the text
        raise invalid(message, parameter="syncToken", reason="badRequest")
    parts = _opened(text)
    alive = len(parts) == 3 and parts[0] == collection and not call.context.switches.sync_tokens_expired
    if not alive or not isinstance(parts[2], int) or parts[1] != call.email:
        raise ApiError(410, "fullSyncRequired", FULL_SYNC, "calendar", "parameter", "syncToken")
    return parts[2]


class Page:
    """One page of a list: its start and its size."""

    def __init__(self, call: MethodCall, collection: str, *, default: int, most: int) -> None:
        self._call, self._collection = call, collection
        self._size = min(call.query.get("maxResults", default), most)
        self._fingerprint = _fingerprint(call)
        self._start, self._until = 0, call.context.books.last_change()
        text = call.query.get("pageToken")
        if text is not None:
            parts = _opened(text)
            if len(parts) != 3 or parts[0] != self._fingerprint:
                raise invalid("Invalid page token value.", parameter="pageToken")  # [R] the text
            self._start, self._until = parts[1], parts[2]

    def cut(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows of this page."""
        return rows[self._start : self._start + self._size]

    def document(
        self, head: dict[str, Any], rows: Sequence[Any], *, with_sync_token: bool = True
    ) -> dict[str, Any]:
        """The page with its tokens; the sync token is on the last page only."""
        return self.finished(head, self.cut(rows), len(rows), with_sync_token=with_sync_token)

    def finished(
        self, head: dict[str, Any], items: Sequence[Any], total: int, *, with_sync_token: bool
    ) -> dict[str, Any]:
        """As ``document``, for rows that are already those of this page."""
        digest = hashlib.sha256(
            f"{self._fingerprint}{self._call.context.books.last_change()}".encode()
        ).hexdigest()
        document = head | {"etag": f'"p{digest[:14]}"'}
        if self._start + self._size < total:
            document["nextPageToken"] = _sealed(self._fingerprint, self._start + self._size, self._until)
        elif with_sync_token:
            document["nextSyncToken"] = _sealed(self._collection, self._call.email, self._until)
        document["items"] = list(items)
        return document
