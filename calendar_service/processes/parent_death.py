"""Runs another program in this process, such that it ends when its parent does. Imports nothing of the service."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def follow(parent: int) -> None:
    """Let Linux send SIGTERM to this process when `parent` ends; exit at once if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # survives an exec (prctl(2))
    if os.getppid() != parent:  # it ended before prctl took effect
        sys.exit(1)


def main() -> None:
    """Take the parent's process id and a command from the arguments; follow the parent and become the command."""
    parent, *command = sys.argv[1:]
    follow(int(parent))
    os.execvp(command[0], command)  # noqa: S606 - the command is `children.start`'s, without a shell


if __name__ == "__main__":
    main()
