"""What is left of a call's time. Must not know sockets or HTTP."""

from time import monotonic


class Deadline:
    """A moment after which a call has failed, however much of it was done."""

    __slots__ = ("end",)

    def __init__(self, seconds: float) -> None:
        self.end = monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left, always positive; raise TimeoutError when there are none."""
        left = self.end - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def is_over(self) -> bool:
        """Return whether no time is left."""
        return self.end <= monotonic()

    def earlier(self, other: "Deadline | None") -> "Deadline":
        """Return whichever of the two ends first."""
        return self if other is None or self.end <= other.end else other
