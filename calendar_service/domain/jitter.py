"""Random differences between pauses, so that what began to wait together does not resume together."""

import random

from calendar_service.domain.clock import Millis


def jitter(pause: Millis) -> Millis:
    """Return a random pause between half of this one and all of it."""
    return pause // 2 + random.randrange(pause // 2 + 1)  # noqa: S311 - spreads load, guards nothing


def spread(pause: Millis, part: int = 4) -> Millis:
    """Return a pause that is longer or shorter than this one by up to a `part`th of it."""
    width = max(1, pause // part)
    return pause - width + random.randrange(2 * width)  # noqa: S311 - spreads load, guards nothing
