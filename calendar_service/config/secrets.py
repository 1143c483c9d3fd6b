"""Secrets from the environment, or from a file that is read again when it changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from calendar_service.config.faults import ValueRefused

Value = TypeVar("Value")
Stamp = tuple[int, int, int]
"""A file's modification time (nanoseconds), size and inode. A replaced file differs in one of them."""


def stamp(path: Path) -> Stamp:
    """Return the file's stamp, or raise `OSError`."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


class FileSecret(Generic[Value]):
    """A secret in a file, which is checked for changes at each use.

    If a changed file cannot be read or parsed, the last good value stays in force and `fault` says why:
    a mistake during a rotation does not stop a running service.
    """

    def __init__(self, path: Path, parse: Callable[[str], Value]) -> None:
        """Read the file; raise `OSError`, `UnicodeDecodeError` or `ValueRefused`."""
        self.path = path
        self._parse = parse
        self._stamp = stamp(path)
        self._value = parse(path.read_text("utf-8").strip())
        self.fault = ""
        """Why the present file is not in force; empty if it is."""

    def __repr__(self) -> str:
        return f"FileSecret({self.path.name})"

    def __call__(self) -> Value:
        """Return the value, read again if the file has changed."""
        try:
            current = stamp(self.path)
            if current != self._stamp:
                self._value = self._parse(self.path.read_text("utf-8").strip())
                self._stamp, self.fault = current, ""
        except (OSError, UnicodeDecodeError) as error:
            self.fault = f"cannot be read ({type(error).__name__})"
        except ValueRefused as error:
            self.fault = "; ".join(what for what, _ in error.args)
        return self._value


class FixedSecret(Generic[Value]):
    """A secret from the environment: the same as long as the process runs."""

    path = None
    fault = ""

    def __init__(self, value: Value) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "FixedSecret(***)"

    def __call__(self) -> Value:
        """Return the value."""
        return self._value
