"""What holds for those who try the service out for Google: a link with an end, a shorter term (ST-5).

Must not know where links are kept.
"""

from calendar_service.domain.clock import DAY, MINUTE, Millis

RETENTION: Millis = 10 * MINUTE
"""From the end of a reviewer's connection to its erasure: short enough to be watched."""
LINK_DAYS = 60
"""For how long a link is valid unless the command says otherwise."""
LONGEST_DAYS = 180
"""No link may end later than this from now."""
LONGEST: Millis = LONGEST_DAYS * DAY
ACTS_A_MINUTE = 60
"""What all browsers of one link may do together; a reviewer needs about ten."""
