"""Sends googleapiclient's requests to the Calendar API once, and turns refusals into errors.

Only methods of `domain.methods` can be sent: no `calendars.clear`, no batch, no sharing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httplib2  # type: ignore[import-untyped]
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc

from calendar_service.domain.errors import GoogleUnavailable
from calendar_service.domain.methods import METHODS, Purpose
from calendar_service.domain.secret import Secret
from calendar_service.google.answers import json_object, mapping, refusal
from calendar_service.google.quiet_logging import quiet_libraries
from calendar_service.google.transport import NamedCall, Transport

MOST_PAGES: Final = 200
"""A list with more pages than this is taken for an endless one."""


class ApiClient:
    """The resources of the Calendar API, and the one way to execute a request on them."""

    def __init__(self, transport: Transport, api_endpoint: str) -> None:
        """Build from the API description in googleapiclient's package, without network or credentials."""
        # Set here, because the library would otherwise take the universe's domain from the environment.
        options = {"api_endpoint": api_endpoint, "universe_domain": "googleapis.com"}
        document = get_static_doc("calendar", "v3")
        service = build_from_document(document, http=transport, client_options=options)
        self._transport = transport
        quiet_libraries()
        # Built once: building a resource takes ten times as long as using it.
        self.calendar_list, self.calendars = service.calendarList(), service.calendars()
        self.events, self.channels = service.events(), service.channels()

    def run(self, token: Secret, request: Any, purpose: Purpose | None = None) -> dict[str, Any]:
        """Send a request once, with this access token; return Google's object, `{}` for an empty answer.

        `purpose`: a further one of the method's; None = its first.
        """
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
        method = METHODS[request.methodId]
        call = _CheckedCall(self._transport.named(method.called_for(purpose or method.purpose)))
        try:
            answer = request.execute(http=call, num_retries=0)
        except (ValueError, RecursionError):
            answer = None  # not UTF-8, or JSON with numbers or a depth that the parser refuses
        if isinstance(answer, bytes | str):  # of a method whose answer has no body
            answer = json_object(answer) if answer else {}
        return mapping(answer)

    def items(
        self, token: Secret, method: Any, parameters: Mapping[str, Any], purpose: Purpose | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the items of all pages. An empty page may have a next one, so only `nextPageToken` ends the list."""
        page_token: str | None = None
        for _ in range(MOST_PAGES):
            page = self.run(token, method(**parameters, pageToken=page_token), purpose)
            items = page.get("items", [])
            yield from map(mapping, items if isinstance(items, list) else [items])
            page_token = page.get("nextPageToken")
            if not page_token:
                return
        raise GoogleUnavailable("a list of Google's does not end", ambiguous=False)


@dataclass(frozen=True)
class _CheckedCall:
    """Raises Google's refusals before googleapiclient reads them: its HttpError hides the legacy reasons."""

    call: NamedCall

    def request(self, uri: str, method: str, **options: Any) -> tuple[httplib2.Response, bytes]:
        answer, content = self.call.request(uri, method, **options)
        if answer.status >= 400:
            raise refusal(answer.status, answer, content)
        return answer, content


def only_if(request: Any, etag: str | None) -> Any:
    """Add `If-Match`: Google refuses with 412 if the resource is not at `etag` (RFC 9110, 13.1.1; law 4)."""
    if etag is not None:
        request.headers["If-Match"] = etag
    return request
