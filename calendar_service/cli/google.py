"""`calendar-service google`: the local Google, a program of its own. Must not hold more than its name."""

from local_google.command import google as command

__all__ = ["command"]
