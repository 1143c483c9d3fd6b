"""Key derivation, and the one keyed hash of the service."""

import hmac
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_CONTEXT: Final = "cs1"
"""Keeps these keys apart from those that another program derives from the same secret."""


def derived_key(key: bytes, label: str) -> bytes:
    """Return the 32 bytes that HKDF-SHA-256 makes for `label` (RFC 5869)."""
    return HKDFExpand(algorithm=SHA256(), length=32, info=f"{_CONTEXT} {label}".encode()).derive(key)


def keyed_hash(key: bytes, label: str, data: bytes) -> bytes:
    """Return HMAC-SHA-256 of `data` under the HKDF-SHA-256 key for `label` (RFC 5869)."""
    return hmac.new(derived_key(key, label), data, sha256).digest()
