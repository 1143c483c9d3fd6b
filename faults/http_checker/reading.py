"""What the second checker reads: lists, single sessions, webhooks, and the local Google's data. Only by HTTP."""

import http.client
import json
import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from faults.checker.book import AllowedVersions, book_of
from faults.checker.evidence import Line, SessionName, copies_in, events_by_session
from faults.checker.history import read_histories

READ_AT_GOOGLE = 60
"""Sessions that are read one by one with `read=google`: such a read costs a call at Google."""
WEBHOOKS_KEPT = 2 * 86_400.0
"""Seconds of the test clock for which a webhook is offered at least: it is given up after three days of failures."""
Answer = dict[str, Any]


@dataclass(frozen=True)
class Addresses:
    """Where the service and the local Google are, and as whom to ask."""

    service: str
    """`http://…` of one web process."""
    host: str
    """The public host name, with its port."""
    key: str
    organization: str
    google: str
    tries: int
    """How often a read is sent that nobody answers, or that is answered with 429 or 503; half a second apart."""


@dataclass(frozen=True)
class HttpEvidence:
    """What was read."""

    book: Mapping[SessionName, AllowedVersions]
    """The driver's book."""
    listed: Mapping[SessionName, Answer]
    """Each session that the service lists of an agent in the book."""
    read: Mapping[SessionName, Answer]
    """The same of single reads with `read=google`; empty where the service answers 404."""
    events: Mapping[SessionName, Sequence[Answer]]
    """The events that stand in Google, by the session that their titles name; no copies."""
    calls: Sequence[dict[str, Any]]
    """The local Google's journal of calls."""
    recent: Set[SessionName]
    """The sessions of which an operation was sent so lately that its webhook cannot have been dropped."""
    webhooks: Sequence[Mapping[str, Any]]
    """The webhooks that the receiver has accepted."""


def read(addresses: Addresses, lines: Sequence[Line], webhooks: Iterable[Mapping[str, Any]]) -> HttpEvidence:
    """Read what is said of the sessions in the driver's book. Raises `TimeoutError` if nobody answers in time.

    `lines`: the driver's journal.
    """
    book = book_of(lines, read_histories(lines))
    listed = {
        (agent, answer["session"]): answer
        for agent in sorted({agent for agent, _ in book})
        for answer in _listed(addresses, agent)
    }
    chosen = list(book)[:: len(book) // READ_AT_GOOGLE + 1]
    google = _get(addresses.google, "/_control/state", addresses.tries)
    return HttpEvidence(
        book=book,
        listed=listed,
        read={name: _single(addresses, *name) for name in chosen},
        events=events_by_session(google, copies_in(lines)),
        calls=_get(addresses.google, "/_control/journal", addresses.tries)["calls"],
        recent=_recent(lines),
        webhooks=list(webhooks),
    )


def _recent(lines: Sequence[Line]) -> set[SessionName]:
    end = max((line["at"] + line["offset"] for line in lines), default=0.0)
    return {
        (line["agent"], line["session"])
        for line in lines
        if line.get("op") in {"put", "cancel"} and line["at"] + line["offset"] > end - WEBHOOKS_KEPT
    }


def _listed(addresses: Addresses, agent: str) -> Iterable[Answer]:
    cursor = ""
    while True:
        query = urlencode({"cursor": cursor}) if cursor else ""
        page = _ask(addresses, agent, f"/sessions?{query}")
        yield from page["sessions"]
        cursor = page.get("cursor", "")
        if not cursor:
            return


def _single(addresses: Addresses, agent: str, session: str) -> Answer:
    return _ask(addresses, agent, f"/sessions/{quote(session)}?read=google")


def _ask(addresses: Addresses, agent: str, path: str) -> Answer:
    path = f"/v1/organizations/{addresses.organization}/agents/{quote(agent)}{path}"
    headers = {"Host": addresses.host, "Authorization": f"Bearer {addresses.key}"}
    return _get(addresses.service, path, addresses.tries, headers)


def _get(address: str, path: str, tries: int, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
    """Return a JSON answer; empty for 404."""
    status = 0
    for _ in range(tries):
        status, text = _send(address, path, headers)
        if status == 200:
            return dict(json.loads(text))
        if status == 404:
            return {}
        time.sleep(0.5)
    raise TimeoutError(f"GET {path}: {status}")


def _send(address: str, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        connection.request("GET", path, headers={**headers, "Connection": "close"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
