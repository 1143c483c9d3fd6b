"""Fetches one document by GET: once, without a proxy, without redirects, within a deadline and a limit of size."""

import ssl
from urllib.parse import SplitResult

from calendar_service.net.deadline import Deadline
from calendar_service.net.pool import PooledConnection


def fetch(origin: SplitResult, target: str, context: ssl.SSLContext, deadline: Deadline) -> tuple[int, bytes]:
    """Return status and body of the answer for this path and query.

    Raises one of `failures.NO_ANSWER`. The body has at most `stream.ANSWER_LIMIT` bytes.
    """
    pooled = PooledConnection(origin, context, deadline)
    try:
        pooled.stream.begin(deadline)
        headers = {"User-Agent": "calendar-service", "Accept-Encoding": "identity", "Connection": "close"}
        pooled.connection.request("GET", target, headers=headers)
        answer = pooled.connection.getresponse()
        return answer.status, answer.read()
    finally:
        pooled.close()
