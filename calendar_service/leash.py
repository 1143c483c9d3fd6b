"""Turns into another program that ends when its parent does. Must import nothing of the service."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Bind the own life to the parent named first, then become the command that follows."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # survives the exec (prctl(2))
    if os.getppid() != int(parent):  # it died before the line above
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is the launcher's, and no shell is wanted


if __name__ == "__main__":
    main()
