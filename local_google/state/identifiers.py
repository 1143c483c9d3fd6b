"""Identifiers and tokens in the shapes that Google gives them. Clients must not parse them; nor may we."""

import base64
import secrets


def authorization_code() -> str:
    """At most 256 bytes; holds a slash, so it has to be encoded in a URL."""
    return "4/0A" + secrets.token_urlsafe(54)


def access_token() -> str:
    """At most 2048 bytes."""
    return "ya29.a0" + secrets.token_urlsafe(160)


def refresh_token() -> str:
    """At most 512 bytes."""
    return "1//0" + secrets.token_urlsafe(74)


def calendar_id() -> str:
    """64 hexadecimal digits at group.calendar.google.com."""
    return f"{secrets.token_hex(32)}@group.calendar.google.com"


def event_id() -> str:
    """26 letters of the base32hex alphabet, as Google makes them when the client gives none."""
    return base64.b32hexencode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def resource_id() -> str:
    """What a notification channel calls the thing it watches."""
    return secrets.token_urlsafe(20)
