"""An opaque type for tokens and keys, which never prints its value."""

from typing import Final


class Secret:
    """A value whose repr, str and format show three stars.

    Only `reveal()` returns it, so a search for that name finds every place that reads a secret (law 9).
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: Final = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not serialized")

    def __bool__(self) -> bool:
        return bool(self._value)
