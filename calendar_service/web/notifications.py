"""Google's notifications: headers only, no body is read. Must not believe more of one than that it is Google's."""

from flask import Blueprint, Response, request

from calendar_service.domain.errors import NotFound
from calendar_service.wiring import Service

PATH = "/google/notifications"


def blueprint(service: Service) -> Blueprint:
    """Return the route to which Google sends (https://developers.google.com/workspace/calendar/api/guides/push)."""
    routes = Blueprint("notifications", __name__)

    @routes.post(PATH)
    def notifications() -> Response:
        told = request.headers.get
        genuine = service.connection.notifications.receive(
            told("X-Goog-Channel-ID", ""), told("X-Goog-Channel-Token", ""), told("X-Goog-Resource-State", "")
        )
        if not genuine:
            raise NotFound("No such channel.")  # Google does not try again, and nobody learns why
        return Response(status=204)

    return routes
