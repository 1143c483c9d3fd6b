"""Secrets that may live in a file and are read again when it changes. Must not know what they open."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from calendar_service.config.faults import ValueRefused

Value = TypeVar("Value")
Stamp = tuple[int, int, int]
"""A file's modification time (nanoseconds), size and inode: an exchanged file differs in one of them."""


def stamp(path: Path) -> Stamp:
    """Return the file's stamp, or raise `OSError`."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


class FileSecret(Generic[Value]):
    """A secret read from a file, asked for at each use.

    A changed file that cannot be read or does not fit leaves the last good value in force
    and shows in `fault`: a slip while rotating must not end a running service.
    """

    def __init__(self, path: Path, parse: Callable[[str], Value]) -> None:
        """Read the file; raise `OSError`, `UnicodeDecodeError` or `ValueRefused`."""
        self.path = path
        self._parse = parse
        self._stamp = stamp(path)
        self._value = parse(path.read_text("utf-8").strip())
        self.fault = ""
        """Why the file as it is now is not in force; empty if it is."""

    def __repr__(self) -> str:
        return f"FileSecret({self.path.name})"

    def __call__(self) -> Value:
        """Return the value, newly read if the file changed."""
        try:
            found = stamp(self.path)
            if found != self._stamp:
                self._value = self._parse(self.path.read_text("utf-8").strip())
                self._stamp, self.fault = found, ""
        except (OSError, UnicodeDecodeError) as error:
            self.fault = f"cannot be read ({type(error).__name__})"
        except ValueRefused as error:
            self.fault = "; ".join(what for what, _ in error.args)
        return self._value


class FixedSecret(Generic[Value]):
    """A secret from the environment itself: the same for the life of the process."""

    path = None
    fault = ""

    def __init__(self, value: Value) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "FixedSecret(***)"

    def __call__(self) -> Value:
        """Return the value."""
        return self._value
