"""``python -m local_google``."""

from local_google.command import google

google()
