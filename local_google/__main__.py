"""``python -m local_google``. Must not know more than the command."""

from local_google.command import google

google()
