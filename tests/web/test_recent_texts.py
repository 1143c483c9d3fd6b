"""What anybody may ask for is made once: constant pages for each language, the numbers of /metrics for some seconds."""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread

import pytest
from flask import Flask

from calendar_service.health.exposition import RecentText
from tests.support.service import PUBLIC_URL, TestService


def python_calls(act: Callable[[], object]) -> int:
    """Count the Python functions that are called."""
    counted = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal counted
        counted += event == "call"

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.parametrize("path", ["/google-user-data", "/docs"])
def test_a_constant_page_is_rendered_once_for_each_language(app: Flask, path: str) -> None:
    client = app.test_client()

    def page(language: str) -> tuple[str, dict[str, str]]:
        answer = client.get(path, base_url=PUBLIC_URL, headers={"Accept-Language": language})
        return answer.text, dict(answer.headers) | {"X-Request-Id": ""}

    first = {language: page(language) for language in ("en", "es")}
    assert first["en"][0] != first["es"][0]
    assert first["en"] == page("en")
    assert python_calls(lambda: page("es")) < 1_000
    assert first["es"] == page("es")


@pytest.mark.parametrize("path", ["/", "/google-user-data", "/docs", "/openapi.json"])
def test_a_browser_that_has_a_constant_page_gets_no_second_copy(app: Flask, path: str) -> None:
    client = app.test_client()
    first = client.get(path, base_url=PUBLIC_URL)
    tag, caching = first.headers["ETag"], first.headers["Cache-Control"]
    assert caching == "private, no-cache"
    again = client.get(path, base_url=PUBLIC_URL, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    other = client.get(path, base_url=PUBLIC_URL, headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.data) == (200, first.data)


def test_each_language_of_a_constant_page_has_a_tag_of_its_own(app: Flask) -> None:
    answers = [
        app.test_client().get("/", base_url=PUBLIC_URL, headers={"Accept-Language": code})
        for code in ("en", "es")
    ]
    assert len({answer.headers["ETag"] for answer in answers}) == 2


def test_a_page_of_a_choice_of_language_sets_its_cookie_each_time(app: Flask) -> None:
    for _ in range(2):
        answer = app.test_client().get("/?lang=es", base_url=PUBLIC_URL)
        assert "language=es" in answer.headers["Set-Cookie"]


def test_metrics_ask_the_database_once_in_seconds(app: Flask, service: TestService) -> None:
    first = app.test_client().get("/metrics").text
    round_trips = service.parts.store.database.round_trips
    assert app.test_client().get("/metrics").text == first
    assert service.parts.store.database.round_trips == round_trips


def test_a_text_is_made_anew_when_it_is_old() -> None:
    texts = iter(["first", "second"])
    recent = RecentText(lambda: next(texts), seconds=0)
    assert [recent.text(), recent.text()] == ["first", "second"]


def test_whoever_waits_for_a_making_that_fails_gets_its_failure_and_makes_none_of_its_own() -> None:
    """The database hangs: one request after another would try it for seconds, and hold its place meanwhile."""
    makings = []

    def waits_for_a_result(thread: int) -> bool:
        return sys._current_frames()[thread].f_code.co_name == "wait"

    def make() -> str:
        makings.append(current_thread())
        if len(makings) == 1:
            waiting.extend(pool.submit(recent.text) for _ in range(3))
            end = time.monotonic() + 5
            while time.monotonic() < end and not all(map(waits_for_a_result, others())):
                time.sleep(0.001)
            raise TimeoutError("the first try")
        return "a later try"

    recent, waiting = RecentText(make), []
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(recent.text)

        def others() -> list[int]:
            idents = [thread.ident for thread in pool._threads if thread is not makings[0]]
            return [ident for ident in idents if ident is not None]

        assert str(first.exception()) == "the first try"
        assert [str(one.exception()) for one in waiting] == ["the first try"] * 3
    assert (len(makings), recent.text(), len(makings)) == (1, "a later try", 2)
