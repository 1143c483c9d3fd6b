"""The deadline of a call. Knows neither sockets nor HTTP."""

from time import monotonic


class Deadline:
    """A moment at which a call fails, even if part of it is done."""

    __slots__ = ("end",)

    def __init__(self, seconds: float) -> None:
        self.end = monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left, always more than 0; raise `TimeoutError` when none are left."""
        seconds = self.end - monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def is_over(self) -> bool:
        """Return whether no time is left."""
        return self.end <= monotonic()

    def earlier(self, other: "Deadline | None") -> "Deadline":
        """Return whichever of the two ends first."""
        return self if other is None or self.end <= other.end else other
