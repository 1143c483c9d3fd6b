"""Checks what the whole run of the suite did, after its last test; an error fails the run."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from calendar_service.report.shown_by import SHOWN_BY
from local_google.state.clients import DEFAULT_CLIENT_ID
from tests.support import evidence, law_one, written
from tests.support.local_google import LocalGoogle

SERVICE_CLIENTS: Final = (
    "test-service.apps.local-google.test",
    "ours.apps.example",
    "faults.apps.local-google.test",
    DEFAULT_CLIENT_ID,
)
"""Under which the service itself calls a local Google; other clients are tests of that Google, or people."""


@pytest.fixture(scope="session", autouse=True)
def the_whole_suite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Set up first, so that it is torn down last, after every process that a test has started."""
    journals: list[list[dict[str, Any]]] = []
    LocalGoogle.at_end = journals.append
    yield
    del LocalGoogle.at_end
    place, whole = tmp_path_factory.getbasetemp(), is_whole(request)
    faults = [*calls([*journals, *left_by_runs(place)], whole=whole)]
    for file in place.glob(f"database*/{written.FILE}"):
        faults += written.differences(written.written(file), whole=whole)
    if whole:
        faults += evidence.not_collected(SHOWN_BY, collected(request.session), left_out(request.config))
    assert not faults, "\n".join(["", *sorted(set(faults))])


def calls(journals: list[list[dict[str, Any]]], *, whole: bool) -> Iterator[str]:
    """Yield calls that law 1 does not allow; of a whole suite also listed methods that were never called."""
    for journal in journals:
        yield from law_one.violations(journal, SERVICE_CLIENTS)
    if whole:
        called = {
            law_one.name_of(entry) for journal in journals for entry in journal if law_one.is_call(entry)
        }
        yield from (
            f"{name} is on the list of law 1, and nothing calls it" for name in law_one.CALLS.keys() - called
        )


def left_by_runs(place: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the journals that the local Googles of `calendar-service run` have left."""
    for file in place.rglob("google/journal.jsonl"):
        yield [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def collected(session: pytest.Session) -> set[str]:
    """Return the tests of this run as the report lists them."""
    return {evidence.name_of(item.function) for item in session.items if isinstance(item, pytest.Function)}


def left_out(config: pytest.Config) -> set[str]:
    """Return the files below `tests/` that this machine cannot run, as `make test` has found out."""
    return {path.removeprefix("tests/") for path in config.option.ignore or ()}


def is_whole(request: pytest.FixtureRequest) -> bool:
    """Return whether the whole suite ran, so that a listed call nobody made is an error."""
    option = request.config.option
    named = request.config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    return not (named or option.keyword or option.markexpr or option.lf or request.session.testsfailed)
