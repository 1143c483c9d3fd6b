"""`calendar-service receipt`: verifies receipts of erasures."""

import sys
from typing import BinaryIO, TextIO

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.cli.settings import as_json_option, configured, print_json
from calendar_service.crypto.signing import public_key_text
from calendar_service.journeys.connection.receipts import ReceiptInvalid, verify


@click.group("receipt")
def command() -> None:
    """Receipts of erasures."""


@command.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--public-key",
    multiple=True,
    help="A published public key; without one, the configured key's. May be repeated.",
)
@click.option(
    "--public-key-file",
    type=click.File("r"),
    help="A file with public keys, as /receipts/public-key serves it.",
)
@as_json_option
def verify_file(
    file: BinaryIO, public_key: tuple[str, ...], public_key_file: TextIO | None, *, as_json: bool
) -> None:
    """Verify a receipt.

    It is valid if the operator signed FILE (- for standard input) and nothing was changed since. With a public key it
    works offline and without a configuration.

    Exit status: 0 genuine and unchanged, 1 not, 2 unusable configuration or argument.
    """
    published = (*public_key, *(public_key_file.read().split() if public_key_file else ()))
    try:
        number, reason = str(verify(file.read(), published or (_own_public_key(),))["number"]), ""
    except ReceiptInvalid as error:
        number, reason = "", str(error)
    if as_json:
        print_json({"valid": not reason, "number": number, "reason": reason})
    else:
        click.echo(
            reason
            or f"Receipt {number} is genuine and unchanged. The signature does not cover `salt`, which only shows whom "
            "the receipt concerns."
        )
    sys.exit(bool(reason))


def _own_public_key() -> str:
    return public_key_text(Ed25519PrivateKey.from_private_bytes(configured().signing_key).public_key())
