"""Cursors of lists that are sorted by name."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from calendar_service.domain.errors import InvalidRequest

PAGE = 100
"""The number of entries on one page."""


def write_cursor(name: str) -> str:
    """Return the cursor of the page that begins after `name`."""
    return urlsafe_b64encode(name.encode()).decode()


def read_cursor(cursor: str) -> str:
    """Return the name in the cursor; raise `InvalidRequest` for one that `write_cursor` did not write."""
    try:
        name = urlsafe_b64decode(cursor.encode()).decode()
    except ValueError:
        name = ""
    # The decoder skips foreign characters and spare bits: only the one spelling of a name is a cursor.
    if write_cursor(name) != cursor:
        raise InvalidRequest("`cursor` is not one that this list gave out.", field="cursor")
    return name
