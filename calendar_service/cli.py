"""The command line: reads arguments, calls what does the work, prints. Must not show content or decide anything."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NoReturn

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service import config, doctor, launcher, newkeys, server, wiring, worker
from calendar_service.config import Config, ConfigurationFaults, Fault, Role
from calendar_service.config.faults import Refused
from calendar_service.config.keys import api_keys as parse_api_keys
from calendar_service.embedded import EmbeddedValkeyError
from calendar_service.journeys.receipts import ReceiptInvalid, public_key_text, verify
from calendar_service.log import Log, tame
from calendar_service.ports import PortTaken, require_free
from calendar_service.sandbox.command import google

USAGE = 2
"""The exit status for a configuration or an argument that cannot be used."""

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="calendar-service")
def main() -> None:
    """Write scheduled video sessions into one dedicated Google calendar per agent.

    Every command reads its configuration from CALENDAR_… variables; beside a data directory that
    `run` made (CALENDAR_DATA_DIR, .data by default) it takes from there what they do not set.
    """


main.add_command(google)


def _refuse(faults: Iterable[Fault]) -> NoReturn:
    click.echo("The configuration cannot be used:", err=True)
    for fault in faults:
        click.echo(f"  {fault}", err=True)
    sys.exit(USAGE)


def _configured() -> Config:
    try:
        return config.load(os.environ)
    except ConfigurationFaults as error:
        _refuse(error.faults)


@main.command()
def run() -> None:
    """Start everything on this machine for development: database, local Google, web, worker."""
    try:
        launcher.Launcher(os.environ).run()
    except ConfigurationFaults as error:
        _refuse(error.faults)
    except PortTaken as error:
        raise click.UsageError(str(error)) from None
    except (launcher.CannotRun, EmbeddedValkeyError) as error:
        raise click.ClickException(str(error)) from None


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
def serve(host: str) -> None:
    """Run one web process."""
    settings = _configured()
    try:
        require_free(settings.port, "CALENDAR_PORT", host)
    except PortTaken as error:
        raise click.UsageError(str(error)) from None
    server.serve(settings, host)


@main.command()
def work() -> None:
    """Run one worker process: finishes what was accepted, erases what is due."""
    settings = _configured()
    tame(Log("worker"))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    worker.run(wiring.build(settings, "worker"), stop)


@main.command("doctor")
@_as_json
def examine(*, as_json: bool) -> None:
    """Look over configuration, profile, database, keys and clocks; exit 1 if something has to be mended."""
    findings = list(doctor.examine(_configured()))
    if as_json:
        _print_json([{field: getattr(found, field) for field in found.__slots__} for found in findings])
    else:
        for found in findings:
            remedy = f" — {found.remedy}" if found.remedy else ""
            click.echo(f"{found.level:5} {found.check}: {found.detail}{remedy}")
    sys.exit(any(found.level == "fault" for found in findings))


@main.group()
def keys() -> None:
    """Keys of the service itself."""


@keys.command("new")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each key into a file of this directory (mode 0600) instead of printing it.",
)
@_as_json
def new_keys(into: Path | None, *, as_json: bool) -> None:
    """Make a keyring, an identity key and a signing key."""
    made = {
        "CALENDAR_KEYRING": newkeys.new_keyring(),
        "CALENDAR_IDENTITY_KEY": newkeys.new_key(),
        "CALENDAR_SIGNING_KEY": newkeys.new_key(),
    }
    if into:
        made = {f"{variable}_FILE": str(_written(into, variable, text)) for variable, text in made.items()}
    _print_variables(made, as_json=as_json)


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


def _print_variables(variables: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        _print_json(variables)
    else:
        for variable, value in variables.items():
            click.echo(f"{variable}={value}")


@main.group("api-keys")
def api_keys() -> None:
    """Keys of the internal API."""


@api_keys.command("new")
@click.argument("caller")
@click.option("--organization", default="*", show_default=True, help="The one it speaks for; * for all.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@_as_json
def new_api_key(caller: str, organization: str, role: str, *, as_json: bool) -> None:
    """Make a key for CALLER. It is shown once; CALENDAR_API_KEYS takes the entry, which holds its hash."""
    made = newkeys.new_api_key(caller, organization, Role(role))
    try:
        parse_api_keys(made.entry)
    except Refused as refused:
        raise click.UsageError("; ".join(what for what, _ in refused.args)) from None
    if as_json:
        _print_json({"key": made.text.reveal(), "entry": made.entry})
    else:
        click.echo(f"Key, for the caller: {made.text.reveal()}")
        click.echo(f"Entry for CALENDAR_API_KEYS: {made.entry}")


@main.group()
def receipt() -> None:
    """Receipts of erasures."""


@receipt.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option("--public-key", multiple=True, help="A key the operator published; without it, our own.")
@_as_json
def verify_receipt(file: BinaryIO, public_key: tuple[str, ...], *, as_json: bool) -> None:
    """Check that FILE (- for standard input) is a receipt as it was signed; exit 0 if so, else 1."""
    try:
        number, reason = verify(file.read(), public_key or (_own_public_key(),))["number"], ""
    except ReceiptInvalid as error:
        number, reason = "", str(error)
    if as_json:
        _print_json({"valid": not reason, "number": number, "reason": reason})
    else:
        click.echo(reason or f"Receipt {number} is genuine and unchanged.")
    sys.exit(bool(reason))


def _own_public_key() -> str:
    return public_key_text(Ed25519PrivateKey.from_private_bytes(_configured().signing_key).public_key())


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
