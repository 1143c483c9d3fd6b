"""What Schemathesis must not send, because JSON Schema cannot exclude it."""

from typing import Any

import schemathesis


@schemathesis.hook
def filter_body(_context: schemathesis.HookContext, body: Any) -> bool:
    """Leave out whole numbers that are written as 1.0: a schema takes them for integers, the service does not."""
    return not _has_whole_float(body)


def _has_whole_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_whole_float, value.values()))
    if isinstance(value, list):
        return any(map(_has_whole_float, value))
    return isinstance(value, float) and value.is_integer()
