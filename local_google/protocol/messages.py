"""HTTP requests, responses, and how a response is delivered. Must not know sockets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qs, unquote

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=utf-8"
FORM = "application/x-www-form-urlencoded"

Form = Mapping[str, list[str]]


@dataclass
class Request:
    """One HTTP request; header names are lower case, ``raw_path`` is still percent-encoded."""

    method: str
    raw_path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(self.raw_path) if "%" in self.raw_path else self.raw_path

    @cached_property
    def query(self) -> Form:
        """The query's values by name, in their order."""
        return parse_qs(self.query_string, keep_blank_values=True) if self.query_string else {}

    @cached_property
    def form(self) -> Form:
        """The body's values, if it is a form; nothing otherwise."""
        if not self.headers.get("content-type", "").startswith(FORM):
            return {}
        return parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def cookie(self, name: str) -> str | None:
        """One cookie's value."""
        for pair in self.headers.get("cookie", "").split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                return value
        return None


def first(values: Form, name: str) -> str | None:
    """The first value of that name."""
    texts = values.get(name)
    return texts[0] if texts else None


@dataclass(slots=True)
class Response:
    """Status, body and headers; the length is added where it is written."""

    status: int
    body: bytes = b""
    content_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Delivery:
    """How a response is sent.

    ``cut`` ends the connection instead (with a TCP reset if ``reset``); ``hang`` never answers.
    """

    answer: Response | None
    delay: float = 0.0
    drip: float = 0.0
    cut: bool = False
    hang: bool = False
    truncate: bool = False
    reset: bool = False
