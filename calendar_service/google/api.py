"""The door to the Calendar API: sends googleapiclient's requests, turns refusals into facts. Must not retry.

No method outside `domain.methods` passes: there is no `calendars.clear`, no batch, no sharing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httplib2  # type: ignore[import-untyped]
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc

from calendar_service.domain.errors import GoogleUnavailable
from calendar_service.domain.methods import METHODS
from calendar_service.domain.secret import Secret
from calendar_service.google.answers import json_object, mapping, refusal
from calendar_service.google.quiet_logging import quiet_libraries
from calendar_service.google.transport import NamedCall, Transport

MOST_PAGES: Final = 200
"""A list longer than this is a loop."""


class ApiClient:
    """Google's resources, made once, and the one way to execute a request on them."""

    def __init__(self, transport: Transport, api_endpoint: str) -> None:
        """Build from the description in googleapiclient's package; no network, no credentials sought."""
        # Named, so that the environment cannot move the service to another universe of Google's.
        options = {"api_endpoint": api_endpoint, "universe_domain": "googleapis.com"}
        document = get_static_doc("calendar", "v3")
        service = build_from_document(document, http=transport, client_options=options)
        self._transport = transport
        quiet_libraries()
        # Kept: making a resource costs ten times what using it does.
        self.calendar_list, self.calendars = service.calendarList(), service.calendars()
        self.events, self.channels = service.events(), service.channels()

    def run(self, token: Secret, request: Any) -> dict[str, Any]:
        """Send a request once, with this access token; return Google's object, `{}` when it sent none."""
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
        door = _Door(self._transport.named(METHODS[request.methodId]))
        try:
            answer = request.execute(http=door, num_retries=0)
        except (ValueError, RecursionError):
            answer = None  # bytes that are no text, numbers and depths that no parser takes
        if isinstance(answer, bytes | str):  # of a method that answers nothing
            answer = json_object(answer) if answer else {}
        return mapping(answer)

    def items(self, token: Secret, method: Any, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Follow `nextPageToken`; a page may be short or empty while more follow."""
        page_token: str | None = None
        for _ in range(MOST_PAGES):
            page = self.run(token, method(**wanted, pageToken=page_token))
            items = page.get("items", [])
            yield from map(mapping, items if isinstance(items, list) else [items])
            page_token = page.get("nextPageToken")
            if not page_token:
                return
        raise GoogleUnavailable("a list of Google's does not end", ambiguous=False)


@dataclass(frozen=True)
class _Door:
    """Reads refusals before googleapiclient does: its HttpError hides the legacy reasons."""

    call: NamedCall

    def request(self, uri: str, method: str, **sent: Any) -> tuple[httplib2.Response, bytes]:
        answer, content = self.call.request(uri, method, **sent)
        if answer.status >= 400:
            raise refusal(answer.status, answer, content)
        return answer, content


def only_if(request: Any, etag: str | None) -> Any:
    """Let Google carry the request out only while the resource is at `etag` (RFC 9110, 13.1.1; law 4)."""
    if etag is not None:
        request.headers["If-Match"] = etag
    return request
