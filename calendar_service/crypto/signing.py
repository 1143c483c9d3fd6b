"""Documents signed with the operator's Ed25519 key (RFC 8032) over their canonical JSON (RFC 8785)."""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class SignatureInvalid(Exception):
    """The document is not what the operator signed; the text says why."""


def public_key_text(key: Ed25519PublicKey) -> str:
    """Return the public key as it is published: its 32 bytes in base64."""
    return b64encode(key.public_bytes_raw()).decode()


def signed(body: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the document with its public key and its signature."""
    unsigned_document = {**body, "public_key": public_key_text(key.public_key())}
    return {**unsigned_document, "signature": b64encode(key.sign(rfc8785.dumps(unsigned_document))).decode()}


def check(document: Mapping[str, Any], public_keys: Sequence[str], unsigned: frozenset[str]) -> None:
    """Raise `SignatureInvalid` unless one of these keys signed the document without its members `unsigned`."""
    try:
        signature = b64decode(document["signature"], validate=True)
        body = {name: value for name, value in document.items() if name not in unsigned | {"signature"}}
        if b64encode(signature).decode() != document["signature"]:
            raise SignatureInvalid("was changed after it was signed")  # spare bits of the last digit
        key = body["public_key"]
        covered = rfc8785.dumps(body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SignatureInvalid("is not a whole signed JSON object") from None
    if key not in public_keys:
        raise SignatureInvalid("names a signing key that is not the operator's")
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(key)).verify(signature, covered)
    except (InvalidSignature, ValueError):
        raise SignatureInvalid("was changed after it was signed") from None
