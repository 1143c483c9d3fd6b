"""Faults of the backend's webhook receiver (F13)."""

import time

from faults.episode import Episode


def receiver_failing(episode: Episode) -> int:
    """Let the receiver refuse webhooks or hang up: they are sent again later."""
    episode.webhooks.failure_status = episode.rng.choice((500, 503, 429, 404, 0))
    before = episode.webhooks.refused
    episode.put_at_once(2)
    end = time.monotonic() + 1.5
    while episode.webhooks.refused == before and time.monotonic() < end:
        time.sleep(0.02)
    episode.webhooks.failure_status = None
    return episode.webhooks.refused - before
