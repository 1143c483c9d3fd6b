"""Turns into another program that ends when its parent does. Must import nothing of the service."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def follow(parent: int) -> None:
    """Get a SIGTERM when this parent ends (Linux; elsewhere nothing happens), or end at once if it has."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # survives an exec (prctl(2))
    if os.getppid() != parent:  # it died before the line above
        sys.exit(1)


def main() -> None:
    """Follow the parent named first, as the command that comes after."""
    parent, *command = sys.argv[1:]
    follow(int(parent))
    os.execvp(command[0], command)  # noqa: S606 - the command is the launcher's, and no shell is wanted


if __name__ == "__main__":
    main()
