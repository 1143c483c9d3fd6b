"""`calendar-service serve`. Must not hold more than the command."""

import click

from calendar_service.cli.asking import serving
from calendar_service.processes.ports import PortTaken, require_free
from calendar_service.web import server


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
def command(host: str) -> None:
    """Run one web process."""
    settings = serving("web")
    try:
        require_free(settings.port, "CALENDAR_PORT", host)
    except PortTaken as error:
        raise click.UsageError(str(error)) from None
    server.serve(settings, host)
