"""A body's bytes turned into one of the structs of the API, or refused by name. Must not know what it means.

Nothing is guessed or mended: no number in quotes, no member twice, none too many, no other character set.
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
"""Bytes. Compared with Content-Length before anything is read, and while reading where there is none."""

_HALF: Final = re.compile("[\ud800-\udfff]")
_SHOWN: Final = 80
"""So much of a caller's own name for a member is repeated in a problem."""

_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`(?: - at `\$(?P<at>[^`]*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`(?: - at `\$(?P<at>[^`]*)`)?")
_WRONG = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<at>[^`]*)`)?", re.DOTALL)
_TYPE = re.compile(r"Expected `(?P<wanted>[^`]*)`, got `(?P<got>[^`]*)`")
_LIMIT = re.compile(r"Expected `(?P<wanted>[^`]*)` (?P<limit>(?:of length )?(?:<=|>=|<|>) \d+)")


def body(request: Request, shape: type[Shape]) -> Shape:
    """Return the request's body as `shape`. Without a body it is read as `{}`."""
    _refuse_by_head(request)
    # One byte more than is taken: the framework cuts off at its limit, and what was cut could still be JSON.
    request.max_content_length = BODY_LIMIT + 1
    data = request.get_data(cache=False)
    if len(data) > BODY_LIMIT:
        raise too_large()
    return shaped(_read(data) if data else {}, shape)


def _refuse_by_head(request: Request) -> None:
    """Refuse what can be refused before a byte of the body is read."""
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
        return json.loads(data.decode("utf-8"), object_pairs_hook=_once_each, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise Misshapen("The body is not UTF-8.") from None
    except RecursionError:
        raise Misshapen("The body is nested too deeply.") from None
    except ValueError:
        raise Misshapen("The body is not JSON (RFC 8259).") from None


def _once_each(members: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in members:
        if name in found:
            raise Misshapen(f"`{shown(name)}` is given twice.", field=shown(name))
        if shown(name) != name:
            raise Misshapen(f"`{shown(name)}` is not a member of anything here.", field=shown(name))
        found[name] = _whole(name, value)
    return found


def _whole(name: str, value: object) -> object:
    if isinstance(value, str) and _HALF.search(value):
        raise InvalidRequest(f"`{name}` holds half a character (a lone surrogate).", field=name)
    return value


def _no_number(_: str) -> Any:
    raise ValueError("not a number of JSON")


def shown(name: str) -> str:
    """Return a caller's own name for something, safe to be repeated: printable ASCII, and not too much of it."""
    safe = name.encode("ascii", "backslashreplace").decode("ascii")
    return "".join(webhook_event if webhook_event.isprintable() else "?" for webhook_event in safe[:_SHOWN])


def shaped(value: object, shape: type[Shape], *, lax: bool = False) -> Shape:
    """Return the value as `shape`, or refuse it; `lax` takes numbers from text, as parameters carry them."""
    try:
        return msgspec.convert(value, shape, strict=not lax)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None


def _refusal(message: str) -> InvalidRequest:
    """Say what does not fit, without repeating the value: it may be anything."""
    match = _UNKNOWN.fullmatch(message)
    if match:
        field = _place(match["at"], shown(match["name"]))
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
