"""/.well-known/security.txt (RFC 9116): whom to tell of a weakness. Made from the profile."""

from typing import Final

from flask import Blueprint, Response

from calendar_service.domain.clock import DAY, rfc3339
from calendar_service.domain.errors import NotFound
from calendar_service.wiring import Service

PATH: Final = "/.well-known/security.txt"
LIFETIME: Final = 30 * DAY
"""How long a reader may rely on a copy; RFC 9116, section 2.5.5, advises less than a year."""


def blueprint(service: Service) -> Blueprint:
    """Return the route. Without a contact in the profile there is no such file."""
    routes = Blueprint("security_txt", __name__)

    @routes.get(PATH)
    def security_txt() -> Response:
        contact = service.operator.identity.contact
        if not contact:
            raise NotFound("The operator's profile names no contact.")
        fields = {
            "Contact": contact if "://" in contact else f"mailto:{contact}",
            "Expires": rfc3339(service.clock.now() + LIFETIME),
            "Preferred-Languages": ", ".join(service.operator.languages),
            "Canonical": f"{service.config.public_url}{PATH}",
        }
        text = "".join(f"{name}: {value}\n" for name, value in fields.items())
        return Response(text, content_type="text/plain; charset=utf-8")

    return routes
