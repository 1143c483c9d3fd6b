"""`calendar-service serve`: the web process."""

import click

from calendar_service.cli.asking import begin
from calendar_service.processes.ports import PortTaken, require_free
from calendar_service.web import server


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
def command(host: str) -> None:
    """Run one web process.

    It serves API, pages and Google's callbacks on CALENDAR_PORT. It runs until SIGINT or SIGTERM, then lets requests
    under way finish. It logs one JSON line per event to standard error. Several may run at the same time.

    The first process that finds the database empty makes it this service's. One that finds another service's database
    touches nothing and exits.

    Exit status: 0 stopped by a signal, 2 unusable configuration or port, or another service's database.
    """
    start = begin("web")
    settings = start.config
    try:
        require_free(settings.port, "CALENDAR_PORT", host)
    except PortTaken as error:
        raise click.UsageError(str(error)) from None
    start.announce("web", settings.port)
    server.serve(settings, host)
