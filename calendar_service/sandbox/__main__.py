"""``python -m calendar_service.sandbox``. Must not know more than the command."""

from calendar_service.sandbox.command import google

google()
