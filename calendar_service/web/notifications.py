"""Google's notifications. Only headers are read; a genuine one is no more than a reason to compare the calendar."""

from flask import Blueprint, Response, request

from calendar_service.domain.errors import NotFound
from calendar_service.wiring import Service

PATH = "/google/notifications"


def blueprint(service: Service) -> Blueprint:
    """Return the route to which Google sends (https://developers.google.com/workspace/calendar/api/guides/push)."""
    routes = Blueprint("notifications", __name__)

    @routes.post(PATH)
    def notifications() -> Response:
        header = request.headers.get
        genuine = service.connection.notifications.receive(
            header("X-Goog-Channel-ID", ""),
            header("X-Goog-Channel-Token", ""),
            header("X-Goog-Resource-State", ""),
        )
        if not genuine:
            raise NotFound(
                "No such channel."
            )  # Google does not repeat it, and an attacker does not learn what was wrong
        return Response(status=204)

    return routes
