"""Envelope encryption: AES-256-GCM under a data key per connection, itself sealed by a keyring key (ST-1, law 8).

Each seal has an AES-256-GCM key of its own, derived from the data key or keyring key and half of a random nonce of
192 bits (XAES-256-GCM, https://c2sp.org/XAES-256-GCM). So no count of seals is kept: one key of AES-GCM with random
nonces may seal 2^32 times (NIST SP 800-38D 8.3); after 2^80 seals under one key here, the chance that a nonce was
repeated is 2^-32.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.cmac import CMAC

from calendar_service.crypto.derive import keyed_hash

FORMAT: Final = "cs2"
"""The version of the format: first in every blob, and in its associated data."""

NONCE_BYTES: Final = 24
_GCM_NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class CannotOpen(Exception):
    """A blob does not open here: foreign, moved, changed, truncated, or sealed by a key that is not in the keyring.

    One error for all of them, so that an attacker does not learn which.
    """

    def __init__(self) -> None:
        super().__init__("a sealed record cannot be opened with the keys at hand")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a blob belongs. Part of its associated data, so a blob that an attacker moves does not open."""

    organization: str
    agent: str
    connection: str
    """The connection's random id, or a fixed name where there is no connection yet."""


def encrypt(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Return ciphertext and 128-bit tag (NIST SP 800-38D). `key` is 32 bytes, `nonce` 12."""
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def decrypt(key: bytes, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    """Return the plaintext, or raise `CannotOpen`."""
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, associated)
    except (InvalidTag, ValueError):
        raise CannotOpen from None


def derived(key: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    """Return the key and the nonce of AES-256-GCM for a nonce of 24 bytes.

    The key is counter mode over CMAC (NIST SP 800-108r1) with the label `X` and half of the nonce as context.
    """
    context, rest = nonce[:_GCM_NONCE_BYTES], nonce[_GCM_NONCE_BYTES:]
    return b"".join(_cmac(key, bytes((0, counter)) + b"X\0" + context) for counter in (1, 2)), rest


def _cmac(key: bytes, block: bytes) -> bytes:
    mac = CMAC(AES256(key))
    mac.update(block)
    return mac.finalize()


def _associated(place: Place, purpose: str, key_id: str) -> bytes:
    # A JSON list, so that two different places never give the same bytes.
    return json.dumps([FORMAT, purpose, place.organization, place.agent, place.connection, key_id]).encode()


def _seal(key: bytes, key_id: str, place: Place, purpose: str, plaintext: bytes) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = encrypt(*derived(key, nonce), plaintext, _associated(place, purpose, key_id))
    return f"{FORMAT}.{key_id}.{urlsafe_b64encode(nonce + sealed).decode()}"


def _open(key: bytes, key_id: str, place: Place, purpose: str, raw: bytes) -> bytes:
    nonce, sealed = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
    return decrypt(*derived(key, nonce), sealed, _associated(place, purpose, key_id))


def _split(blob: str) -> tuple[str, bytes]:
    version, _, rest = blob.partition(".")
    key_id, _, body = rest.rpartition(".")
    try:
        raw = urlsafe_b64decode(body.encode())
    except (Base64Error, ValueError):
        raise CannotOpen from None
    # The decoder ignores stray bits and characters, so only the one spelling that `_seal` writes is accepted.
    if version != FORMAT or len(raw) <= NONCE_BYTES or urlsafe_b64encode(raw).decode() != body:
        raise CannotOpen
    return key_id, raw


class DataKey:
    """The open data key of one connection: seals fields, and computes hashes that nobody can repeat without it."""

    def __init__(self, key: bytes, place: Place, wrapped: str) -> None:
        self._key = key
        self._place = place
        self.wrapped = wrapped
        """The data key sealed by a key-encryption key; the store keeps this."""

    def seal(self, field: str, plaintext: bytes) -> str:
        """Return `plaintext` sealed for this field and place."""
        return _seal(self._key, "data", self._place, field, plaintext)

    def open(self, field: str, blob: str) -> bytes:
        """Return what `seal` was given for this field and place, or raise `CannotOpen`."""
        key_id, raw = _split(blob)
        if key_id != "data":
            raise CannotOpen
        return _open(self._key, key_id, self._place, field, raw)

    def keyed_hash(self, label: str, data: bytes) -> bytes:
        """Return HMAC-SHA-256 of `data` under a key derived for `label` (RFC 5869)."""
        return keyed_hash(self._key, label, data)


class Vault:
    """The key-encryption keys. The first is current and seals; the others only open."""

    def __init__(self, keyring: Callable[[], Sequence[tuple[str, bytes]]]) -> None:
        """Take `keyring`, which is called at each use, so that a rotated key file takes effect at once."""
        self._keyring = keyring

    def new_key(self, place: Place) -> DataKey:
        """Return a fresh data key for this place."""
        key = secrets.token_bytes(KEY_BYTES)
        return DataKey(key, place, self._wrap(key, place))

    def open_key(self, place: Place, wrapped: str) -> DataKey:
        """Return the data key that `wrapped` holds for this place, or raise `CannotOpen`."""
        key_id, raw = _split(wrapped)
        for candidate, kek in self._keyring():
            if candidate == key_id:
                return DataKey(_open(kek, key_id, place, "data-key", raw), place, wrapped)
        raise CannotOpen

    def needs_resealing(self, wrapped: str) -> bool:
        """Tell whether a former key seals this data key."""
        return _split(wrapped)[0] != self._keyring()[0][0]

    @staticmethod
    def key_id(wrapped: str) -> str:
        """Return the id of the key that seals this data key, or raise `CannotOpen`."""
        return _split(wrapped)[0]

    def resealed(self, key: DataKey) -> DataKey:
        """Return the same data key, sealed by the current key-encryption key."""
        secret, place = key._key, key._place  # noqa: SLF001 - `DataKey` shows its key to nobody else
        return DataKey(secret, place, self._wrap(secret, place))

    def _wrap(self, key: bytes, place: Place) -> str:
        key_id, kek = self._keyring()[0]
        return _seal(kek, key_id, place, "data-key", key)
