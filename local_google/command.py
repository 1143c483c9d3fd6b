"""The command that starts the local Google: ``python -m local_google`` and ``calendar-service google``."""

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
    """The client of the service on this machine: CALENDAR_PUBLIC_URL or CALENDAR_PORT gives its redirect address."""
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
    "--port",
    envvar="CALENDAR_GOOGLE_PORT",
    default=8081,
    show_default=True,
    help="The port to listen on; 0 takes any free port.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where accounts, tokens and calendars are kept between runs. Without it they are kept in google/ under "
    "CALENDAR_DATA_DIR, or, if that is not set, in memory.",
)
@click.option(
    "--client",
    "clients",
    multiple=True,
    callback=_clients,
    help="An OAuth client: 'id|secret|project|redirect[,redirect…][|app name]'; 'desktop' as the redirect makes a "
    "Desktop client, which may use any port on this machine. May be repeated. Without it, the service on this "
    "machine is the only client.",
)
@click.option(
    "--clock",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="CALENDAR_TEST_CLOCK",
    help="A file with the number of seconds to add to the time; read again at each use.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    help="The seed of chance: for faults with a probability, and for --month.",
)
@click.option(
    "--month",
    "agents",
    type=click.IntRange(1, 5000),
    help="Begin with four weeks of sessions of a contact centre with that many agents (200 take some seconds).",
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
    """Run the local Google: OAuth, Calendar v3 and their failures, for development and tests.

    Faults and switches are set while it runs, under /_control/faults and /_control/switches; docs/local-google.md
    has the list.
    """
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


def _month(context: Context, *, agents: int, seed: int) -> None:
    """Create the month, with a progress bar on stderr."""
    steps = month.fill(context, agents, month.first_monday(context), seed)
    whose = f"{agents} agent{'' if agents == 1 else 's'}"
    with click.progressbar(steps, length=agents, label=f"A month of {whose}", file=sys.stderr) as shown:
        count = sum(shown)
    click.echo(f"{count} events of {whose}", err=True)
