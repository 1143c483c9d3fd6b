"""Security of requests and answers: host, origin, tokens and headers."""

import hmac
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.config import Config
from calendar_service.domain.errors import Forbidden, NotFound
from calendar_service.web.pages.answers import Pages
from calendar_service.web.problems import Misshapen
from calendar_service.wiring import Service

_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
_OTHER_SPELLING = re.compile(r"//|/\.{1,2}(/|$)")
_ANY_HOST = {"/healthz", "/readyz", "/metrics"}
"""Probes know this process by its address only, so these accept any host. They name nobody."""
PAGES = {"portal", "public", "console"}
"""The blueprints with pages for people."""

_FEATURES = "accelerometer camera display-capture geolocation gyroscope magnetometer microphone payment usb"
_PERMISSIONS = ", ".join(f"{feature}=()" for feature in _FEATURES.split())
_YEAR = 365 * 24 * 60 * 60


def harden(app: Flask, service: Service) -> None:
    """Check the host of every request of this application, and add headers to every answer."""
    config, https_subdomains = service.config, service.operator.https_subdomains
    app.extensions["pages"] = Pages(service)

    @app.before_request
    def _spelling() -> None:
        refuse_other_spelling()

    @app.before_request
    def _host() -> AnyResponse | None:
        return refuse_foreign_host(config)

    @app.after_request
    def _headers(response: Response) -> Response:
        ours = headers(config, response, https_subdomains=https_subdomains)
        present = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - iterating yields pairs
        # All at once: `setdefault` walks the list of headers twice for each of them.
        response.headers.extend({name: value for name, value in ours.items() if name.lower() not in present})
        return response


# --- checks of requests ---


def refuse_foreign_host(config: Config) -> AnyResponse | None:
    """Refuse a foreign Host with 421. In development redirect other local names to the one that has the cookies."""
    host = request.headers.get("Host", "").lower()
    if request.path in _ANY_HOST or host == _host_of(config.public_url):
        return None
    if config.is_production or not _LOOPBACK.fullmatch(host):
        return Response("This address is not served here.\n", 421, mimetype="text/plain")
    if request.blueprint in PAGES and request.method in {"GET", "HEAD"}:
        return redirect(f"{config.public_url}{request.full_path.removesuffix('?')}", 307)
    return None


def refuse_other_spelling() -> None:
    """Refuse a path with doubled slashes or dot segments, and a method that is not in capitals (RFC 9110 9.1).

    The framework takes them for the plain path and method. A proxy that hides `/metrics` or `/v1` by its prefix, or
    allows GET alone, would let them through. Encoded letters arrive here decoded, so a proxy has to decode a path
    before it compares it.
    """
    # `request.path` has lost the slashes at its beginning, and `request.method` is always in capitals.
    path, method = request.environ["PATH_INFO"], request.environ["REQUEST_METHOD"]
    if _OTHER_SPELLING.search(path):
        raise NotFound("The path is not in its plain form.")
    if method != method.upper():
        raise Misshapen("The method has to be in capitals.")


def _host_of(url: str) -> str:
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}[parts.scheme]
    return parts.netloc.lower().removesuffix(default)


class FormRefused(Forbidden):
    """The form does not come from a page of this service in this browser session: perhaps a forged one (CSRF)."""


def require_own_page(config: Config) -> None:
    """Refuse a state change that another site's page sent (OWASP ASVS 3.5.3).

    A browser sends Origin or Sec-Fetch-Site with a POST. A request with neither is not from a browser, and only the
    form's token decides.
    """
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if (origin is not None and origin != config.public_url) or (site is not None and site != "same-origin"):
        raise FormRefused("The form was not sent by a page of this service; nothing was changed.")


def require_token(expected: str) -> None:
    """Refuse a form without the token of this session (OWASP ASVS 3.5.1)."""
    token = request.form.get("csrf", "")
    if not expected or not hmac.compare_digest(token.encode(), expected.encode()):
        raise FormRefused("The form belongs to another visit; nothing was changed.")


def is_prefetch() -> bool:
    """Tell whether a preview or prefetch sent this request: it must not use up what works only once."""
    return "prefetch" in request.headers.get("Sec-Purpose", "")


# --- headers of answers ---


def headers(config: Config, response: Response, *, https_subdomains: bool) -> dict[str, str]:
    """Return the headers that every answer gets."""
    ancestors = " ".join(g.get("frame_ancestors", ())) or "'none'"
    always = {
        "Content-Security-Policy": _policy(config, ancestors),
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": _PERMISSIONS,
        # With `no-referrer` on a page with a form, browsers would send `Origin: null`.
        "Referrer-Policy": "no-referrer" if 300 <= response.status_code < 400 else "same-origin",
        "Cache-Control": "no-store",
    }
    if ancestors == "'none'":
        always["X-Frame-Options"] = "DENY"
    if config.public_url.startswith("https://"):
        # Below our host others may serve http: only the operator knows whether that is so.
        subdomains = "; includeSubDomains" if https_subdomains else ""
        always["Strict-Transport-Security"] = f"max-age={_YEAR}{subdomains}"
    return always


def _policy(config: Config, ancestors: str) -> str:
    # Chromium applies form-action also to redirects: without Google's origin the connect button would do nothing.
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
    """Let these origins show the page of this request in a frame. By default none may."""
    g.frame_ancestors = tuple(origins)
