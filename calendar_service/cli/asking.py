"""What commands that end or change much share: a question before, progress meanwhile. Must not do the work itself."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from calendar_service import wiring
from calendar_service.cli.settings import configured
from calendar_service.cli.settings import refuse as refuse_configuration
from calendar_service.config import Config, ConfigurationFault
from calendar_service.domain.errors import ServiceError, StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.store import keys

T = TypeVar("T")

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def service() -> wiring.Service:
    """Return the service as configured, closed when the command ends.

    At a terminal standard error is for the person's eyes: log lines would tear the bar apart.
    """
    context = click.get_current_context()
    nowhere = Path(os.devnull).open("w") if sys.stderr.isatty() else None  # noqa: SIM115 - closed with the command
    if nowhere:
        context.call_on_close(nowhere.close)
    made = wiring.build(configured(), "command", log_to=nowhere)
    context.call_on_close(made.close)
    return made


def serving(process: str) -> Config:
    """Return the configuration of a process that serves agents, or exit: nobody is asked for too much (SC-5)."""
    settings = configured()
    with contextlib.closing(wiring.build(settings, process)) as made:
        try:
            refusals = list(made.connection.reconsent.refusals())
        except StoreUnavailable:
            return settings  # not ready until the database is there, and judged again then
    if refusals:
        where = f"CALENDAR_OPERATOR ({settings.operator.name})"
        refuse_configuration(ConfigurationFault(where, what, remedy) for what, remedy in refusals)
    return settings


@contextmanager
def told() -> Iterator[None]:
    """Turn what went wrong into one sentence and exit status 1."""
    try:
        yield
    except ServiceError as error:
        refuse(f"{error.detail} ({error.code})")


def refuse(words: str) -> NoReturn:
    """Say why not, and exit."""
    click.echo(words, err=True)
    sys.exit(1)


def agree(question: str, *, yes: bool) -> None:
    """Ask, unless that was answered on the command line; without a yes nothing happens."""
    if yes:
        return
    if not sys.stdin.isatty():
        refuse(f"{question} Nothing was done: say --yes.")
    click.confirm(question, abort=True, err=True)


def walked(label: str, things: Sequence[T]) -> Iterator[T]:
    """Yield each thing while a bar on standard error shows how far it is."""
    with click.progressbar(things, label=label, file=sys.stderr, show_pos=True) as bar:
        yield from bar


def by_shard(lines: Iterable[bytes], label: str) -> Iterator[bytes]:
    """Yield the lines of an audit export while a bar on standard error shows how many shards are done."""
    with click.progressbar(length=len(keys.all_shards()), label=label, file=sys.stderr, show_pos=True) as bar:
        for line in lines:
            if line.startswith(b'{"type":"shard"'):
                bar.update(1)
            yield line


def agent(organization: str, name: str) -> Agent:
    """Return the agent of these names, or refuse the names."""
    with told():
        return Agent.named(organization, name)


def counted(number: int, one: str, several: str = "") -> str:
    """Return `1 entry` or `2 entries`; a word without `several` takes an s."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def table(rows: Sequence[Sequence[str]], echo: Callable[[str], object] = click.echo) -> None:
    """Print rows in columns; the first row names them."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
