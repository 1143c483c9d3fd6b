"""`calendar-service keys`: the service's own keys. No command overwrites a key."""

import os
import sys
from pathlib import Path

import click

from calendar_service.cli.asking import (
    confirm,
    counted,
    exit_on_error,
    refuse,
    service,
    table,
    with_progress,
    yes_option,
)
from calendar_service.cli.key_files import KeyReader, write_keys
from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.config import Config, new_keys
from calendar_service.config.keys import entries
from calendar_service.journeys.operations.adoption import CannotAdopt
from calendar_service.journeys.operations.key_rotation import Rotation, Sealed
from calendar_service.store.ownership import Owner


@click.group("keys")
def command() -> None:
    """Keys of the service: keyring, identity key and signing key."""


@command.command("new")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each key to a file in this directory instead of printing it.",
)
@click.option(
    "--owner",
    default="",
    metavar="USER[:GROUP]",
    help="With --into: who reads the files, by name or number (in the image: 65534). Takes root.",
)
@click.option(
    "--mode",
    default="600",
    show_default=True,
    help="With --into: the mode of the files: 400, 440, 600 or 640.",
)
@as_json_option
def new(into: Path | None, owner: str, mode: str, *, as_json: bool) -> None:
    """Generate the keys of a new service.

    Prints keyring, identity key and signing key as variables. With --into it prints the names of the files. A
    directory that is not there is made, for the same user. An existing file is not overwritten: exit status 2, and
    nothing is written.
    """
    reader = KeyReader.of(owner, mode)
    if into is None and owner:
        raise click.UsageError("--owner needs --into.")
    variables = {
        "CALENDAR_KEYRING": new_keys.new_keyring(),
        "CALENDAR_IDENTITY_KEY": new_keys.new_key(),
        "CALENDAR_SIGNING_KEY": new_keys.new_key(),
    }
    if into:
        variables = write_keys(into, variables, reader)
    if as_json:
        print_json(variables)
    else:
        click.echo("\n".join(f"{name}={value}" for name, value in variables.items()))


@command.command("status")
@as_json_option
def status(*, as_json: bool) -> None:
    """Show how many records each key seals. A former key that seals none can be retired.

    Exit status: 0 shown, 1 the database does not answer, 2 unusable configuration.
    """
    with exit_on_error():
        keys = service().operations.rotation.status()
    if as_json:
        print_json([{name: getattr(sealed, name) for name in sealed.__slots__} for sealed in keys])
        return
    rows = [("key", "", "grants", "teardowns", "consents")]
    rows += [
        (one.key_id, _state(one), str(one.grants), str(one.teardowns), str(one.consents)) for one in keys
    ]
    table(rows)


@command.command("adopt")
@yes_option
def adopt(*, yes: bool) -> None:
    """Make a database this service's that holds data without check values.

    Only for data of this service, for example after a repair by hand: an empty database is begun by the first `serve`
    or `work`, and one that was begun with another identity key is never taken over. Nothing is set unless every agent
    lies where the configured identity key puts it, and a sealed record opens with the keyring. The configured Google
    client is set along with them: it has to be the one to which the permissions were given.

    Exit status: 0 adopted, 1 refused or the database does not answer, 2 unusable configuration or another service's
    database.
    """
    with exit_on_error():
        present = service(lambda store: store.ownership.require_unknown())
        if present.store.ownership.owner() is Owner.OURS:
            refuse("The database is this service's already: there is nothing to adopt.")
        present.store.ownership.require_unknown()
        client = present.config.google.client_id
        confirm(
            f"Is this data this service's, and were its permissions given to the Google client {client}?",
            yes=yes,
        )
        try:
            present.operations.adoption.adopt_keys()
        except CannotAdopt as error:
            refuse(f"{error}. Nothing was changed.")
    click.echo("The database is this service's from now on. `calendar-service doctor` looks over the rest.")


@command.command("rotate")
@click.option("--retire", metavar="ID", help="Afterwards remove this former key from the keyring.")
@click.option(
    "--force", is_flag=True, help="With --retire: remove it even if it seals records, which are then lost."
)
@as_json_option
def rotate(retire: str | None, *, force: bool, as_json: bool) -> None:
    """Seal every record under the current key.

    That is the keyring's first key. Traffic may run meanwhile. Prints how many records were sealed anew. A record that
    no key opens is named on standard error.

    Exit status: 0 done, 1 if a record cannot be opened or the key cannot be retired, 2 unusable configuration.
    """
    present = service()
    rotation = present.operations.rotation
    with exit_on_error():
        if retire:
            _can_be_retired(rotation, retire)
        result = rotation.rotate(lambda agents: with_progress("Sealing anew", agents))
        others = {sealed.key_id: sealed.total for sealed in rotation.status() if not sealed.current}
    if retire and others[retire] and not force:
        refuse(
            f"`{retire}` still seals {counted(others[retire], 'record')} (consents under way last ten minutes); "
            "it was not retired. Try again, or give them up with --force."
        )
    note = _retire(present.config, retire) if retire else ""
    if as_json:
        counts = {"resealed": result.resealed, "unopened": len(result.unopened)}
        print_json(counts | {"left": others, "retired": retire})
    else:
        resealed = f"{counted(result.resealed, 'record')} sealed anew"
        click.echo(f"{resealed}; under other keys: {sum(others.values())}. {note}".strip())
    for agent in result.unopened:
        click.echo(f"{agent.member}: cannot be opened with the keys of the keyring", err=True)
    sys.exit(bool(result.unopened))


def _state(sealed: Sealed) -> str:
    if sealed.current:
        return "current"
    if not sealed.known:
        return "NOT IN THE KEYRING"
    return "in use" if sealed.total else "can be retired"


def _can_be_retired(rotation: Rotation, retire: str) -> None:
    """Refuse the current key and an unknown one, before anything is changed."""
    current, *former = rotation.key_ids()
    if retire == current:
        refuse(f"`{retire}` is the current key. Put another one first in the keyring, then retire it.")
    if retire not in former:
        refuse(f"`{retire}` is not in the keyring, which holds {', '.join([current, *former])}.")


def _retire(config: Config, retire: str) -> str:
    """Take the key out of the keyring's file; a keyring in the environment is the operator's to change."""
    path = config.keyring_source.path
    if path is None:
        return f"Now take `{retire}` out of CALENDAR_KEYRING."
    others = [entry for entry in entries(path.read_text("utf-8")) if entry.partition(":")[0] != retire]
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, path.stat().st_mode & 0o777)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(",".join(others) + "\n")
    draft.replace(path)
    return f"`{retire}` was taken out of {path.name}."
