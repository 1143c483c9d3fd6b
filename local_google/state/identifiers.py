"""Identifiers and tokens in Google's formats. They are opaque: neither clients nor the local Google parse them.

Source: Google's OAuth 2.0 guide for the lengths; the prefixes are those of real tokens.
"""

import base64
import secrets


def authorization_code() -> str:
    """At most 256 bytes; with a slash, so that it must be encoded in a URL."""
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
    """26 characters of base32hex, as Google gives an event without a client's id."""
    return base64.b32hexencode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def resource_id() -> str:
    """The opaque id of a watched collection."""
    return secrets.token_urlsafe(20)
