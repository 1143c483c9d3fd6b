"""Calendar v3 as its discovery document describes it: methods, parameters, schemas, scopes.

Source: the document that google-api-python-client ships. Must not answer calls.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class ApiMethod:
    """One method; ``segments`` are the parts of its path, variables in braces."""

    id: str
    http_method: str
    segments: tuple[str, ...]
    parameters: Mapping[str, Any]
    scopes: frozenset[str]
    request: str | None
    response: str | None

    def variables(self, segments: list[str]) -> dict[str, str] | None:
        """The path's variables, or None if the path does not match this method."""
        for position, literal in self._fixed:
            if segments[position] != literal:
                return None
        return {name: unquote(segments[position]) for position, name in self._open}

    @cached_property
    def _fixed(self) -> tuple[tuple[int, str], ...]:
        return tuple((n, part) for n, part in enumerate(self.segments) if part[0] != "{")

    @cached_property
    def _open(self) -> tuple[tuple[int, str], ...]:
        return tuple((n, part[1:-1]) for n, part in enumerate(self.segments) if part[0] == "{")


@cache
def document() -> dict[str, Any]:
    """The discovery document, as google-api-python-client ships it."""
    place = files("googleapiclient") / "discovery_cache" / "documents" / "calendar.v3.json"
    loaded: dict[str, Any] = json.loads(place.read_text("utf-8"))
    return loaded


@cache
def scope_texts() -> dict[str, str]:
    """Google's wording of each Calendar scope."""
    return {scope: entry["description"] for scope, entry in document()["auth"]["oauth2"]["scopes"].items()}


def _methods(resources: Mapping[str, Any]) -> Iterator[ApiMethod]:
    common = document()["parameters"]
    for resource in resources.values():
        for raw in resource.get("methods", {}).values():
            yield ApiMethod(
                raw["id"],
                raw["httpMethod"],
                tuple(raw["path"].split("/")),
                common | raw.get("parameters", {}),
                frozenset(raw.get("scopes", ())),
                raw.get("request", {}).get("$ref"),
                raw.get("response", {}).get("$ref"),
            )


@cache
def methods() -> dict[str, ApiMethod]:
    """All methods by their ids."""
    return {method.id: method for method in _methods(document()["resources"])}


@cache
def _routes() -> dict[tuple[str, int], list[ApiMethod]]:
    table: dict[tuple[str, int], list[ApiMethod]] = {}
    for method in methods().values():
        table.setdefault((method.http_method, len(method.segments)), []).append(method)
    for routes in table.values():  # a literal segment before a variable: "import" is not an event id
        routes.sort(key=lambda method: sum(segment[0] == "{" for segment in method.segments))
    return table


def find(http_method: str, raw_path: str) -> tuple[ApiMethod, dict[str, str]] | None:
    """The method behind a path under ``/calendar/v3/``, and its path's variables."""
    segments = raw_path.split("/")
    for method in _routes().get((http_method, len(segments)), ()):
        variables = method.variables(segments)
        if variables is not None and all(variables.values()):
            return method, variables
    return None
