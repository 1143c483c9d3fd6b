"""`calendar-service run`. Must not hold more than the command."""

import os

import click

from calendar_service.cli.settings import refuse
from calendar_service.config import ConfigurationFaults
from calendar_service.development import run
from calendar_service.development.valkey import EmbeddedValkeyError
from calendar_service.processes.ports import PortTaken


@click.command("run")
def command() -> None:
    """Start everything on this machine for development: database, local Google, web, worker."""
    try:
        run.Launcher(os.environ).run()
    except ConfigurationFaults as error:
        refuse(error.faults)
    except PortTaken as error:
        raise click.UsageError(str(error)) from None
    except (run.CannotRun, EmbeddedValkeyError) as error:
        raise click.ClickException(str(error)) from None
