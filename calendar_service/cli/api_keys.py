"""`calendar-service api-keys`: keys of the internal API. Must not keep a key's text."""

import click

from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.config import Role, new_keys
from calendar_service.config.faults import ValueRefused
from calendar_service.config.keys import api_keys


@click.group("api-keys")
def command() -> None:
    """Keys of the internal API."""


@command.command("new")
@click.argument("caller")
@click.option("--organization", default="*", show_default=True, help="The one it speaks for; * for all.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@as_json_option
def new(caller: str, organization: str, role: str, *, as_json: bool) -> None:
    """Make a key for CALLER. It is shown once; CALENDAR_API_KEYS takes the entry, which holds its hash."""
    made = new_keys.new_api_key(caller, organization, Role(role))
    try:
        api_keys(made.entry)
    except ValueRefused as refused:
        raise click.UsageError("; ".join(what for what, _ in refused.args)) from None
    if as_json:
        print_json({"key": made.text.reveal(), "entry": made.entry})
    else:
        click.echo(f"Key, for the caller: {made.text.reveal()}")
        click.echo(f"Entry for CALENDAR_API_KEYS: {made.entry}")
