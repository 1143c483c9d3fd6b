"""The file that stores the books: one line per change, read at the start. Must not interpret a line."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec


class Ledger:
    """Append-only; rewritten when opened. Only its owner may read it, because it holds tokens in the clear."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._descriptor: int | None = None

    def read(self) -> Iterator[tuple[str, str, Any]]:
        """The changes: table, key, value (None for a removal). Skips a line that a kill cut short."""
        if self._file is None or not self._file.exists():
            return
        with self._file.open("rb") as lines:
            for line in lines:
                try:
                    table, key, value = msgspec.json.decode(line)
                except (msgspec.DecodeError, ValueError):
                    continue
                yield table, key, value

    def rewrite(self, entries: Iterable[tuple[str, str, Any]]) -> None:
        """Replace the file with the present state, then append to it."""
        if self._file is None:
            return
        if self._descriptor is not None:
            os.close(self._descriptor)
        fresh = self._file.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            for entry in entries:
                out.write(msgspec.json.encode(entry) + b"\n")
        fresh.replace(self._file)
        self._descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND)

    def write(self, table: str, key: str, value: Any) -> None:
        """Append one change. When this returns, the operating system has it; it may not be on disk."""
        if self._descriptor is not None:
            os.write(self._descriptor, msgspec.json.encode((table, key, value)) + b"\n")
