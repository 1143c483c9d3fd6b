"""The command line: finds the command that was asked for. Must not do anything itself."""

from importlib import import_module

import click

COMMANDS = (
    "run",
    "serve",
    "work",
    "google",
    "doctor",
    "keys",
    "api-keys",
    "connections",
    "hold",
    "audit",
    "receipt",
    "report",
    "reviewer",
    "webhooks",
)
"""In the order of the help text. Each lives in a module of its name and is loaded when it is asked for."""


class Commands(click.Group):
    """Loads a command when it is called: starting the local Google must not load the web application."""

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

    Every command reads its configuration from CALENDAR_… variables; beside a data directory that
    `run` made (CALENDAR_DATA_DIR, .data by default) it takes from there what they do not set.
    """
