"""`calendar-service keys`: the service's own keys. Must never replace a key."""

import os
from pathlib import Path

import click

from calendar_service import newkeys
from calendar_service.cli.settings import as_json_option, print_json


@click.group("keys")
def command() -> None:
    """Keys of the service itself."""


@command.command("new")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each key into a file of this directory (mode 0600) instead of printing it.",
)
@as_json_option
def new(into: Path | None, *, as_json: bool) -> None:
    """Make a keyring, an identity key and a signing key."""
    made = {
        "CALENDAR_KEYRING": newkeys.new_keyring(),
        "CALENDAR_IDENTITY_KEY": newkeys.new_key(),
        "CALENDAR_SIGNING_KEY": newkeys.new_key(),
    }
    if into:
        made = {f"{variable}_FILE": str(_written(into, variable, text)) for variable, text in made.items()}
    if as_json:
        print_json(made)
    else:
        click.echo("\n".join(f"{variable}={value}" for variable, value in made.items()))


def _written(folder: Path, variable: str, text: str) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder.absolute() / variable.removeprefix("CALENDAR_").replace("_", "-").lower()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.UsageError(f"{path} is there already; a key is never replaced.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
    return path
