"""Ways back from the pages: to the organization's registered addresses, matched exactly, and nowhere else."""

from collections.abc import Iterator
from itertools import product
from urllib.parse import urlsplit

import pytest
from flask import Flask

from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import BACKEND_KEY, PUBLIC_URL, TestService
from tests.web.pages.visitor import Visitor

CONSOLE = "https://console.videsk.io/agents"
OVERLAY = f"""
extends = "videsk"
[organizations.acme]
return_urls = ["{CONSOLE}"]
frame_ancestors = []
"""

_BEGINNINGS = (
    "", "/", "//", "///", "////", "/\\", "\\", "\\\\", "/\t/", "/\n/", "/\r/", "\t//", " //", "/ /", "//\\", "/\\/\\",
    "http:", "http:/", "http://", "https:", "https:/", "https://", "https:///", "https:\\\\", "HTTPS://", "hxxps://",
    "javascript:", "data:text/html,", "ftp://", "//%5c", "/%09/", "/%0a/", "/%2f/", "/%5c", "%2f%2f", "%68ttps://",
    "https://user:password@", "https://console.videsk.io@", "https://console.videsk.io:443@", "//console.videsk.io@",
    "https://console.videsk.io%40", "https://console.videsk.io\\@", "https://console.videsk.io#@",
)  # fmt: skip
_HOSTS = (
    "evil.example", "evil.example/", "evil.example/agents", "evil%E3%80%82example", "evil\u3002example",
    "evil\uff0eexample",
    "[::1]", "0x7f.1", "2130706433", "evil.example%00", "evil.example#console.videsk.io",
    "evil.example?console.videsk.io",
)  # fmt: skip
_NEAR = (
    f"{CONSOLE}/", f"{CONSOLE}?next=https://evil.example", f"{CONSOLE}#x", f"{CONSOLE}/../..",
    f"{CONSOLE}.evil.example",
    f" {CONSOLE}", f"{CONSOLE} ", f"{CONSOLE}\n", f"\t{CONSOLE}", CONSOLE.upper(), CONSOLE.replace("https", "http"),
    CONSOLE.replace(".io", ".io."), CONSOLE.replace(".io", ".io:443"), CONSOLE.replace("console", "xconsole"),
    CONSOLE.replace("/agents", "/%61gents"), CONSOLE.replace("/agents", "//agents"), "https://console.videsk.io",
)  # fmt: skip
PAYLOADS = [*("".join(parts) for parts in product(_BEGINNINGS, _HOSTS)), *_NEAR]
"""What redirectors were tricked with: slashes, control characters, userinfo, full-width dots, near misses."""


@pytest.fixture
def with_console(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock
) -> Iterator[Visitor]:
    """A visitor where the organization has an address of its own to go back to."""
    profile = test_clock.path.with_name("operator.toml")
    profile.write_text(OVERLAY, "utf-8")
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_OPERATOR=str(profile))
    yield Visitor(create_app(service.parts), service)
    service.close()


def _link_status(visitor: Visitor, url: str) -> int:
    answer = visitor.client.post(
        "/v1/organizations/acme/agents/agent-1/portal-sessions",
        base_url=PUBLIC_URL,
        json={"return_url": url},
        headers={"Authorization": f"Bearer {BACKEND_KEY}"},
    )
    return answer.status_code


def test_a_link_leads_back_to_a_known_address_and_to_no_other(with_console: Visitor) -> None:
    assert len(PAYLOADS) > 500
    assert _link_status(with_console, CONSOLE) == 201
    accepted = [url for url in PAYLOADS if _link_status(with_console, url) < 400]
    assert accepted == []


def test_pages_lead_to_the_address_that_the_link_named(with_console: Visitor) -> None:
    page = with_console.enter(return_url=CONSOLE)
    assert f'href="{CONSOLE}"' in page.text
    assert (
        f'href="{CONSOLE}"' in with_console.get("/disconnect").text
        or with_console.get("/disconnect").location
    )


def test_an_address_that_is_no_longer_configured_is_not_shown(with_console: Visitor) -> None:
    for url in (*_NEAR, "//evil.example", "javascript:alert(1)"):
        page = with_console.enter(return_url=url)
        assert f'href="{url}"' not in page.text
        assert "evil.example" not in page.text


def test_no_parameter_of_a_page_leads_anywhere(app: Flask, service: TestService) -> None:
    visitor = Visitor(app, service)
    visitor.enter()
    for path, payload in product(("/settings", "/disconnect", "/portal/x"), PAYLOADS[::30]):
        parameters = dict.fromkeys(("next", "return_url", "redirect", "url", "lang", "account"), payload)
        answer = visitor.client.get(path, base_url=PUBLIC_URL, query_string=parameters)
        assert urlsplit(answer.headers.get("Location", "")).netloc in {"", urlsplit(PUBLIC_URL).netloc}
        assert "evil" not in answer.text
