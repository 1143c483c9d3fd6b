"""Parses query parameters as strictly as a body."""

from typing import Annotated, Any, Final, TypeVar

import msgspec
from flask import Request

from calendar_service.domain.paging import PAGE
from calendar_service.web.api.body import converted, printable
from calendar_service.web.problems import Misshapen

Shape = TypeVar("Shape", bound=msgspec.Struct)

Limit = Annotated[int, msgspec.Meta(ge=1, le=PAGE, description="The greatest number of entries on the page.")]
"""How many entries of a list the caller wants at most."""
_FILTERS: Final = frozenset({"status", "state", "cursor"})
"""These may be empty: no filter, or the first page."""


def query(request: Request, shape: type[Shape]) -> Shape:
    """Return the parameters as `shape`; an unknown, repeated or oddly written one is refused."""
    parameters: dict[str, Any] = {}
    for name, value in request.args.items(multi=True):
        if name in parameters:
            raise Misshapen(f"`{printable(name)}` is given twice.", field=printable(name))
        parameters[name] = value
    parameters = {name: value for name, value in parameters.items() if value or name not in _FILTERS}
    result = converted(parameters, shape, lax=True)
    members = {field.encode_name: field.name for field in msgspec.structs.fields(shape)}
    for name, value in parameters.items():
        # 1e0, 01 or +1 instead of 1: the caller may mean something else
        if _plain(getattr(result, members[name])) != value:
            raise Misshapen(f"`{name}` has to be written plainly.", field=name)
    return result


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
