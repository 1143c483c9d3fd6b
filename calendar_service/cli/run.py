"""`calendar-service run`. Must not hold more than the command."""

import os

import click

from calendar_service import launcher
from calendar_service.cli.settings import refuse
from calendar_service.config import ConfigurationFaults
from calendar_service.embedded import EmbeddedValkeyError
from calendar_service.ports import PortTaken


@click.command("run")
def command() -> None:
    """Start everything on this machine for development: database, local Google, web, worker."""
    try:
        launcher.Launcher(os.environ).run()
    except ConfigurationFaults as error:
        refuse(error.faults)
    except PortTaken as error:
        raise click.UsageError(str(error)) from None
    except (launcher.CannotRun, EmbeddedValkeyError) as error:
        raise click.ClickException(str(error)) from None
