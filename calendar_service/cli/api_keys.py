"""`calendar-service api-keys`: keys of the internal API."""

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
@click.option(
    "--organization",
    default="*",
    show_default=True,
    help="The one organization for which the key is valid; * for all.",
)
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="backend: schedules sessions; admin: sees, pauses and ends connections.",
)
@as_json_option
def new(caller: str, organization: str, role: str, *, as_json: bool) -> None:
    """Generate a key for one caller.

    Prints the key, and its entry for CALENDAR_API_KEYS. CALLER is the name that logs show. The entry contains only the
    key's hash. Nothing is stored, so the key cannot be printed again.
    """
    key = new_keys.new_api_key(caller, organization, Role(role))
    try:
        api_keys(key.entry)
    except ValueRefused as refused:
        raise click.UsageError("; ".join(what for what, _ in refused.args)) from None
    if as_json:
        print_json({"key": key.text.reveal(), "entry": key.entry})
    else:
        click.echo(f"Key, for the caller: {key.text.reveal()}")
        click.echo(f"Entry for CALENDAR_API_KEYS: {key.entry}")
