"""Parses a request's body into a struct of the API, or refuses it with the name of the member.

Nothing is guessed: a number in quotes, a repeated or unknown member, or another character set is refused.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final, TypeVar, cast

import msgspec
from flask import Request

from calendar_service.domain.errors import InvalidRequest
from calendar_service.web.problems import Misshapen, UnsupportedMediaType, too_large

Shape = TypeVar("Shape", bound=msgspec.Struct)

BODY_LIMIT: Final = 64 * 1024
"""In bytes. Checked against Content-Length before reading, and while reading if there is none."""

_HALF: Final = re.compile("[\ud800-\udfff]")
_LONGEST_NAME: Final = 80
"""How many characters of an unknown member's name a problem quotes."""

_LONGEST_NUMBER: Final = 18
"""How many characters a whole number may have; every number that a call takes has 16 at most."""

_BEYOND: Final = 10**_LONGEST_NUMBER

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`(?: - at `\$(?P<at>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`(?: - at `\$(?P<at>[^`]*)`)?")
_WRONG = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<at>[^`]*)`)?", re.DOTALL)
_TYPE = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`")
_LIMIT = re.compile(r"Expected `(?P<wanted>[^`]*)` (?P<limit>(?:of length )?(?:<=|>=|<|>) \d+)")


def body(request: Request, shape: type[Shape]) -> Shape:
    """Return the request's body as `shape`; a missing body counts as `{}`."""
    _refuse_by_head(request)
    # One byte more than the limit: the framework cuts at its own limit, and a cut body could still be JSON.
    request.max_content_length = BODY_LIMIT + 1
    data = request.get_data(cache=False)
    if len(data) > BODY_LIMIT:
        raise too_large()
    return converted(_read(data) if data else {}, shape)


def _refuse_by_head(request: Request) -> None:
    """Refuse by the headers, before the body is read."""
    if (request.content_length or 0) > BODY_LIMIT:
        raise too_large()
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body as it is, not compressed.", field="Content-Encoding")
    if _has_body(request) and not _is_json(request):
        raise UnsupportedMediaType("Send the body as `Content-Type: application/json`.", field="Content-Type")


def _has_body(request: Request) -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def _is_json(request: Request) -> bool:
    charset = request.mimetype_params.get("charset", "utf-8")
    return request.mimetype == "application/json" and charset.lower() in {"utf-8", "utf8"}


def _read(data: bytes) -> object:
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_int=_whole,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError:
        raise Misshapen("The body is not UTF-8.") from None
    except RecursionError:
        raise Misshapen("The body is nested too deeply.") from None
    except ValueError:
        raise Misshapen("The body is not JSON (RFC 8259).") from None


def _whole(digits: str) -> int:
    # Python raises ValueError for more than 4,300 digits, which would be called "not JSON". A number beyond every limit
    # stands for it, so that its member's own limit refuses it by name.
    if len(digits) <= _LONGEST_NUMBER:
        return int(digits)
    return -_BEYOND if digits.startswith("-") else _BEYOND


def _without_repeats(members: Iterable[tuple[str, object]]) -> dict[str, object]:
    unique: dict[str, object] = {}
    for name, value in members:
        shown = printable(name)
        if name in unique:
            raise Misshapen(f"`{shown}` is given twice.", field=shown)
        if shown != name:
            raise Misshapen(f"`{shown}` is not a member of anything here.", field=shown)
        unique[name] = _without_surrogate(name, value)
    return unique


def _without_surrogate(name: str, value: object) -> object:
    if isinstance(value, str) and _HALF.search(value):
        raise InvalidRequest(f"`{name}` holds half a character (a lone surrogate).", field=name)
    return value


def _refuse_constant(_: str) -> Any:
    raise ValueError("not a number of JSON")


def printable(name: str) -> str:
    """Return the beginning of a caller's text as printable ASCII, so that a problem can quote it."""
    if len(name) <= _LONGEST_NAME and name.isascii() and name.isprintable():
        return name
    safe = name.encode("ascii", "backslashreplace").decode("ascii")
    return "".join(character if character.isprintable() else "?" for character in safe[:_LONGEST_NAME])


def converted(value: object, shape: type[Shape], *, lax: bool = False) -> Shape:
    """Return the value as `shape`, or refuse it; `lax` reads numbers from text, for query parameters."""
    try:
        return msgspec.convert(value, shape, strict=not lax)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None


def _refusal(message: str) -> InvalidRequest:
    """Return the refusal for msgspec's message. It never quotes the value, which may be personal."""
    match = _UNKNOWN.fullmatch(message)
    if match:
        field = _place(match["at"], printable(match["name"]))
        return Misshapen(f"`{field}` is unknown here.", field=field)
    match = _MISSING.fullmatch(message)
    if match:
        field = _place(match["at"], match["name"])
        return Misshapen(f"`{field}` is missing.", field=field)
    match = cast(re.Match[str], _WRONG.fullmatch(message))
    return _misfit(match["what"], _place(match["at"], ""))


def _misfit(what: str, field: str) -> InvalidRequest:
    place = f"`{field}`" if field else "The body"
    limit = _LIMIT.fullmatch(what)
    if limit:
        return InvalidRequest(f"{place} has to be {limit['wanted']} {limit['limit']}.", field=field or None)
    wrong = _TYPE.fullmatch(what)
    if wrong:
        return Misshapen(
            f"{place} has to be of type {wrong['wanted']}, not {wrong['got']}.", field=field or None
        )
    return Misshapen(f"{place} is none of the values known here.", field=field or None)


def _place(at: str | None, name: str) -> str:
    return ".".join(part for part in ((at or "").lstrip("."), name) if part)
