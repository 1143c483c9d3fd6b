"""Renders pages: language, template, security headers, cookies."""

from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode, urlsplit
from zlib import crc32

from jinja2 import Environment, FunctionLoader

from local_google.protocol.messages import HTML, Request, Response, first
from local_google.rendering.texts import LANGUAGES, TEXTS

COOKIE_LANGUAGE = "local_google_lang"
COOKIE_ACCOUNT = "local_google_account"


def _source(name: str) -> str:
    return (files("local_google") / "templates" / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(tint=_tint, unbroken=_unbroken)
    return environment


def _tint(name: str) -> int:
    """The colour of a name's mark, one of six, always the same for that name."""
    return crc32(name.encode()) % 6


def _unbroken(name: str) -> str:
    """The name, of which no line begins with a middle dot."""
    return name.replace(" ·", "\u00a0·")


def language(request: Request) -> str:
    """The language of the address, else the one chosen before, else the browser's, else English."""
    for wanted in (first(request.query, "hl"), request.cookie(COOKIE_LANGUAGE)):
        if wanted and wanted[:2].lower() in LANGUAGES:
            return wanted[:2].lower()
    for part in request.headers.get("accept-language", "").split(","):
        name = part.strip()[:2].lower()
        if name in LANGUAGES:
            return name
    return "en"


def foreign(request: Request) -> bool:
    """Whether a form was sent from another site's page (cross-site request forgery)."""
    if request.method in ("GET", "HEAD"):
        return False
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def page(
    request: Request, template: str, *, status: int = 200, form_action: str | None = None, **values: Any
) -> Response:
    """Render a template; ``form_action`` is the one other origin to which a form's answer may redirect."""
    lang = language(request)
    text = (
        _environment()
        .get_template(template)
        .render(
            t=TEXTS[lang],
            lang=lang,
            here=request.raw_path,
            languages=[(code, name, _with_language(request, code)) for code, name in LANGUAGES.items()],
            address=_address(request),
            **values,
        )
    )
    targets = "'self'"
    if form_action:
        parts = urlsplit(form_action)
        targets += f" {parts.scheme}://{parts.netloc}"
    policy = (
        f"default-src 'none'; img-src data:; style-src 'self' 'unsafe-inline'; form-action {targets}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    headers = (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
        ("Content-Language", lang),
    )
    answer = Response(status, text.encode(), HTML, headers)
    return set_cookie(answer, COOKIE_LANGUAGE, lang) if "hl" in request.query else answer


def _address(request: Request) -> str:
    return request.raw_path + (f"?{request.query_string}" if request.query_string else "")


def _with_language(request: Request, code: str) -> str:
    pairs = [(name, value) for name, values in request.query.items() for value in values if name != "hl"]
    return f"{request.raw_path}?{urlencode([*pairs, ('hl', code)])}"


def set_cookie(answer: Response, name: str, value: str) -> Response:
    """The answer with a cookie. Its name must differ from the service's cookies, which share the host."""
    cookie = ("Set-Cookie", f"{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000")
    return Response(answer.status, answer.body, answer.content_type, (*answer.headers, cookie))


def style() -> Response:
    """The one style sheet."""
    return Response(
        200, _source("style.css").encode(), "text/css; charset=utf-8", (("Cache-Control", "no-cache"),)
    )


def redirect(location: str) -> Response:
    """303 See Other: after a form, so that reloading the page does not send it again."""
    return Response(303, b"", HTML, (("Location", location), ("Cache-Control", "no-store")))
