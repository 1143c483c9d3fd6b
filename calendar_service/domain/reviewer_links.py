"""Limits for Google's reviewers: how long a link is valid, and a shorter retention period (ST-5)."""

from calendar_service.domain.clock import DAY, MINUTE, Millis

RETENTION: Millis = 10 * MINUTE
"""From the end of a reviewer's connection to its erasure: short enough for the reviewer to watch it."""
LINK_DAYS = 60
"""How many days a link is valid unless the command says otherwise."""
LONGEST_DAYS = 180
"""The most days from now on which a link may end."""
LONGEST: Millis = LONGEST_DAYS * DAY
ACTS_A_MINUTE = 60
"""How many actions a minute all browsers of one link may make together; a reviewer makes about ten."""
