"""The local Google's time: the machine's, plus an offset from a file that tests write."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class GoogleClock:
    """Seconds since 1970. The offset file is read at each use, so that a test can move the time at any moment."""

    offset_file: Path | None = None

    def now(self) -> float:
        """The present, in seconds."""
        return time.time() + self._offset()

    def _offset(self) -> float:
        if self.offset_file is None:
            return 0.0
        try:
            descriptor = os.open(self.offset_file, os.O_RDONLY)
        except FileNotFoundError:
            return 0.0
        try:
            text = os.read(descriptor, 64).strip()
        finally:
            os.close(descriptor)
        return float(text) if text else 0.0


@lru_cache(maxsize=256)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")[:-6]


def rfc3339(seconds: float, *, milliseconds: bool = False) -> str:
    """RFC 3339 in UTC with a ``Z``. Google writes ``created`` without milliseconds and ``updated`` with them."""
    thousandths = int(seconds * 1000)
    fraction = f".{thousandths % 1000:03}Z" if milliseconds else "Z"
    return _second(thousandths // 1000) + fraction
