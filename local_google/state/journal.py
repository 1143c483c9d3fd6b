"""The journal: every call with its outcome, in order, append-only. Tests read it. Must hold no token."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

SECRET_PARAMETERS = frozenset(
    {
        "access_token",
        "oauth_token",
        "token",
        "id_token",
        "code",
        "code_verifier",
        "client_secret",
        "refresh_token",
        "key",
        "state",
    }
)


class Journal:
    """The entries as JSON lines, in memory and, with a data directory, in a file."""

    def __init__(self, file: Path | None = None) -> None:
        self._entries: list[bytes] = []
        self._descriptor: int | None = None
        if file is not None:
            if file.exists():
                self._entries = [line for line in file.read_bytes().split(b"\n") if _whole(line)]
            self._descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, entry: dict[str, Any]) -> None:
        """Number the entry and store it."""
        entry["seq"] = len(self._entries) + 1
        line = msgspec.json.encode(entry)
        self._entries.append(line)
        if self._descriptor is not None:
            os.write(self._descriptor, line + b"\n")

    def document(self, since: int = 0) -> bytes:
        """``{"calls": […]}``, from the entry after ``since`` on."""
        return b'{"calls": [' + b",\n".join(self._entries[since:]) + b"]}\n"

    def __len__(self) -> int:
        return len(self._entries)


@lru_cache(maxsize=1024)
def safe_query(query_string: str) -> str:
    """The query with secret values masked."""
    if not query_string:
        return ""
    pairs = parse_qsl(query_string, keep_blank_values=True)
    return urlencode([(name, "***" if name in SECRET_PARAMETERS else value) for name, value in pairs])


def _whole(line: bytes) -> bool:
    """Whether a line is complete: a kill may cut the last one short."""
    return line.startswith(b"{") and line.endswith(b"}")
