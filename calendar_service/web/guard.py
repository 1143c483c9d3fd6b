"""What every answer carries and every form proves. Must not know any journey."""

import hmac
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.config import Config
from calendar_service.domain.errors import Forbidden
from calendar_service.web.pages.answers import Pages
from calendar_service.wiring import Service

_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
_ANY_HOST = {"/healthz", "/readyz", "/metrics"}
"""Asked by machines that know this process by its address alone; they tell nothing about anybody."""
PAGES = {"portal", "public", "console"}
"""The blueprints that people see."""

_FEATURES = "accelerometer camera display-capture geolocation gyroscope magnetometer microphone payment usb"
_YEAR = 365 * 24 * 60 * 60


def harden(app: Flask, service: Service) -> None:
    """Put the guards before every request and after every answer of this application."""
    config = service.config
    app.extensions["pages"] = Pages(service)

    @app.before_request
    def _host() -> AnyResponse | None:
        return refuse_foreign_host(config)

    @app.after_request
    def _headers(response: Response) -> Response:
        for name, value in headers(config, response).items():
            response.headers.setdefault(name, value)
        return response


# --- before: is this request for us, and from our own page? ---


def refuse_foreign_host(config: Config) -> AnyResponse | None:
    """Refuse a Host that is not ours; on a development machine lead its other names to the one that cookies know."""
    host = request.headers.get("Host", "").lower()
    if request.path in _ANY_HOST or host == _host_of(config.public_url):
        return None
    if config.is_production or not _LOOPBACK.fullmatch(host):
        return Response("This address is not served here.\n", 421, mimetype="text/plain")
    if request.blueprint in PAGES and request.method in {"GET", "HEAD"}:
        return redirect(f"{config.public_url}{request.full_path.removesuffix('?')}", 307)
    return None


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}[parts.scheme]
    return parts.netloc.lower().removesuffix(default)


def require_own_page(config: Config) -> None:
    """Refuse a state change that another site's page sent (OWASP ASVS 3.5.3).

    A browser sends at least one of the two headers with a POST; where both are
    missing it is none, and the form's token alone decides.
    """
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if (origin is not None and origin != config.public_url) or (site is not None and site != "same-origin"):
        raise Forbidden("The form was not sent by a page of this service; nothing was changed.")


def require_token(expected: str) -> None:
    """Refuse a form without the token of this very session (OWASP ASVS 3.5.1)."""
    given = request.form.get("csrf", "")
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forbidden("The form belongs to another visit; nothing was changed.")


# --- after: what every answer says ---


def headers(config: Config, response: Response) -> dict[str, str]:
    """Return the headers of an answer, whatever became of it."""
    ancestors = " ".join(g.get("frame_ancestors", ())) or "'none'"
    always = {
        "Content-Security-Policy": _policy(config, ancestors),
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES.split()),
        # Pages with forms need a referrer of their own site, or browsers post `Origin: null`.
        "Referrer-Policy": "no-referrer" if 300 <= response.status_code < 400 else "same-origin",
        "Cache-Control": "no-store",
    }
    if ancestors == "'none'":
        always["X-Frame-Options"] = "DENY"
    if config.public_url.startswith("https://"):
        always["Strict-Transport-Security"] = f"max-age={_YEAR}"
    return always


def _policy(config: Config, ancestors: str) -> str:
    # Chromium checks form-action also where a form's answer redirects: without Google's origin connect does nothing.
    google = urlsplit(config.google.auth_uri)
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            f"form-action 'self' {google.scheme}://{google.netloc}",
            "base-uri 'none'",
            f"frame-ancestors {ancestors}",
        )
    )


def allow_frames(origins: Iterable[str]) -> None:
    """Let these origins show the page of this request in a frame; without a call, nobody may."""
    g.frame_ancestors = tuple(origins)
