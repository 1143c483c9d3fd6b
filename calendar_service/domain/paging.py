"""Cursors of lists that go on by name. Must not know what is listed."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from calendar_service.domain.errors import InvalidRequest

PAGE = 100
"""Entries of one page."""


def write_cursor(name: str) -> str:
    """Return where a list goes on after `name`."""
    return urlsafe_b64encode(name.encode()).decode()


def read_cursor(cursor: str) -> str:
    """Return the name that `write_cursor` was given, or refuse what it did not write."""
    try:
        return urlsafe_b64decode(cursor.encode()).decode()
    except ValueError:
        raise InvalidRequest("`cursor` is not one that this list gave out.", field="cursor") from None
