"""Google's quotas: calls per minute, per user and per project, in a sliding window. Off unless a switch sets them.

Google's numbers are 600 and 10,000. A PATCH costs three units. Source: Google's page on usage limits, and answers
seen in public issues (docs/local-google.md, "Errors").
"""

from local_google import errors
from local_google.context import Context
from local_google.discovery import ApiMethod

WINDOW = 60.0


def spend(context: Context, method: ApiMethod, account: str, project: str, now: float) -> None:
    """Count a call; raises the refusal in the form that the switch names."""
    switches = context.switches
    cost = 3 if method.http_method == "PATCH" else 1
    limits = {
        f"user {project} {account}": (switches.per_minute_user, "defaultPerMinutePerUser"),
        f"project {project}": (switches.per_minute_project, "defaultPerMinutePerProject"),
    }
    for key, (limit, name) in limits.items():
        if limit is None:
            continue
        recent = [moment for moment in context.recent_calls.get(key, ()) if moment > now - WINDOW]
        if len(recent) + cost > limit:
            context.recent_calls[key] = recent
            raise refusal(switches.rate_limit_form, name, limit, project)
        context.recent_calls[key] = recent + [now] * cost


def refusal(form: str, name: str, limit: int, project: str) -> errors.ApiError:
    """One of the four known forms: two backend reasons under 403, one under 429, and the front end's envelope."""
    if form == "front_end":
        message = (
            f"Quota exceeded for quota metric 'Queries' and limit '{name}' of service '{errors.SERVICE}'."
        )
        metadata = {
            "service": errors.SERVICE,
            "quota_limit": name,
            "quota_limit_value": str(limit),
            "consumer": f"projects/{project}",
        }
        return errors.ApiError(
            403,
            "rateLimitExceeded",
            message,
            "usageLimits",
            status_name="PERMISSION_DENIED",
            details=(errors.error_info("RATE_LIMIT_EXCEEDED", metadata),),
        )
    reason = "userRateLimitExceeded" if form == "403_user" else "rateLimitExceeded"
    return errors.by_reason(429 if form == "429" else 403, reason)
