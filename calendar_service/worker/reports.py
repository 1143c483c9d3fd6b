"""What the worker tells the operator of an outcome, where items and maintenance tell the same. Must not act on it."""

from collections.abc import Mapping

from calendar_service.log import Log


def report_deliveries(log: Log, outcomes: Mapping[str, int]) -> None:
    """Log how many webhooks were given up, refused for good by the receiver (410), or put off."""
    if outcomes.get("given_up"):
        log.alarm("webhook.given_up", count=outcomes["given_up"])
    if outcomes.get("refused"):
        log.alarm("webhook.refused", status=410)
    if outcomes.get("later"):
        log.event("webhook.later", count=outcomes["later"])


def report_clock_difference(log: Log) -> None:
    """Log that the database's clock and this process's differ by so much that nothing is erased."""
    log.alarm("erasure.clocks_differ", clause="ST-5")
