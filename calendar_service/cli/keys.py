"""`calendar-service keys`: the service's own keys. Must never replace a key."""

import os
from pathlib import Path

import click

from calendar_service.cli.asking import counted, refuse, service, table, told, walked
from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.config import Config, new_keys
from calendar_service.config.keys import entries
from calendar_service.journeys.operations.key_rotation import Rotation, Sealed


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
        "CALENDAR_KEYRING": new_keys.new_keyring(),
        "CALENDAR_IDENTITY_KEY": new_keys.new_key(),
        "CALENDAR_SIGNING_KEY": new_keys.new_key(),
    }
    if into:
        made = {f"{variable}_FILE": str(_written(into, variable, text)) for variable, text in made.items()}
    if as_json:
        print_json(made)
    else:
        click.echo("\n".join(f"{variable}={value}" for variable, value in made.items()))


@command.command("status")
@as_json_option
def status(*, as_json: bool) -> None:
    """Show how much each key seals. A key of the keyring that seals nothing can be retired."""
    with told():
        found = service().operations.rotation.status()
    if as_json:
        print_json([{name: getattr(sealed, name) for name in sealed.__slots__} for sealed in found])
        return
    rows = [("key", "", "grants", "teardowns", "consents")]
    rows += [
        (one.key_id, _standing(one), str(one.grants), str(one.teardowns), str(one.consents)) for one in found
    ]
    table(rows)


@command.command("rotate")
@click.option("--retire", metavar="ID", help="Then take this former key out of the keyring.")
@click.option("--force", is_flag=True, help="Retire it even if it seals something: that is lost.")
@as_json_option
def rotate(retire: str | None, *, force: bool, as_json: bool) -> None:
    """Seal every grant and errand under the keyring's first key, while traffic runs."""
    made = service()
    rotation = made.operations.rotation
    with told():
        if retire:
            _can_be_retired(rotation, retire)
        done = rotation.rotate(lambda agents: walked("Sealing anew", agents))
        left = {sealed.key_id: sealed.total for sealed in rotation.status() if not sealed.current}
    if retire and left[retire] and not force:
        refuse(
            f"`{retire}` still seals {counted(left[retire], 'record')} (consents under way last ten minutes); "
            "it was not retired. Try again, or give them up with --force."
        )
    note = _retire(made.config, retire) if retire else ""
    if as_json:
        print_json(
            {"resealed": done.resealed, "unopened": len(done.unopened), "left": left, "retired": retire}
        )
    else:
        click.echo(
            f"{counted(done.resealed, 'record')} sealed anew; under other keys: {sum(left.values())}. {note}".strip()
        )
    for agent in done.unopened:
        click.echo(f"{agent.member}: cannot be opened with the keys at hand", err=True)
    if done.unopened:
        raise SystemExit(1)


def _standing(sealed: Sealed) -> str:
    if sealed.current:
        return "current"
    if not sealed.known:
        return "NOT IN THE KEYRING"
    return "in use" if sealed.total else "can be retired"


def _can_be_retired(rotation: Rotation, retire: str) -> None:
    """Refuse before anything is done: the current key, and a key that is not there."""
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
    kept = [entry for entry in entries(path.read_text("utf-8")) if entry.partition(":")[0] != retire]
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, path.stat().st_mode & 0o777)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(",".join(kept) + "\n")
    draft.replace(path)
    return f"`{retire}` was taken out of {path.name}."


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
