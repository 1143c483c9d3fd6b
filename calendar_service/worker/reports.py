"""Log events about outcomes, which items and maintenance have in common. Must not act on an outcome."""

from collections.abc import Mapping

from calendar_service.log import Log


def report_deliveries(log: Log, outcomes: Mapping[str, int]) -> None:
    """Log how many webhook events were given up, refused by the receiver for good (410), or postponed."""
    if outcomes.get("given_up"):
        log.alarm("webhook.abandoned", count=outcomes["given_up"])
    if outcomes.get("refused"):
        log.alarm("webhook.refused", status=410)
    if outcomes.get("later"):
        log.event("webhook.postponed", count=outcomes["later"])


def report_clock_difference(log: Log) -> None:
    """Alarm the operator: the database's clock and this process's differ by so much that nothing is erased."""
    log.alarm("erasure.clocks_differ", clause="ST-5")
