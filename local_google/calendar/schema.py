"""Request bodies, checked by the schemas of the discovery document.

As at Google, unknown and read-only fields are dropped, and wrong types refused.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

from local_google.discovery import document
from local_google.errors import ApiError

_INT64 = re.compile(r"-?[0-9]{1,18}\Z")
Check = Callable[[Any, str], Any]


def _wrong(value: Any, path: str) -> ApiError:
    return ApiError(400, "invalid", f"Invalid value for {path}: {value!r}"[:300])  # [R] the text


def _text(value: Any, path: str) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise _wrong(value, path)


def _anything(value: Any, path: str) -> Any:
    del path
    return value


def _flag(value: Any, path: str) -> Any:
    if isinstance(value, bool):
        return value
    raise _wrong(value, path)


def _integer(value: Any, path: str) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31:
        return value
    raise _wrong(value, path)


def _number(value: Any, path: str) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise _wrong(value, path)


def _date(value: Any, path: str) -> Any:
    try:
        date.fromisoformat(_text(value, path))
    except ValueError:
        raise _wrong(value, path) from None
    if len(value) != 10:
        raise _wrong(value, path)
    return value


def _int64(value: Any, path: str) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and _INT64.match(value):
        return value
    raise _wrong(value, path)


SCALARS: dict[tuple[str, str | None], Check] = {
    ("any", None): _anything,
    ("string", "date"): _date,
    ("string", "int64"): _int64,
    ("boolean", None): _flag,
    ("integer", "int32"): _integer,
    ("number", "double"): _number,
}


def _list_of(item: Check) -> Check:
    def check(value: Any, path: str) -> Any:
        if not isinstance(value, list):
            raise _wrong(value, path)
        return [item(entry, f"{path}[{index}]") for index, entry in enumerate(value)]

    return check


def _map_of(item: Check, *, nulls: bool) -> Check:
    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(value, path)
        return {
            key: None if entry is None else item(entry, f"{path}.{key}")
            for key, entry in value.items()
            if nulls or entry is not None
        }

    return check


def _object_of(properties: dict[str, Any], *, nulls: bool) -> Check:
    checks: dict[str, Check] = {}

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong(value, path)
        if (
            not checks and properties
        ):  # built at the first use, because schemas refer to each other in circles
            writable = {name: raw for name, raw in properties.items() if not _read_only(raw)}
            checks.update({name: _check(raw, nulls=nulls) for name, raw in writable.items()})
        writable_fields = {}
        for key, entry in value.items():
            if key in checks and (nulls or entry is not None):
                writable_fields[key] = (
                    None if entry is None else checks[key](entry, f"{path}.{key}" if path else key)
                )
        return writable_fields

    return check


def _read_only(raw: dict[str, Any]) -> bool:
    text = raw.get("description", "")
    return bool(raw.get("readOnly")) or ("Read-only" in text and "Read-only, except" not in text)


def _check(raw: dict[str, Any], *, nulls: bool) -> Check:
    if "$ref" in raw:
        return checker(raw["$ref"], nulls=nulls)
    kind = raw.get("type", "object")
    if kind == "array":
        return _list_of(_check(raw["items"], nulls=nulls))
    if kind == "object":
        if "additionalProperties" in raw:
            return _map_of(_check(raw["additionalProperties"], nulls=nulls), nulls=nulls)
        return _object_of(raw.get("properties", {}), nulls=nulls)
    return SCALARS.get((kind, raw.get("format")), SCALARS.get((kind, None), _text))


@cache
def checker(schema: str, *, nulls: bool) -> Check:
    """The check of a schema: takes a body and the path for refusals; returns the fields that Google would store.

    With ``nulls`` a null stays in the result, because it clears a field in a PATCH. Otherwise it is dropped.
    """
    return _object_of(document()["schemas"][schema].get("properties", {}), nulls=nulls)
