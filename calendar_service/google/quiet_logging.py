"""Libraries that quote addresses, codes and tokens in their debug lines. Must not silence what is ours."""

import logging

TALKATIVE = ("googleapiclient", "oauthlib", "requests_oauthlib")


def quiet_libraries() -> None:
    """Keep those lines out of every log, however low its level is set (law 9)."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
