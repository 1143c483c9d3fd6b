"""The command that starts the local Google. Must not hold rules."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from local_google.context import Context
from local_google.control import month
from local_google.server import serve
from local_google.state.clients import (
    DEFAULT_APP_NAME,
    DEFAULT_CLIENT_ID,
    DEFAULT_CLIENT_SECRET,
    DEFAULT_PROJECT,
    RegisteredClient,
    parse_client,
)


def default_client() -> RegisteredClient:
    """The service on this machine, at the address that the environment gives."""
    port = os.environ.get("CALENDAR_PORT") or "8080"
    public = os.environ.get("CALENDAR_PUBLIC_URL") or f"http://localhost:{port}"
    redirect = f"{public.rstrip('/')}/oauth/callback"
    return RegisteredClient(
        DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_PROJECT, (redirect,), DEFAULT_APP_NAME
    )


def _clients(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> list[RegisteredClient]:
    try:
        return [parse_client(value) for value in values]
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from wrong


@click.command()
@click.option(
    "--port", envvar="CALENDAR_GOOGLE_PORT", default=8081, show_default=True, help="0: any free port."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the books are kept between runs; without it (and without CALENDAR_DATA_DIR) in memory.",
)
@click.option(
    "--client",
    "clients",
    multiple=True,
    callback=_clients,
    help="An OAuth client: 'id|secret|project|redirect[,redirect…][|app name]'. May be repeated.",
)
@click.option(
    "--clock",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="CALENDAR_TEST_CLOCK",
    help="A file that holds an offset in seconds; read again at each use.",
)
@click.option("--seed", default=0, show_default=True, help="For faults with a probability, and for --month.")
@click.option(
    "--month",
    "agents",
    type=click.IntRange(1, 5000),
    help="Begin with a month of a contact centre of that many agents (200 take some seconds).",
)
def google(
    port: int,
    host: str,
    data_dir: Path | None,
    clients: list[RegisteredClient],
    clock: Path | None,
    seed: int,
    agents: int | None,
) -> None:
    """Run the local Google: OAuth, Calendar v3 and their failures, for development and tests."""
    if data_dir is None and os.environ.get("CALENDAR_DATA_DIR"):
        data_dir = Path(os.environ["CALENDAR_DATA_DIR"]) / "google"
    serve(
        port=port,
        data_dir=data_dir,
        clients=clients or [default_client()],
        host=host,
        clock_file=clock,
        seed=seed,
        prepare=None if agents is None else partial(_month, agents=agents, seed=seed),
    )


def _month(world: Context, *, agents: int, seed: int) -> None:
    """Fill the books, showing how far it is."""
    steps = month.fill(world, agents, month.first_monday(world), seed)
    whose = f"{agents} agent{'' if agents == 1 else 's'}"
    with click.progressbar(steps, length=agents, label=f"A month of {whose}", file=sys.stderr) as shown:
        made = sum(shown)
    click.echo(f"{made} events of {whose}", err=True)
