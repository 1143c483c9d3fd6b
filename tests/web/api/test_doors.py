"""Rules for every request: the key before the body, a request id, one log line, and a page for people."""

import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from calendar_service.health.doctor import findings
from calendar_service.health.measures import Measures
from calendar_service.health.measures.database import Writes
from calendar_service.health.readiness import Readiness
from calendar_service.web.app import create_app
from tests.support.evidence import shows
from tests.support.service import PUBLIC_URL, TestService, _fresh
from tests.web.api.callers import Api, key_of
from tests.web.api.conftest import ACME, AGENT

ONE = f"{AGENT}/sessions/s-1"
ID = re.compile(r"[0-9a-f]{32}")


class Untouchable(io.RawIOBase):
    """A body that must not be read."""

    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        raise AssertionError("the body was read")


@pytest.mark.parametrize(
    ("caller", "path", "length", "status"),
    [
        ("", ONE, "100", 401),
        ("", ONE, "10000000", 401),
        ("beta-backend", ONE, "100", 404),
        ("admin", ONE, "100", 403),
        ("backend", f"{AGENT}/sessions/a%20b", "100", 400),
        ("backend", f"{ONE}?x=1", "100", 400),
        ("backend", ONE, "65537", 413),
        ("backend", ONE, "99999999999999999999", 413),
    ],
)
def test_a_request_that_fails_by_its_head_is_refused_without_its_body(
    api: Api, caller: str, path: str, length: str, status: int
) -> None:
    answer = api.by(caller).call(
        "PUT", path, content_type="application/json",
        environ_overrides={"wsgi.input": Untouchable(), "CONTENT_LENGTH": length},
    )  # fmt: skip
    assert answer.status_code == status


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_another_type_or_coding_is_refused_without_its_body(api: Api, kind: str) -> None:
    coding = {"Content-Encoding": "gzip"} if kind == "application/json" else {}
    answer = api.call(
        "PUT", ONE, headers=coding, content_type=kind,
        environ_overrides={"wsgi.input": Untouchable(), "CONTENT_LENGTH": "10"},
    )  # fmt: skip
    assert answer.status_code == 415


@pytest.mark.parametrize(("size", "status"), [(65_536, 400), (65_537, 413), (10_000_000, 413)])
def test_a_body_without_a_length_is_read_to_the_limit_and_not_beyond(
    api: Api, size: int, status: int
) -> None:
    stream = io.BytesIO(b"{}" + b" " * (size - 2))
    answer = api.call(
        "PUT", ONE, content_type="application/json", headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "wsgi.input": stream},
    )  # fmt: skip
    assert answer.status_code == status
    assert stream.tell() <= 200_000


def test_every_answer_has_an_id_of_its_own(api: Api) -> None:
    ids = {
        api.by("").get(path).headers["X-Request-Id"] for path in ("/healthz", "/openapi.json", "/v1/x", "/x")
    }
    assert len(ids) == 4
    assert all(ID.fullmatch(one) for one in ids)


def test_an_id_of_the_callers_is_taken_over_if_it_is_nothing_but_a_number(api: Api) -> None:
    assert (
        api.get(ACME, headers={"X-Request-Id": "0123456789abcdef"}).headers["X-Request-Id"]
        == "0123456789abcdef"
    )
    uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert api.get(ACME, headers={"X-Request-Id": uuid}).headers["X-Request-Id"] == uuid
    for other in (
        "agent-1@example.com",
        "a" * 33,
        "abc",
        "0123456789ABCDEF",
        "0123-4567-89ab",
        "0F8FAD5B-d9cb-469f-a165-70867728950e",
        "x\x1b[31m",
        "",
    ):
        request_id = api.get(ACME, headers={"X-Request-Id": other}).headers["X-Request-Id"]
        assert ID.fullmatch(request_id)


