"""Converts a profile's table to its dataclasses, and collects all values that do not fit."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from calendar_service.domain.clock import DAY, HOUR, MINUTE
from calendar_service.domain.operator import Duration, Localized

_LENGTH = re.compile(r"(\d{1,4}) (minute|hour|day)s?")
_UNITS = {"minute": MINUTE, "hour": HOUR, "day": DAY}
_EMPTY: dict[Any, Any] = {str: "", int: 0, bool: False}
_EXPECTED = {str: "must be a text", int: "must be a whole number", bool: "must be true or false"}


class Reader:
    """Reads values by type. A value that does not fit is recorded in `faults` and replaced by an empty one."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        """By dotted place, what is wrong there."""

    def read(self, kind: Any, value: object, place: str) -> Any:
        """Return `value` as `kind`: a dataclass, mapping, tuple, literal, `Duration`, text, number or truth value."""
        if is_dataclass(kind):
            return self._dataclass(kind, value, place)
        if kind is Duration:
            return self._duration(value, place)
        if kind in _EMPTY:
            return self._plain(kind, value, place)
        if get_origin(kind) is tuple:
            return self._tuple(get_args(kind)[0], value, place)
        if get_origin(kind) is Literal:
            return self._literal(get_args(kind), value, place)
        return self._mapping(str if kind is Localized else get_args(kind)[1], value, place)

    def _plain(self, kind: Any, value: object, place: str) -> Any:
        if type(value) is kind:
            return value
        self.faults[place] = _EXPECTED[kind]
        return _EMPTY[kind]

    def _table(self, value: object, place: str) -> Mapping[str, object]:
        if isinstance(value, Mapping):
            return value
        self.faults[place] = "must be a table"
        return {}

    def _dataclass(self, kind: Any, value: object, place: str) -> Any:
        table = self._table(value, place)
        names = {field.name for field in fields(kind)}
        for key in table.keys() - names:
            self.faults[_at(place, key)] = f"is unknown; known here: {', '.join(sorted(names))}"
        hints = get_type_hints(kind)
        return kind(**{name: self._field(hints[name], table, name, place) for name in hints})

    def _field(self, kind: Any, table: Mapping[str, object], name: str, place: str) -> Any:
        if name in table:
            return self.read(kind, table[name], _at(place, name))
        value = Reader().read(kind, None, "")  # an empty value of that type, its faults dropped
        if place not in self.faults:
            self.faults[_at(place, name)] = "is missing (write an empty value where the fact is not known)"
        return value

    def _mapping(self, kind: Any, value: object, place: str) -> Mapping[str, Any]:
        table = self._table(value, place)
        return MappingProxyType({key: self.read(kind, part, _at(place, key)) for key, part in table.items()})

    def _tuple(self, kind: Any, value: object, place: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            self.faults[place] = "must be a list"
            return ()
        return tuple(self.read(kind, part, f"{place}[{index}]") for index, part in enumerate(value))

    def _literal(self, allowed: tuple[str, ...], value: object, place: str) -> Any:
        if value not in allowed:
            self.faults[place] = f"must be one of {', '.join(allowed)}"
            return allowed[-1]
        return value

    def _duration(self, value: object, place: str) -> Duration:
        match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.faults[place] = 'must be a length of time such as "7 days", "12 hours" or "10 minutes"'
            return Duration(0)
        return Duration(int(match[1]) * _UNITS[match[2]])


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
