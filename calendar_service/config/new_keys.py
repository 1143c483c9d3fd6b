"""Generates keys; reads and replaces none."""

import secrets
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from calendar_service.config import Role
from calendar_service.domain.secret import Secret

KEY_BYTES = 32


def new_key() -> str:
    """Return 32 random bytes in base64."""
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def new_keyring() -> str:
    """Return a keyring of one key with a random id, in the form of CALENDAR_KEYRING."""
    return f"k{secrets.token_hex(3)}:{new_key()}"


def new_webhook_secret() -> Secret:
    """Return a secret with 256 random bits, in the form of Standard Webhooks."""
    return Secret(f"whsec_{new_key()}")


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key of the internal API: its text for the caller, and its entry for the configuration."""

    text: Secret
    entry: str


def api_key(text: Secret, name: str, organization: str, role: Role) -> NewApiKey:
    """Return the key with its entry for CALENDAR_API_KEYS, which contains only the text's hash."""
    digest = sha256(text.reveal().encode()).hexdigest()
    return NewApiKey(text, f"{name}:{organization}:{role}:{digest}")


def new_api_key(name: str, organization: str, role: Role) -> NewApiKey:
    """Return a new key with 256 random bits."""
    return api_key(Secret(f"cs_{secrets.token_urlsafe(KEY_BYTES)}"), name, organization, role)
