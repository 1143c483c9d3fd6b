"""What serves once serves once over two real web processes, and what they tell of themselves."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from threading import Barrier
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from calendar_service.domain.clock import MINUTE
from calendar_service.store.tickets import Ticket
from calendar_service.web.server import HEADER_BYTES
from tests.pages.fixture import PageFixture, free_port, page_fixture, web_process

ROUNDS: Final = 50
CALLERS: Final = 4
"""Two of each process."""


@dataclass(frozen=True)
class TwoProcesses:
    """Two web processes of one service over one database."""

    pages: PageFixture
    ports: tuple[int, int]

    def ask(self, port: int, method: str, path: str, cookie: str = "") -> HTTPResponse:
        """Send one request; return the answer, read."""
        connection = HTTPConnection("localhost", port, timeout=30)
        headers = {"Host": urlsplit(self.pages.url).netloc, "Cookie": f"session={cookie}"}
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def at_once(self, path: str, cookie: str = "") -> list[int]:
        """Ask both processes for the same at the same time; return the statuses, sorted."""
        together = Barrier(CALLERS)

        def call(number: int) -> int:
            together.wait()
            return self.ask(self.ports[number % 2], "GET", path, cookie).status

        with ThreadPoolExecutor(CALLERS) as pool:
            return sorted(pool.map(call, range(CALLERS)))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoProcesses]:
    home, other = tmp_path_factory.mktemp("service"), free_port()
    with page_fixture(home) as pages, web_process(pages.service, other, home / "other-output"):
        pages.clear()
        yield TwoProcesses(pages, (pages.service.config.port, other))


def test_a_link_is_taken_once_by_two_processes(two: TwoProcesses) -> None:
    service = two.pages.service.parts
    for _ in range(ROUNDS):
        ticket = Ticket("acme", "agent-1", "en", "UTC", "", service.clock.now() + MINUTE)
        link = f"/portal/{service.store.tickets.issue(ticket)}"
        assert two.at_once(link) == [303, 410, 410, 410]


def test_an_answer_to_a_consent_is_taken_once_by_two_processes(two: TwoProcesses) -> None:
    service = two.pages.service
    before = service.calls().count("oauth2.token")
    for _ in range(ROUNDS):
        cookie, browser = service.browser()
        (state,) = parse_qs(urlsplit(service.begin(browser, cookie)).query)["state"]
        callback = f"/oauth/callback?{urlencode({'state': state, 'code': 'not-one-of-googles'})}"
        assert (
            two.at_once(callback, cookie) == [303] * 4
        )  # one to the settings, three to why they were not taken
    assert service.calls().count("oauth2.token") - before == ROUNDS


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("GET", "/", {200}),
        ("GET", "/nowhere", {404}),
        ("GET", "/v1/organizations/acme", {401}),
        ("TRACE", "/", {405}),
        ("TRACK", "/settings", {405}),
        ("CONNECT", "/settings", {400, 405}),
        ("DEBUG", "/healthz", {405}),
    ],
)
def test_no_answer_names_a_version_and_no_other_method_is_taken(
    two: TwoProcesses, method: str, path: str, statuses: set[int]
) -> None:
    answer = two.ask(two.ports[0], method, path)
    assert answer.status in statuses
    banner = " ".join(filter(None, map(answer.getheader, ("Server", "X-Powered-By", "Via"))))
    assert re.search(r"\d", banner) is None


@pytest.mark.parametrize(("length", "statuses"), [(HEADER_BYTES // 2, {404}), (2 * HEADER_BYTES, {414, 431})])
def test_a_head_beyond_its_limit_is_refused_by_the_web_server(
    two: TwoProcesses, length: int, statuses: set[int]
) -> None:
    assert two.ask(two.ports[0], "GET", f"/{'a' * length}").status in statuses
