"""Shared by commands: the service, errors as text, questions, progress bars and tables."""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from calendar_service import wiring
from calendar_service.cli.settings import configured
from calendar_service.cli.settings import refuse as refuse_configuration
from calendar_service.config import Config, ConfigurationFault
from calendar_service.domain.errors import ClientRejected, ServiceError, StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.health.findings.database import unreached
from calendar_service.log import Log
from calendar_service.net.obstacles import Obstacle
from calendar_service.store import keys
from calendar_service.store.durability import DurabilityState
from calendar_service.store.reachability import obstacle
from calendar_service.store.unusable import UnusableDatabase

T = TypeVar("T")
_ROWS_AHEAD = 500
"""How many rows of a table are looked at before the first of them is printed."""

yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


def service(before_first_use: Callable[[wiring.Store], None] = wiring.require_ours) -> wiring.Service:
    """Return the configured service; it is closed when the command ends.

    `before_first_use`: examines the database, before anything of the service's is read or written in it.
    If standard error is a terminal, nothing is logged: log lines would break the progress bar.
    """
    context = click.get_current_context()
    sink = Path(os.devnull).open("w") if sys.stderr.isatty() else None  # noqa: SIM115 - closed with the command
    if sink:
        context.call_on_close(sink.close)
    built = wiring.build(configured(), "command", log_to=sink, before_first_use=before_first_use)
    context.call_on_close(built.close)
    return built


@dataclass(frozen=True, slots=True)
class Start:
    """What a process that serves agents begins with."""

    config: Config
    durability: str
    """Whether the database keeps what it acknowledges: `measured`, `declared`, `insufficient` or `unknown`."""

    def announce(self, process: str, port: int | None) -> None:
        """Log what this process is; `port`: where it listens."""
        fields = {
            "version": version("calendar-service"),
            "environment": self.config.environment,
            "operator": re.sub(r"[^A-Za-z0-9_.-]", "_", self.config.operator.name)[:64],
            "database": self.config.database.shown,
            "durability": self.durability,
        }
        Log(process).event("process.started", **fields, **({} if port is None else {"port": port}))


def begin(process: str) -> Start:
    """Read the configuration of a process that serves agents, and begin an empty database.

    Exits if the database is another service's, or if the process would ask agents for too much (SC-5).
    """
    settings = configured()
    with contextlib.closing(wiring.build(settings, process, before_first_use=wiring.begin)) as built:
        try:
            durability = _durability(built.store.durability.state())
            refusals = list(built.connection.reconsent.refusals())
            with contextlib.suppress(
                ClientRejected
            ):  # it alarms: the process ends and erases, but is not ready
                built.google.throttle.client_check.require()
        except UnusableDatabase as error:
            refuse_configuration(error.faults)
        except StoreUnavailable:
            return Start(
                settings, "unknown"
            )  # without the database it is not ready; it compares at the first use
    if refusals:
        where = f"CALENDAR_OPERATOR ({settings.operator.name})"
        refuse_configuration(ConfigurationFault(where, what, remedy) for what, remedy in refusals)
    return Start(settings, durability)


def _durability(state: DurabilityState) -> str:
    if not state.is_sound:
        return "insufficient"
    return "declared" if state.declared else "measured"


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print a `ServiceError` as one sentence, and exit with 1; with 2 if the database must not be used."""
    try:
        yield
    except UnusableDatabase as error:
        refuse_configuration(error.faults)
    except StoreUnavailable as error:
        refuse(_unreached(error))
    except ServiceError as error:
        refuse(f"{error.detail} ({error.code})")


def _unreached(error: StoreUnavailable) -> str:
    """Return why the database cannot be reached, as `doctor` says it; else what the error says."""
    reason = obstacle(error)
    if reason is Obstacle.OTHER:
        return f"{error.detail} ({error.code})"
    finding = unreached(reason, is_of_run=configured().is_run_database)
    return f"The database: {' — '.join(finding.texts())}. ({error.code})"


def refuse(reason: str) -> NoReturn:
    """Print the reason on standard error, and exit with 1."""
    click.echo(reason, err=True)
    sys.exit(1)


def confirm(question: str, *, yes: bool) -> None:
    """Ask the question unless `yes` is set. Exit if the answer is no, or if there is no terminal to ask at."""
    if yes:
        return
    if not sys.stdin.isatty():
        refuse(f"{question} Nothing was done: say --yes.")
    click.confirm(question, abort=True, err=True)


def with_progress(label: str, things: Iterable[T], length: int | None = None) -> Iterator[T]:
    """Yield each thing while a bar on standard error shows the progress; `length`: of what is no sequence."""
    with click.progressbar(things, length, label=label, file=sys.stderr, show_pos=True) as bar:
        yield from bar


def by_shard(lines: Iterable[bytes], label: str) -> Iterator[bytes]:
    """Yield the lines of an audit export while a bar on standard error shows how many shards are done."""
    with click.progressbar(length=len(keys.all_shards()), label=label, file=sys.stderr, show_pos=True) as bar:
        for line in lines:
            if line.startswith(b'{"type":"shard"'):
                bar.update(1)
            yield line


def agent(organization: str, name: str) -> Agent:
    """Return the agent of these names, or exit."""
    with exit_on_error():
        return Agent.named(organization, name)


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with its noun: `1 entry`, `2 entries`. Without `several` the plural is `one` and an s."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def table(rows: Iterable[Sequence[str]], echo: Callable[[str], object] = click.echo) -> None:
    """Print rows in columns, some hundred at a time as they come; the first row is the head.

    A column is as wide as its widest cell so far: among many rows it may grow on the way.
    """
    rest, widths = iter(rows), list[int]()
    while chunk := list(islice(rest, _ROWS_AHEAD)):
        lengths = [max(map(len, column)) for column in zip(*chunk, strict=True)]
        widths = list(map(max, lengths, widths or lengths))
        for row in chunk:
            echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
