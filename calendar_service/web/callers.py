"""To whom a request is counted before it is looked at: an organization, or all who are not authenticated together."""

from typing import TYPE_CHECKING

from werkzeug.http import parse_cookie

from calendar_service.domain.errors import Unauthenticated
from calendar_service.web import cookies
from calendar_service.web.api.dispatch import is_api, organization_of
from calendar_service.web.api.keys import ANY, Keys
from calendar_service.web.fair_slots import ANONYMOUS
from calendar_service.web.pages.visits import SESSION
from calendar_service.wiring import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Callers:
    """Tells the organization of a request from its headers, without asking the database.

    All who send no valid key, and no cookie that was valid before, are one caller, so whoever invents keys and cookies
    does not become many.
    """

    def __init__(self, service: Service) -> None:
        """Take keys and visits from this service."""
        self._keys = Keys(lambda: service.config.api_keys)
        self._visits = service.caller_limits.known_visits
        self._cookie = cookies.cookie_name(service.config, SESSION)

    def organization(self, environ: "WSGIEnvironment") -> str:
        """Return the organization whose key or browser session the request has, else `ANONYMOUS`."""
        if is_api(environ["PATH_INFO"]):
            return self._of_key(environ)
        if "HTTP_COOKIE" not in environ:
            return ANONYMOUS
        return self._visits.organization(parse_cookie(environ).get(self._cookie, "")) or ANONYMOUS

    def _of_key(self, environ: "WSGIEnvironment") -> str:
        try:
            key = self._keys.caller(environ.get("HTTP_AUTHORIZATION"))
        except Unauthenticated:
            return ANONYMOUS
        return organization_of(environ["PATH_INFO"]) if key.organization == ANY else key.organization
