"""Google's patch semantics: objects merge, arrays are replaced, null clears. Pure. Source: its page on PATCH."""

from typing import Any


def merged(held: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The merged object; neither argument changes."""
    result = dict(held)
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            inner = result.get(name)
            result[name] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[name] = value
    return result
