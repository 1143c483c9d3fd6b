"""Silences the debug lines of libraries that quote addresses, codes and tokens in them."""

import logging

TALKATIVE = ("googleapiclient", "oauthlib", "requests_oauthlib")


def quiet_libraries() -> None:
    """Raise these loggers to WARNING, whatever level the root logger has (law 9)."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
