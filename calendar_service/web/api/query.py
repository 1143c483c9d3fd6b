"""The parameters of an address, as strict as a body. Must not know what they mean."""

from typing import Any, Final, TypeVar

import msgspec
from flask import Request

from calendar_service.web.api.body import shaped, shown
from calendar_service.web.problems import Misshapen

Shape = TypeVar("Shape", bound=msgspec.Struct)

_FILTERS: Final = frozenset({"status", "state", "cursor"})
"""What may be given empty: that is no filter, and the first page."""


def query(request: Request, shape: type[Shape]) -> Shape:
    """Return the parameters as `shape`: each known, once, and in its one spelling."""
    given: dict[str, Any] = {}
    for name, value in request.args.items(multi=True):
        if name in given:
            raise Misshapen(f"`{shown(name)}` is given twice.", field=shown(name))
        given[name] = value
    given = {name: value for name, value in given.items() if value or name not in _FILTERS}
    found = shaped(given, shape, lax=True)
    for name, value in given.items():
        if str(getattr(found, name)) != value:  # 1e0, 01 or +1 for 1: who sends it may mean something else
            raise Misshapen(f"`{name}` has to be written plainly.", field=name)
    return found
