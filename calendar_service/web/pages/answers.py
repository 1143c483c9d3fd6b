"""Renders templates in the visitor's language."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, g, request

from calendar_service.domain.clock import Millis, as_datetime
from calendar_service.domain.operator import Localized, Operator
from calendar_service.domain.reviewer_links import RETENTION
from calendar_service.domain.scope import SCOPE
from calendar_service.rendering.environment import environment
from calendar_service.rendering.language import NAMES, Language, preferred
from calendar_service.rendering.operator_facts import fact_words
from calendar_service.rendering.style import Style
from calendar_service.store.keys import ERASURE_AFTER_REVOCATION
from calendar_service.web import cookies
from calendar_service.wiring import Service

_COOKIE = "language"
_PARAMETER = "lang"
_LANGUAGE_KEPT = 365 * 24 * 60 * 60
"""How many seconds the browser keeps the choice of a language."""


@dataclass(frozen=True, slots=True)
class ConstantPage:
    """What is sent for everybody: its bytes, and their entity tag."""

    content: bytes
    tag: str

    @classmethod
    def of(cls, text: str) -> "ConstantPage":
        """Return the page of this text."""
        content = text.encode()
        return cls(content, sha256(content).hexdigest()[:32])

    def to_conditional(self, response: Response) -> Response:
        """Return the response, or 304 to a browser that has this page."""
        response.set_etag(self.tag)
        response.headers["Cache-Control"] = "private, no-cache"
        if "If-None-Match" in request.headers:
            response.make_conditional(request)
        return response


class Pages:
    """The pages of one operator."""

    def __init__(self, service: Service) -> None:
        self._config = service.config
        self._operator: Operator = service.operator
        self.style = Style(service.operator)
        self._constant_pages: dict[tuple[str, str, bool, bool], ConstantPage] = {}

    def language(self) -> Language:
        """Return the language of this request."""
        tags = (
            request.args.get(_PARAMETER, ""),
            request.cookies.get(cookies.cookie_name(self._config, _COOKIE), ""),
            g.get("agent_language", ""),
            *request.accept_languages.values(),
        )
        return preferred(self._operator.languages, tags)

    def show(self, template: str, *, status: int = 200, zone: str = "UTC", **words: Any) -> Response:
        """Return the page with its times in `zone`; `words` are the template's variables."""
        language = self.language()
        return self._response(self._render(template, language, zone, words), language, status)

    def show_constant(self, template: str, **words: Any) -> Response:
        """Return a page for everybody. It is rendered once for each text that it can have: `words` never change.

        A browser may keep it, and asks each time whether it is still the same (304, RFC 9110 13.1.2).
        """
        language = self.language()
        key = (template, language.code, bool(g.get("reviewer")), bool(self._languages()))
        page = self._constant_pages.get(key)
        if page is None:
            page = ConstantPage.of(self._render(template, language, "UTC", words))
            self._constant_pages[key] = page
        response = self._response(page.content, language, 200)
        return page.to_conditional(response)

    def _render(self, template: str, language: Language, zone: str, words: dict[str, Any]) -> str:
        facts = fact_words(self._operator, language)
        context = self._common(language) | facts | _formatters(language, zone) | words
        return environment(language.code).get_template(template).render(context)

    def _response(self, content: str | bytes, language: Language, status: int) -> Response:
        response = Response(content, status)
        response.content_language.add(language.code)
        response.vary.update(("Cookie", "Accept-Language"))
        if request.args.get(_PARAMETER) == language.code:
            cookies.set_cookie(self._config, response, _COOKIE, language.code, seconds=_LANGUAGE_KEPT)
        return response

    def _common(self, language: Language) -> dict[str, Any]:
        operator = self._operator
        return {
            "lang": language.code,
            "languages": self._languages(),
            "operator": operator,
            "app": operator.identity.app_name,
            "policy_url": operator.policy.url.get(language.code, ""),
            "terms_url": operator.identity.terms_url.get(language.code, ""),
            "calendar_name": unbroken(operator.calendar_name[language.code]),
            "erase_after": language.duration(self._erase_after()),
            "erase_after_notice": language.duration(min(ERASURE_AFTER_REVOCATION, self._erase_after())),
            "style": self.style,
            "public_url": self._config.public_url,
            "development": not self._config.is_production,
            "permission": SCOPE,
            "client_id": self._config.google.client_id,
            "google": self._google(),
            "google_is_local": self._config.google.is_local,
            "console_url": self._console_url(),
            "csrf": "",
        }

    def _erase_after(self) -> Millis:
        term = self._operator.promises.erase_after
        return min(term, RETENTION) if g.get("reviewer") else term

    def _console_url(self) -> str:
        if g.get("reviewer"):
            return "/console"
        return self._operator.console_url or ("" if self._config.is_production else "/console")

    def _languages(self) -> list[tuple[str, str]]:
        """Return the links to other languages; none on the answer to a form, whose address cannot be opened again."""
        if request.method not in {"GET", "HEAD"}:
            return []
        offered = [code for code in self._operator.languages if code in NAMES]
        return [(code, NAMES[code]) for code in offered]

    def _google(self) -> dict[str, str]:
        if not self._config.google.is_local:
            return {
                "calendar": "https://calendar.google.com/",
                "permissions": "https://myaccount.google.com/permissions",
            }
        parts = urlsplit(self._config.google.auth_uri)
        origin = f"{parts.scheme}://{parts.netloc}"
        return {"calendar": f"{origin}/calendar", "permissions": f"{origin}/permissions"}


def _formatters(language: Language, zone: str) -> dict[str, Any]:
    def moment(instant: Millis, elsewhere: str = "") -> str:
        return language.moment(instant, elsewhere or zone)

    def text(localized: Localized) -> str:
        return localized.get(language.code, "")

    return {
        "moment": moment,
        "duration": language.duration,
        "date": lambda instant: language.day(instant, "UTC"),
        "second": lambda instant: language.second(instant, zone),
        "day": lambda instant: language.day(instant, zone),
        "written_date": language.written_date,
        "machine": lambda instant: as_datetime(instant).isoformat(timespec="seconds"),
        "text": text,
    }


def unbroken(name: str) -> str:
    """Return the name so that no line begins with its middle dot."""
    return name.replace(" \u00b7", "\u00a0\u00b7")


def problem(error: Exception, status: int) -> Response:
    """Return the page for a request that failed."""
    pages: Pages = current_app.extensions["pages"]
    code = getattr(error, "code", "")
    at_console = request.blueprint == "console"
    return pages.show(
        "problem.html",
        status=status,
        code=code if isinstance(code, str) else "",
        status_code=status,
        field=getattr(error, "field", "") if at_console else "",
        at_console=at_console,
    )
