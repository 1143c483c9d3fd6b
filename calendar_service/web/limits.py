"""Counts a request towards its caller's limits, and tells what is left (RateLimit fields).

The fields are those of draft-ietf-httpapi-ratelimit-headers-10: `q` calls at once, `w` seconds until so many have come
back, `r` calls that are left, `t` seconds.
"""

from collections.abc import Iterable

from flask import Flask, Response, g

from calendar_service.domain.caller_limits import Quota
from calendar_service.domain.errors import TooManyRequests
from calendar_service.journeys.caller_limits.call_rate import CallRate


def tell_quotas(app: Flask) -> None:
    """Add the RateLimit fields to every answer whose request was counted."""

    @app.after_request
    def _fields(response: Response) -> Response:
        quotas: Iterable[Quota] = g.get("quotas", {}).values()
        if quotas:
            response.headers["RateLimit-Policy"] = ", ".join(_policy(quota) for quota in quotas)
            response.headers["RateLimit"] = ", ".join(_state(quota) for quota in quotas)
        return response


def count(rate: CallRate, caller: str) -> None:
    """Count this request, once for each limit; raise `TooManyRequests` if nothing is left to the caller."""
    quotas: dict[str, Quota] = g.setdefault("quotas", {})
    if rate.limit.name in quotas:
        return
    try:
        quotas[rate.limit.name] = rate.take(caller)
    except TooManyRequests as refused:
        quotas[rate.limit.name] = Quota(rate.limit, 0, refused.retry_after or 1)
        raise


def _policy(quota: Quota) -> str:
    rate = quota.limit.shared
    return f'"{quota.limit.name}";q={rate.burst};w={rate.seconds}'


def _state(quota: Quota) -> str:
    return f'"{quota.limit.name}";r={quota.left};t={quota.seconds}'
