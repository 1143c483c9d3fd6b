"""`calendar-service google`: the local Google, a program of its own. Must not hold more than its name."""

from calendar_service.sandbox.command import google as command

__all__ = ["command"]
