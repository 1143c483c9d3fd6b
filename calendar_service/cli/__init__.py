"""The command line: finds a command by its name and loads it."""

from importlib import import_module

import click

from calendar_service.processes import core_dumps

COMMANDS = (
    "run",
    "serve",
    "work",
    "google",
    "doctor",
    "sizing",
    "keys",
    "google-client",
    "api-keys",
    "connections",
    "hold",
    "audit",
    "receipt",
    "report",
    "reviewer",
    "webhooks",
)
"""In the order of the help text. Each is in a module of its name."""


class Commands(click.Group):
    """Loads a command's module when it is called, so that a small command does not load the web application."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="calendar-service")
def main() -> None:
    """Write scheduled video sessions into one dedicated Google calendar per agent.

    Every command reads its configuration from the CALENDAR_… variables. In development, variables that are not set
    are taken from the data directory of `run` (CALENDAR_DATA_DIR, .data by default).

    Exit status: 0 success, 1 a failure that is named on standard error, 2 an unusable configuration or argument.
    """
    core_dumps.forbid()
