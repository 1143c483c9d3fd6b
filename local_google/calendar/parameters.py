"""Query parameters, parsed and checked by the discovery document.

As at Google, unknown names are ignored and unreadable values refused.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local_google.errors import ApiError, invalid
from local_google.protocol.messages import Form

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)\Z")


def moment(text: str, name: str) -> float:
    """An RFC 3339 time with an offset, in seconds since 1970."""
    if not _MOMENT.match(text):
        raise ApiError(400, "badRequest", "Bad Request")
    try:
        return datetime.fromisoformat(text.upper()).timestamp()
    except ValueError:
        raise invalid(f"Invalid value '{text}'.", parameter=name, reason="invalidParameter") from None


def read(declared: Mapping[str, Any], query: Form) -> dict[str, Any]:
    """The declared parameters, in their types; repeated ones as lists."""
    parameters: dict[str, Any] = {}
    for name, values in query.items():
        raw = declared.get(name)
        if raw is None or raw.get("location") == "path":
            continue
        if raw.get("repeated"):
            parameters[name] = [_value(raw, name, value) for value in values]
        else:
            parameters[name] = _value(raw, name, values[-1])
    missing = [name for name, raw in declared.items() if _missing(name, raw, parameters)]
    if missing:
        raise ApiError(
            400,
            "required",
            f"Required parameter: {missing[0]}",
            location_type="parameter",
            location=missing[0],
        )
    if len(parameters.get("quotaUser", "")) > 40:
        raise invalid("Invalid quotaUser.", parameter="quotaUser", reason="invalidParameter")
    return parameters


def _missing(name: str, raw: Mapping[str, Any], parameters: Mapping[str, Any]) -> bool:
    return bool(raw.get("required")) and raw.get("location") == "query" and name not in parameters


def _value(raw: Mapping[str, Any], name: str, text: str) -> Any:
    kind = raw.get("type")
    if "enum" in raw and text not in raw["enum"]:
        raise invalid(
            f"Invalid string value: '{text}'. Allowed values: [{', '.join(raw['enum'])}]",
            parameter=name,
            reason="invalidParameter",
        )
    if kind == "boolean":
        if text.lower() not in ("true", "false"):
            message = f"Invalid boolean value: '{text}'."
            raise invalid(message, parameter=name, reason="invalidParameter")
        return text.lower() == "true"
    if kind == "integer":
        return _integer(raw, name, text)
    if raw.get("format") == "date-time":
        moment(text, name)
    return text


def _integer(raw: Mapping[str, Any], name: str, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        message = f"Invalid integer value: '{text}'."
        raise invalid(message, parameter=name, reason="invalidParameter") from None
    low, high = int(raw.get("minimum", -(2**31))), int(raw.get("maximum", 2**31 - 1))
    if not low <= value <= high:
        message = f"Invalid value '{value}'. Values must be within the range: [{low}, {high}]"
        raise invalid(message, parameter=name, reason="invalidParameter")
    return value
