"""`calendar-service google`: the local Google, which is a program of its own."""

from local_google.command import google as command

__all__ = ["command"]
