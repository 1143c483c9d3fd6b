"""Pages of lists, and their cursors."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from calendar_service.domain.errors import InvalidRequest

PAGE = 100
"""The greatest number of entries on one page, which a caller may lower."""
LOOKED_AT = 1_000
"""How many entries are looked at for one page of those that a filter chooses: then the page may have fewer."""


def write_cursor(place: str) -> str:
    """Return the cursor of the page that begins after this place in the list."""
    return urlsafe_b64encode(place.encode()).decode()


def read_cursor(cursor: str) -> str:
    """Return the place in the cursor; raise `InvalidRequest` for one that `write_cursor` did not write."""
    try:
        place = urlsafe_b64decode(cursor.encode()).decode()
    except ValueError:
        place = ""
    # The decoder skips foreign characters and spare bits: only the one spelling of a place is a cursor.
    if write_cursor(place) != cursor:
        raise unknown_cursor()
    return place


def unknown_cursor() -> InvalidRequest:
    """Return the refusal of a cursor that the list did not give out."""
    return InvalidRequest("`cursor` is not one that this list gave out.", field="cursor")
