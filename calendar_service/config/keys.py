"""Parses the texts of keys and refuses bad ones."""

import binascii
import re
from base64 import b64decode, urlsafe_b64decode
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise

from calendar_service.config.faults import ValueRefused
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.names import name
from calendar_service.domain.secret import Secret

KEY_BYTES = 32
NEW_KEY = "make one with `calendar-service keys new`"
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_CALLER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_HEX = re.compile(r"[0-9a-f]{64}")


class Role(StrEnum):
    """What a key of the internal API may do (contract: internal API)."""

    BACKEND = "backend"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key of the internal API; only its hash is known."""

    name: str
    """The caller's name for the log."""
    organization: str
    """The organization for which it is valid, or `*` for all."""
    role: Role
    sha256: str
    """SHA-256 of the key's text, lower-case hexadecimal."""


def entries(text: str) -> list[str]:
    """Return the entries of a list that commas, blanks or line ends separate."""
    return [entry for entry in re.split(r"[,\s]+", text) if entry]


def base64_key(text: str) -> bytes:
    """Return 32 key bytes from base64 (RFC 4648, either alphabet), or raise `ValueRefused`."""
    padded = text + "=" * (-len(text) % 4)
    try:
        key = urlsafe_b64decode(padded) if {"-", "_"} & set(text) else b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueRefused(("is not base64", NEW_KEY)) from None
    if len(key) != KEY_BYTES:
        raise ValueRefused((f"has {len(key)} bytes instead of {KEY_BYTES}", NEW_KEY))
    if _is_not_random(key):
        raise ValueRefused(("is an all-zero, repeated or example key, not a random one", NEW_KEY))
    return key


def _is_not_random(key: bytes) -> bool:
    """Recognize zero, repeated, counted and typed keys; a random key looks like one in fewer than 1 of 10^13."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    typed = all(0x20 <= byte < 0x7F for byte in key)
    return len(set(key)) <= KEY_BYTES // 4 or len(steps) == 1 or key[:16] == key[16:] or typed


def keyring(text: str) -> tuple[tuple[str, bytes], ...]:
    """Return `id:base64key` entries in order, the current key first; raise `ValueRefused` with all reasons."""
    ring: list[tuple[str, bytes]] = []
    reasons: list[tuple[str, str]] = []
    for number, entry in enumerate(entries(text), start=1):
        key_id, _, encoded = entry.partition(":")
        if not _KEY_ID.fullmatch(key_id) or not encoded:
            reasons.append((f"entry {number} is not `id:base64key`", NEW_KEY))
            continue
        try:
            ring.append((key_id, base64_key(encoded)))
        except ValueRefused as refused:
            reasons += [(f"key `{key_id}` {what}", remedy) for what, remedy in refused.args]
    reasons += _repeated("key id", [key_id for key_id, _ in ring])
    if len({key for _, key in ring}) < len(ring):
        reasons.append(("holds the same key under two ids", "keep one of them"))
    if not ring and not reasons:
        reasons.append(("holds no key", NEW_KEY))
    if reasons:
        raise ValueRefused(*reasons)
    return tuple(ring)


def api_keys(text: str) -> tuple[ApiKey, ...]:
    """Return `name:organization|*:backend|admin:sha256hex` entries; raise `ValueRefused` with all reasons."""
    keys: list[ApiKey] = []
    reasons: list[tuple[str, str]] = []
    for number, entry in enumerate(entries(text), start=1):
        try:
            keys.append(_api_key(entry))
        except ValueRefused as refused:
            reasons += [(f"entry {number} {what}", remedy) for what, remedy in refused.args]
    reasons += _repeated("name", [key.name for key in keys])
    reasons += _repeated("hash", [key.sha256 for key in keys])
    if not keys and not reasons:
        reasons.append(("holds no key", "make one with `calendar-service api-keys new`"))
    if reasons:
        raise ValueRefused(*reasons)
    return tuple(keys)


def _api_key(entry: str) -> ApiKey:
    # An organization's name may contain colons; the caller's name, the role and the hash cannot.
    caller, _, rest = entry.partition(":")
    organization, _, tail = rest.rpartition(":")
    organization, _, role = organization.rpartition(":")
    form = "write `name:organization:role:sha256`, as `calendar-service api-keys new` prints it"
    if not _CALLER.fullmatch(caller):
        raise ValueRefused(("has no name of letters, digits, `_ . -`", form))
    if role not in set(Role):
        raise ValueRefused((f"(`{caller}`) has another role than backend or admin", form))
    if organization != "*":
        try:
            name(organization, "organization")
        except InvalidRequest:
            raise ValueRefused((f"(`{caller}`) names no organization", form)) from None
    if not _HEX.fullmatch(tail) or tail == sha256(b"").hexdigest():
        raise ValueRefused(
            (f"(`{caller}`) does not end with the SHA-256 of a key (64 lower-case digits)", form)
        )
    return ApiKey(caller, organization, Role(role), tail)


def _repeated(kind: str, values: list[str]) -> list[tuple[str, str]]:
    return [
        (f"has the {kind} `{value}` {count} times", "give each entry its own")
        for value, count in Counter(values).items()
        if count > 1
    ]


WEBHOOK_SECRET = "make one with `calendar-service webhooks new-secret`"  # noqa: S105 - a remedy, not a secret


def webhook_secrets(text: str) -> tuple[Secret, ...]:
    """Return Standard Webhooks secrets, each of which signs; raise `ValueRefused` with all reasons.

    There are two during a rotation: the receiver changes to the new one, then the old one is removed.
    """
    secrets: list[Secret] = []
    reasons: list[tuple[str, str]] = []
    for number, entry in enumerate(entries(text), start=1):
        if _is_webhook_secret(entry):
            secrets.append(Secret(entry))
        else:
            reasons.append((f"entry {number} is not a webhook secret", WEBHOOK_SECRET))
    if len({secret.reveal() for secret in secrets}) < len(secrets):
        reasons.append(("holds the same secret twice", "keep one of them"))
    if not secrets and not reasons:
        reasons.append(("holds no secret", WEBHOOK_SECRET))
    if reasons:
        raise ValueRefused(*reasons)
    return tuple(secrets)


def _is_webhook_secret(text: str) -> bool:
    try:
        key = b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith("whsec_") and 24 <= len(key) <= 64


def opaque(text: str) -> Secret:
    """Return any non-empty text as a secret."""
    return Secret(text)
