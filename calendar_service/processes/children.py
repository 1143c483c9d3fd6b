"""Child processes: started, watched, stopped in bounded time. Must not end what it did not start."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from calendar_service.processes import parent_death

STOP_SECONDS = 10.0
"""How long a child may take to finish what it is doing after SIGTERM."""


@dataclass(frozen=True, slots=True)
class Child:
    """One running child, by the name under which people are told of it."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def exit_status(self) -> int | None:
        """The status with which it ended (negative: by a signal), or None while it runs."""
        return self.process.poll()

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """End it by SIGTERM and wait; after `seconds` by SIGKILL. Return whether it went by itself."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False
        return True


def start(name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path | None = None) -> Child:
    """Start a child that ends when this process does, however that happens.

    It gets a session of its own, so that Ctrl-C reaches this process only, which then stops its
    children in order. Its output goes to `log`, else where ours goes. Call from the main thread:
    Linux takes the end of the calling thread for the end of the parent.
    """
    leashed = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), *command]
    output = log.open("ab") if log else None
    try:
        process = subprocess.Popen(  # noqa: S603 - the command is this program's own
            leashed,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )
    finally:
        if output:
            output.close()
    return Child(name, process)
