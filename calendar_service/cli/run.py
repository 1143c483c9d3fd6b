"""`calendar-service run`: everything on this machine."""

import os

import click

from calendar_service.cli.settings import refuse
from calendar_service.config import ConfigurationFaults
from calendar_service.development import run
from calendar_service.development.valkey import EmbeddedValkeyError
from calendar_service.processes.ports import PortTaken


@click.command("run")
def command() -> None:
    """Run everything on this machine, for development.

    Starts database, local Google, worker and web. Creates keys and data in CALENDAR_DATA_DIR (.data by default),
    prints the addresses to open, and runs until Ctrl-C or SIGTERM. With CALENDAR_REDIS_URL it starts no database; with
    CALENDAR_GOOGLE_CLIENT_ID no local Google.

    Exit status: 0 stopped by a signal, 1 a process ended or did not start, 2 unusable configuration or port.
    """
    try:
        run.Launcher(os.environ).run()
    except ConfigurationFaults as error:
        refuse(error.faults)
    except PortTaken as error:
        raise click.UsageError(str(error)) from None
    except (run.CannotRun, EmbeddedValkeyError) as error:
        raise click.ClickException(str(error)) from None
