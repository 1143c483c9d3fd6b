"""Google's ``fields`` parameter: the parts of an answer that the caller wants.

Source: Google's page on partial responses. Form: ``items(id,summary),nextPageToken`` or ``items/id``;
``*`` is everything at that level.
"""

import re
from functools import lru_cache
from typing import Any

from local_google.discovery import document
from local_google.errors import ApiError, invalid

Mask = dict[str, "Mask | None"]
MOST_LEVELS = 100
_TOKEN = re.compile(r"[A-Za-z0-9_*\-.#@$]+|[(),/]")


def select(answer: Any, mask: Mask) -> Any:
    """The parts that the mask names; objects without any of them are left out."""
    if isinstance(answer, list):
        return [select(entry, mask) for entry in answer]
    if not isinstance(answer, dict):
        return answer
    selection: dict[str, Any] = {}
    for name, value in answer.items():
        if name not in mask and "*" not in mask:
            continue
        inner = mask.get(name, mask.get("*"))
        selection[name] = value if inner is None else select(value, inner)
    return selection


@lru_cache(maxsize=512)
def parse(text: str, schema: str | None) -> Mask:
    """Read a selection for an answer of that schema; raises Google's refusal of an unknown field or a syntax error."""
    if text.count("(") + text.count("/") > MOST_LEVELS:
        raise _refused(text[:100])
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text.replace(" ", "") or not tokens:
        raise _refused(text)
    mask, rest = _level(tokens, text)
    if rest:
        raise _refused(text)
    if schema is not None:
        _verify(mask, {"$ref": schema})
    return mask


def _refused(text: str) -> ApiError:
    return invalid(f"Invalid field selection {text}", parameter="fields", reason="invalidParameter")


def _level(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    mask: Mask = {}
    while True:
        if not tokens or tokens[0] in "(),/":
            raise _refused(text)
        name, tokens = tokens[0], tokens[1:]
        inner: Mask | None = None
        if tokens and tokens[0] == "/":
            inner, tokens = _path(tokens[1:], text)
        elif tokens and tokens[0] == "(":
            inner, tokens = _level(tokens[1:], text)
            if not tokens or tokens[0] != ")":
                raise _refused(text)
            tokens = tokens[1:]
        held = mask.get(name)
        mask[name] = {**held, **inner} if held and inner else inner
        if not tokens or tokens[0] != ",":
            return mask, tokens
        tokens = tokens[1:]


def _path(tokens: list[str], text: str) -> tuple[Mask, list[str]]:
    if not tokens or tokens[0] in "(),/":
        raise _refused(text)
    name, tokens = tokens[0], tokens[1:]
    if tokens and tokens[0] == "/":
        inner, tokens = _path(tokens[1:], text)
        return {name: inner}, tokens
    if tokens and tokens[0] == "(":
        deeper, tokens = _level(tokens[1:], text)
        if not tokens or tokens[0] != ")":
            raise _refused(text)
        return {name: deeper}, tokens[1:]
    return {name: None}, tokens


def _verify(mask: Mask, raw: dict[str, Any]) -> None:
    while "$ref" in raw or raw.get("type") == "array":
        raw = document()["schemas"][raw["$ref"]] if "$ref" in raw else raw["items"]
    if "additionalProperties" in raw:
        return
    properties = raw.get("properties", {})
    for name, inner in mask.items():
        if name == "*":
            continue
        if name not in properties:
            raise _refused(name)
        if inner:
            _verify(inner, properties[name])