def test_header_problem_and_log_name_a_refused_request_by_the_same_id(
    api: Api, capfd: pytest.CaptureFixture[str]
) -> None:
    own_id = "0f8fad5b-d9cb-469f-a165-70867728950e"
    answer = api.get("/v1/organizations/acme/nothing", headers={"X-Request-Id": own_id})
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.get_json()["request_id"] == answer.headers["X-Request-Id"] == own_id
    assert json.loads(capfd.readouterr().err.splitlines()[-1])["request_id"] == own_id


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/x", "/v1/organizations", "/v1/organizations/acme/x/y"])
def test_an_unknown_path_of_the_api_is_a_problem_document(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.get_json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/v2", "/v2/organizations/acme", "/v1x", "/v10/"])
def test_an_unknown_version_of_the_api_is_a_problem_document_too(api: Api, path: str) -> None:
    for caller in (api, api.by("")):
        answer = caller.get(path)
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/video/", "/vv1", "/x/v1"])
def test_another_unknown_path_is_a_page(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


@shows("LU-3")
def test_a_request_is_one_line_in_the_log_without_names_keys_or_addresses(
    api: Api, connected: TestService, session: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    texts = {"title": "a\x1b[31mwhat", "description": 'a" , "level":"alarm'}
    api.put(f"{ACME}/agents/person@example.com/sessions/s-77?x=%0A%0D", session | texts)
    api.get(f"{ACME}/agents/person@example.com/nothing%0Ahere")
    api.call("PROPFIND", f"{ACME}/agents/person@example.com/connection")
    api.by("").get("/portal/nobody's-secret")
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    served = [line for line in lines if line["event"] == "request.served"]
    assert len(served) == 4
    assert served[0]["path"] == "/v1/organizations/<organization>/agents/<agent>/sessions/<session>"
    assert (served[0]["method"], served[0]["status"], served[0]["caller"]) == ("PUT", 400, "backend")
    assert "path" not in served[1]
    text = json.dumps(lines)
    for unwanted in ("person", "s-77", "acme", "alarm", "what", "secret", key_of("backend"), "nobody"):
        assert unwanted not in text


def test_whoever_watches_is_not_in_the_log(service: TestService, capfd: pytest.CaptureFixture[str]) -> None:
    readiness = Readiness(service.parts)
    readiness.examine()
    anybody = create_app(service.parts, readiness).test_client()
    capfd.readouterr()
    for path in ("/healthz", "/readyz", "/metrics"):
        assert anybody.get(path, base_url=PUBLIC_URL).status_code == 200
    assert "request.served" not in capfd.readouterr().err


def test_what_is_nowhere_is_a_page_for_people_and_a_problem_for_programs(api: Api) -> None:
    page, problem = api.by("").get("/nothing"), api.get("/v1/nothing")
    assert (page.status_code, problem.status_code) == (404, 404)
    assert page.mimetype == "text/html"
    assert problem.mimetype == "application/problem+json"
    assert api.by("").call("PUT", "/").status_code == 405
    assert api.by("").call("POST", "/openapi.json").json["code"] == "method_not_allowed"


def test_every_answer_carries_the_headers_of_the_guard(api: Api) -> None:
    for answer in (
        api.get(ACME),
        api.by("").get("/v1/x"),
        api.by("").get("/healthz"),
        api.by("").get("/nothing"),
    ):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in answer.headers


def test_an_answer_of_the_api_is_kept_nowhere(api: Api) -> None:
    assert api.by("admin").get(ACME).headers["Cache-Control"] == "no-store"


def test_a_path_with_a_point_too_many_is_nobodys(app: Flask) -> None:
    api = Api(app)
    for path in (
        "/v1/organizations/./connections",
        "/v1/organizations/../connections",
        "/v1/organizations/%2e%2e",
    ):
        assert api.by("admin").get(path).status_code in {400, 404}


# --- operations ---


def test_readiness_is_the_last_examination_and_a_request_causes_none(service: TestService) -> None:
    readiness = Readiness(service.parts)
    anybody = create_app(service.parts, readiness).test_client()

    def ready() -> tuple[int, Any]:
        answer = anybody.get("/readyz", base_url=PUBLIC_URL)
        return answer.status_code, answer.json

    assert ready() == (503, {"ready": False, "checks": {}})
    readiness.examine()
    before = service.parts.store.database.round_trips
    status, shown = ready()
    assert (status, shown["ready"], shown["writes"]) == (200, True, "accepted")
    assert shown["checks"].keys() >= {"database", "identity_key", "keyring", "key_files"}
    assert service.parts.store.database.round_trips == before


def test_a_full_database_leaves_a_process_ready_and_says_that_writes_are_refused(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disconnect works then, so the process has to stay within reach."""
    readiness = Readiness(service.parts)
    client = service.parts.store.database.client
    client.config_set("maxmemory", "1")
    try:
        first, second = readiness.examine(), readiness.examine()
        measures = Measures.of(service.parts)
        memory = next(one for one in findings(measures) if one.check == "memory")
        ratio = service.metrics()["calendar_store_memory_ratio"]
    finally:
        client.config_set("maxmemory", "0")
    assert (first.writes, second.writes, second.is_ready) == (Writes.REFUSED, Writes.REFUSED, True)
    assert memory.level == "fault"
    assert ratio > 1
    assert capsys.readouterr().err.count('"database.refuses_writes"') == 1
    assert readiness.examine().writes is Writes.ACCEPTED


def test_a_process_is_not_ready_while_no_replica_confirms(service: TestService, clean_store: str) -> None:
    service.parts.store.ownership.begin()
    demanding = TestService.of(f"{clean_store}?copies=1", service.google, service.clock)
    examination = Readiness(demanding.parts).examine()
    demanding.close()
    assert (examination.checks["database"], examination.is_ready) == (False, False)


def test_a_process_is_not_ready_while_its_keyring_lacks_a_key_in_use(service: TestService) -> None:
    """It leaves no sample of its own, which would bring the others down; a minute later the key is in use no more."""
    assert Readiness(service.parts).examine().checks["keyring"]
    other = TestService.of(
        service.variables["CALENDAR_REDIS_URL"], service.google, service.clock,
        **service.variables | {"CALENDAR_KEYRING": f"k9:{_fresh()}"},
    )  # fmt: skip
    assert not Readiness(other.parts).examine().checks["keyring"]
    assert Readiness(service.parts).examine().checks["keyring"]
    service.clock.advance(61)
    assert Readiness(other.parts).examine().checks["keyring"]
    other.close()


def test_an_examination_that_is_too_old_says_nothing(service: TestService) -> None:
    examination = Readiness(service.parts).examine()
    assert examination.is_ready
    assert not replace(examination, at=examination.at - 61).is_ready


@pytest.mark.parametrize(
    "path",
    [
        "//metrics",
        "///v1/organizations/acme",
        "/./metrics",
        "/x/../metrics",
        "/v1/..",
        "//healthz",
        "/settings//",
        "/.",
    ],
)
def test_a_path_has_one_spelling(api: Api, path: str) -> None:
    answer = api.call("GET", "/", environ_overrides={"PATH_INFO": path})
    assert answer.status_code == 404


def test_a_method_in_lower_case_is_refused(api: Api) -> None:
    for path in ("/", "/v1/organizations/acme", "/metrics"):
        answer = api.call("GET", path, environ_overrides={"REQUEST_METHOD": "get"})
        assert answer.status_code == 400


@pytest.mark.parametrize("agent", ["agent-1@x:y~z", "agent-1%40x%3Ay~z", "agent-1%40x%3ay%7Ez"])
def test_a_name_is_the_same_in_each_of_its_spellings(api: Api, agent: str) -> None:
    assert api.get(f"{ACME}/agents/{agent}/connection").status_code == 200
