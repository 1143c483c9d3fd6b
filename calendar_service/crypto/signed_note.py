"""Signed notes: texts under Ed25519 signatures, in the form of https://c2sp.org/signed-note, which many tools verify.

A note is a text that ends in a newline, an empty line, and signature lines:
`— <key name> <base64 of 4-byte key id and signature>`. The same key signs receipts, which are canonical JSON
(`signing.py`). JSON begins with `{` and has no newline; a note's text begins with a key name and ends in one. So
neither signature can stand under the other kind of document.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from calendar_service.crypto.signing import SignatureInvalid

_ED25519 = b"\x01"
"""The signature type of Ed25519 in key ids and verifier keys."""
_ID_BYTES = 4
_SIGNATURE_LINE = re.compile(r"— (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/]+={0,2})")
_VERIFIER_KEY = re.compile(r"(?P<name>[^\s+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]+={0,2})")
_KEY_NAME = re.compile(r"[^\s+{][^\s+]*")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURES = 16
"""The most signatures that are read under one note; verifiers have to accept as many."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A named public key under which notes verify."""

    name: str
    public_key: bytes
    """32 bytes (RFC 8032)."""

    @classmethod
    def of_text(cls, text: str) -> "VerifierKey":
        """Read `<name>+<key id in hexadecimal>+<base64 of 0x01 and the key>`; raise `ValueError` with the reason."""
        match = _VERIFIER_KEY.fullmatch(text)
        encoded = b64decode(match["key"], validate=True) if match else b""
        if match is None or len(encoded) != 33 or encoded[:1] != _ED25519:
            raise ValueError("is not a verifier key of the form name+id+base64 for Ed25519")
        key = cls(match["name"], encoded[1:])
        if key.id.hex() != match["id"]:
            raise ValueError("has an id that does not belong to its name and key")
        return key

    @property
    def id(self) -> bytes:
        """The key id: 4 bytes, which depend on the name too."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.public_key).decode()}"


def verifier_key(name: str, key: Ed25519PrivateKey) -> VerifierKey:
    """Return the key under which notes verify that this key signs under this name.

    Raises `ValueError` if it can be no key name: spaces and `+` are not allowed; a leading `{` would be JSON.
    """
    if not _KEY_NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be the name of a key")
    return VerifierKey(name, key.public_key().public_bytes_raw())


def signed_note(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """Return the note of this text, which begins with the key's name and ends in a newline, with one signature."""
    if not text.startswith(f"{name}\n") or not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("a note begins with the key's name, ends in a newline and has no control characters")
    signature = verifier_key(name, key).id + key.sign(text.encode())
    return f"{text}\n— {name} {b64encode(signature).decode()}\n"


def verified_text(note: str, keys: Sequence[VerifierKey]) -> str:
    """Return the note's text if one of these keys signed it; raise `SignatureInvalid` with the reason.

    Signatures of unknown keys are ignored. One of a known key that does not verify refuses the whole note.
    """
    text, signatures = _parts(note)
    by_name_and_id = {(key.name, key.id): key for key in keys}
    is_signed = False
    for name, signature in signatures:
        key = by_name_and_id.get((name, signature[:_ID_BYTES]))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature[_ID_BYTES:], text.encode())
        except (InvalidSignature, ValueError):
            raise SignatureInvalid("was changed after it was signed") from None
        is_signed = True
    if not is_signed:
        raise SignatureInvalid("is not signed by the operator's key")
    return text


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, gap, rest = note.rpartition("\n\n")
    lines = [_SIGNATURE_LINE.fullmatch(line) for line in rest.split("\n")[:-1]]
    if not gap or not note.endswith("\n") or _CONTROL.search(note) or not 0 < len(lines) <= _SIGNATURES:
        raise SignatureInvalid("is not a signed note")
    signatures = []
    for match in lines:
        try:
            signature = b64decode(match["signature"], validate=True) if match else b""
        except ValueError:
            signature = b""
        if match is None or len(signature) <= _ID_BYTES:
            raise SignatureInvalid("is not a signed note")
        signatures.append((match["name"], signature))
    return f"{text}\n", signatures
