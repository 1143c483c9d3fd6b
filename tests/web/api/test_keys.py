"""API keys: compared by hash, several at once, replaced while the service runs."""

import ast
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import calendar_service.web.api.keys as module
from calendar_service.config import ApiKey, Role
from calendar_service.domain.errors import Unauthenticated
from calendar_service.web.api.keys import Keys, is_foreign
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.api.callers import Api, configured, key_of


def key(name: str, text: str, organization: str = "*") -> ApiKey:
    return ApiKey(name, organization, Role.BACKEND, sha256(text.encode()).hexdigest())


KEYS = Keys(lambda: (key("old", "first"), key("new", "second"), key("acme", "third", "acme")))


@pytest.mark.parametrize(
    ("header", "name"),
    [("Bearer first", "old"), ("bearer second", "new"), ("BEARER third", "acme"), ("Bearer  second ", "new")],
)
def test_each_key_in_force_opens(header: str, name: str) -> None:
    assert KEYS.caller(header).name == name


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer ", "first", "Basic first", "Bearer First", "Bearer first,Bearer second",
        "Bearer first second", "Bearer first\n", "Bearer \x00first", "Bearerfirst", "Token first", "Bearer *",
        "Bearer " + sha256(b"first").hexdigest(), "Bearer " + "x" * 100_000, "Bearer ñ", "Bearer \ud800",
    ],
)  # fmt: skip
def test_anything_else_is_refused(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        KEYS.caller(header)


@settings(deadline=None)
@given(st.text())
def test_any_header_is_a_key_or_refused(header: str) -> None:
    with pytest.raises(Unauthenticated):
        KEYS.caller(header)


def test_without_keys_nobody_comes_in() -> None:
    with pytest.raises(Unauthenticated):
        Keys(lambda: ()).caller("Bearer first")


def test_keys_are_asked_for_at_each_request_so_that_one_can_be_exchanged() -> None:
    in_force = [key("old", "first")]
    keys = Keys(lambda: tuple(in_force))
    in_force.append(key("new", "second"))
    assert keys.caller("Bearer second").name == "new"
    assert keys.caller("Bearer first").name == "old"
    in_force.pop(0)
    with pytest.raises(Unauthenticated):
        keys.caller("Bearer first")


@shows("customer-keys")
def test_a_key_of_one_organization_speaks_for_no_other() -> None:
    assert not is_foreign(key("acme", "x", "acme"), "acme")
    assert not is_foreign(key("all", "x"), "acme")
    for organization in ("beta", "", "ACME", "acme ", "*"):
        assert is_foreign(key("acme", "x", "acme"), organization)


def test_hashes_are_compared_by_the_constant_time_function_alone() -> None:
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    names = {name.id for node in compared for name in ast.walk(node) if isinstance(name, ast.Name)}
    attributes = {
        part.attr for node in compared for part in ast.walk(node) if isinstance(part, ast.Attribute)
    }
    assert not names & {"presented", "digest", "key"}
    assert "sha256" not in attributes
    assert "compare_digest" in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "api-keys"
    path.write_text(configured(), "ascii")
    return path


def test_a_key_taken_out_of_the_file_ends_at_the_next_request(
    clean_store: str,
    google_process: LocalGoogle,
    test_clock: MovableClock,
    key_file: Path,
    request: pytest.FixtureRequest,
) -> None:
    service = TestService.of(
        clean_store, google_process, test_clock, CALENDAR_API_KEYS="", CALENDAR_API_KEYS_FILE=str(key_file)
    )
    request.addfinalizer(service.close)
    api = Api(create_app(service.parts))
    path = "/v1/organizations/acme/agents/agent-1/connection"
    assert api.get(path).status_code == 200
    key_file.write_text(f"other:*:backend:{sha256(b'another').hexdigest()}", "ascii")
    assert api.get(path).status_code == 401
    assert api.get(path, headers={"Authorization": "Bearer another"}).status_code == 200
    assert key_of("backend") != "another"
