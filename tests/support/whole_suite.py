"""Checks what a run of the suite did, after its last test; an error fails the run.

A run has one process or, under pytest-xdist, several. Each process checks what its own tests did, and reports which
items of the lists they used. The first process compares the union with the lists, if the whole suite ran.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypedDict

import pytest

from calendar_service.report.shown_by import SHOWN_BY
from local_google.state.clients import DEFAULT_CLIENT_ID
from tests.support import evidence, law_one, security_table, written
from tests.support.local_google import LocalGoogle

SERVICE_CLIENTS: Final = (
    "test-service.apps.local-google.test",
    "ours.apps.example",
    "faults.apps.local-google.test",
    DEFAULT_CLIENT_ID,
)
"""Under which the service itself calls a local Google; other clients are tests of that Google, or people."""


class Use(TypedDict):
    """What the tests of one process used of the lists; of builtin types, as pytest-xdist carries it."""

    called: list[str]
    places: dict[str, list[str]]
    collected: list[str]


USES: Final = pytest.StashKey[list[Use]]()
UNUSED: Final = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no process heard."""
    config.stash[USES] = []
    config.stash[UNUSED] = []


@pytest.fixture(scope="session", autouse=True)
def the_whole_suite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Set up first, so that it is torn down last, after every process that a test has started."""
    journals: list[list[dict[str, Any]]] = []
    LocalGoogle.at_end = journals.append
    yield
    del LocalGoogle.at_end
    place = tmp_path_factory.getbasetemp()
    journals += left_by_runs(place)
    places = written.union(written.written(file) for file in place.glob(f"database*/{written.FILE}"))
    _report(
        request.config,
        Use(
            called=sorted(called(journals)),
            places={name: sorted(fields) for name, fields in places.items()},
            collected=sorted(collected(request.session)),
        ),
    )
    faults = [*written.unlisted(places)]
    for journal in journals:
        faults += law_one.violations(journal, SERVICE_CLIENTS)
    assert not faults, "\n".join(["", *sorted(set(faults))])


def _report(config: pytest.Config, use: Use) -> None:
    """Give it to the process that compares: another one under pytest-xdist, else this one."""
    if hasattr(config, "workeroutput"):
        config.workeroutput["use"] = use
    else:
        config.stash[USES].append(use)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a process of pytest-xdist has reported; one that was killed has reported nothing."""
    if use := getattr(node, "workeroutput", {}).get("use"):
        node.config.stash[USES].append(use)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run of the whole suite that left something on a list unused."""
    if hasattr(session.config, "workerinput") or not is_whole(session):
        return
    session.config.stash[UNUSED] += unused(session.config.stash[USES], left_out(session.config))
    if session.config.stash[UNUSED]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was unused."""
    if faults := config.stash[UNUSED]:
        terminalreporter.section("listed and unused", red=True)
        terminalreporter.write_line("\n".join(faults))


def unused(uses: list[Use], left_out: set[str]) -> list[str]:
    """Return what is listed (calls of law 1, places of the inventory, tests of a clause) and no process used."""
    every_call = {name for use in uses for name in use["called"]}
    every_test = {name for use in uses for name in use["collected"]}
    places = written.union({name: {*fields} for name, fields in use["places"].items()} for use in uses)
    return [
        *(
            f"{name} is on the list of law 1, and nothing calls it"
            for name in law_one.CALLS.keys() - every_call
        ),
        *written.unwritten(places),
        *evidence.not_collected(SHOWN_BY, every_test, left_out),
        *evidence.not_collected(security_table.named_tests(), every_test, left_out),
    ]


def called(journals: list[list[dict[str, Any]]]) -> set[str]:
    """Return the names of the calls, as the list of law 1 has them."""
    return {law_one.name_of(entry) for journal in journals for entry in journal if law_one.is_call(entry)}


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


def is_whole(session: pytest.Session) -> bool:
    """Return whether the whole suite ran, so that a listed call nobody made is an error."""
    option = session.config.option
    named = session.config.args_source is not pytest.Config.ArgsSource.TESTPATHS
    return not (
        named or option.keyword or option.markexpr or getattr(option, "lf", False) or session.testsfailed
    )
