"""Starts child processes, watches them and stops them in bounded time."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from calendar_service.processes import parent_death

STOP_SECONDS = 10.0
"""How long a child may take to end after SIGTERM."""


@dataclass(frozen=True, slots=True)
class Child:
    """One child process, with the name that messages use for it."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def exit_status(self) -> int | None:
        """Its exit status (negative: the signal that ended it), or None while it runs."""
        return self.process.poll()

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Send SIGTERM and wait; after `seconds` send SIGKILL. Return whether SIGTERM was enough."""
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
    """Start a child that ends when this process ends, also by SIGKILL.

    It gets a session of its own, so that Ctrl-C reaches this process only, which then stops its
    children in order. Its output is appended to `log`, or goes where ours goes. Call from the main
    thread: Linux takes the end of the calling thread for the end of the parent.
    """
    following = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), *command]
    output = log.open("ab") if log else None
    try:
        process = subprocess.Popen(  # noqa: S603 - the command is this program's own
            following,
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
