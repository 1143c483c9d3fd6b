"""Texts for events, accepted unchanged or refused."""

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

from calendar_service.domain.errors import InvalidRequest

JOIN_URL_LIMIT: Final = 2048
DESCRIPTION_LIMIT: Final = 8192
"""Characters, with the join link."""

_LINE_BREAKS: Final = "\u2028\u2029"
_NOT_IN_LINES = re.compile(f"[\x00-\x1f\x7f-\x9f{_LINE_BREAKS}\ud800-\udfff]")
_NOT_IN_BLOCKS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"})
"""Unicode's categories of characters that show nothing on their own."""
_BLANK: Final = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and a symbol that show nothing: Hangul fillers, the empty Braille pattern."""
_ADDRESS = re.compile(r"(?i:https)://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")


def line(text: str, field: str) -> str:
    """Return a text of one line, or refuse it; one that shows nothing is returned empty, as if it were left out."""
    return _visible(_without(_NOT_IN_LINES, text, field, "control characters and line breaks"))


def block(text: str, field: str) -> str:
    """Return a text of several lines, or refuse it; tab, line feed and carriage return are allowed.

    One that shows nothing is returned empty, as if it were left out.
    """
    return _visible(_without(_NOT_IN_BLOCKS, text, field, "control characters"))


def _visible(text: str) -> str:
    return text if any(map(is_visible, text)) else ""


def is_visible(character: str) -> bool:
    """Tell whether a character shows on its own: it is no space, control, format or combining character."""
    return unicodedata.category(character) not in _INVISIBLE and character not in _BLANK


def _without(unwanted: re.Pattern[str], text: str, field: str, what: str) -> str:
    match = unwanted.search(text)
    if match:
        code = f"U+{ord(match[0]):04X}"
        raise InvalidRequest(
            f"`{field}` holds {code} at character {match.start() + 1}; {what} are not taken.", field=field
        )
    return text


def https_url(text: str, field: str) -> str:
    """Return an absolute https address with a host and without a user, or refuse it."""
    if not _ADDRESS.fullmatch(text) or not _has_plain_host(text):
        raise InvalidRequest(
            f"`{field}` has to be an absolute https address, percent-encoded, without user name.", field=field
        )
    return text


def _has_plain_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False
