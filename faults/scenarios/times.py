"""Durations that several scenarios use, in seconds of the test clock."""

HOUR, DAY = 3600.0, 86_400.0
RETENTION = 7 * DAY
"""From a disconnect to the erasure."""
RETRY = 31
"""After so long every lease of a session or of a refresh is over, and a worker tries again what has failed once."""
