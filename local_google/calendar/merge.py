"""What PATCH does to a resource: objects merge, arrays are replaced, null clears. Pure."""

from typing import Any


def merged(held: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A new object; neither argument is touched."""
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
