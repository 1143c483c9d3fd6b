"""Findings about the connection to Google, from what all processes have recorded."""

from collections.abc import Iterator

from calendar_service.health.finding import Finding
from calendar_service.health.measures.google import GoogleMeasures
from calendar_service.journeys.connection.refresh_tokens import MAX


def google(measures: GoogleMeasures) -> Iterator[Finding]:
    """Yield what prevents calls to Google, and whether Google seems to treat the project as a test."""
    state = measures.state
    if state.are_credentials_rejected:
        yield Finding(
            "google",
            "fault",
            "does not take the client's credentials; no token is refreshed",
            "mend CALENDAR_GOOGLE_CLIENT_ID and CALENDAR_GOOGLE_CLIENT_SECRET; no connection is lost meanwhile",
        )
    if state.is_testing_mode_suspected:
        yield Finding(
            "google",
            "fault",
            "permissions that ended at seven days of age: %(count)s",
            "publish the Google project (publishing status: in production); then these agents connect again",
            {"count": state.deaths_at_seven_days},
        )
    if state.are_refresh_tokens_many:
        yield Finding(
            "google",
            "note",
            "refresh tokens of one Google account: some %(count)s; beyond %(limit)s Google ends the oldest",
            "give its agents accounts of their own, or let those of the oldest permissions connect again "
            "(docs/runbooks.md)",
            {"count": state.refresh_tokens, "limit": MAX},
        )
    if state.is_breaker_open:
        yield Finding("google", "note", "does not answer; one call each ten seconds asks whether it is back")


def notifications(measures: GoogleMeasures) -> Finding:
    """Return whether Google sends notifications; without them a daily comparison finds the same changes."""
    if not measures.notifications_uri:
        return Finding(
            "notifications", "ok", "none: Google sends to https addresses only; a daily look finds changes"
        )
    values = {"address": measures.notifications_uri}
    if measures.state.are_notifications_refused:
        return Finding(
            "notifications",
            "note",
            "Google refuses to send to %(address)s; a daily look finds changes meanwhile",
            "verify the domain with Google (docs/notifications.md); it is tried again each hour",
            values,
        )
    return Finding("notifications", "ok", "Google sends to %(address)s", "", values)
