"""How far a campaign is: one line, written over and over in a terminal, every ten seconds elsewhere."""

import sys
import time


class ProgressLine:
    """Counts scenarios and faults, and estimates the time left."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self._faults, self._began, self._printed = 0, time.monotonic(), 0.0

    def __call__(self, name: str, faults: int) -> None:
        """Count one scenario that was played."""
        self.done += 1
        self._faults += faults
        elapsed = time.monotonic() - self._began
        terminal = sys.stdout.isatty()
        if not terminal and elapsed - self._printed < 10:
            return
        self._printed = elapsed
        left = elapsed / self.done * max(0, self.total - self.done)
        counts = f"{self.done}/{self.total} scenarios, {self._faults} faults"
        line = f"{counts}, {elapsed:.0f} s, about {left:.0f} s left: {name}"
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", flush=True)
