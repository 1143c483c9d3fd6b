"""Templates turned into answers, in the visitor's language. Must not know stores or journeys."""

from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, g, request

from calendar_service.domain.clock import Millis, as_datetime
from calendar_service.domain.operator import Localized, Operator
from calendar_service.domain.reviewer_links import RETENTION
from calendar_service.domain.scope import SCOPE
from calendar_service.rendering.environment import environment
from calendar_service.rendering.language import NAMES, Language, chosen
from calendar_service.rendering.style import Style
from calendar_service.web import cookies
from calendar_service.wiring import Service

_COOKIE = "language"
_PARAMETER = "lang"
_LANGUAGE_KEPT = 365 * 24 * 60 * 60
"""Seconds for which the choice of a language is remembered."""


class Pages:
    """Shows pages of one operator."""

    def __init__(self, service: Service) -> None:
        self._config = service.config
        self._operator: Operator = service.operator
        self.style = Style(service.operator)

    def language(self) -> Language:
        """Return the language of this request."""
        requests = (
            request.args.get(_PARAMETER, ""),
            request.cookies.get(cookies.cookie_name(self._config, _COOKIE), ""),
            g.get("told_language", ""),
        )
        return chosen(self._operator.languages, requests, request.accept_languages.values())

    def show(self, template: str, *, status: int = 200, zone: str = "UTC", **words: Any) -> Response:
        """Return the page, times told in `zone`."""
        spoken = self.language()
        context = self._common(spoken) | _tellers(spoken, zone) | words
        response = Response(environment(spoken.code).get_template(template).render(context), status)
        response.content_language.add(spoken.code)
        response.vary.update(("Cookie", "Accept-Language"))
        if request.args.get(_PARAMETER) == spoken.code:
            cookies.set_cookie(self._config, response, _COOKIE, spoken.code, seconds=_LANGUAGE_KEPT)
        return response

    def _common(self, spoken: Language) -> dict[str, Any]:
        operator = self._operator
        return {
            "lang": spoken.code,
            "languages": self._languages() if request.method in {"GET", "HEAD"} else [],
            "operator": operator,
            "app": operator.identity.app_name,
            "policy_url": operator.policy.url.get(spoken.code, ""),
            "terms_url": operator.identity.terms_url.get(spoken.code, ""),
            "calendar_name": operator.calendar_name[spoken.code],
            "erase_after": spoken.duration(self._erase_after()),
            "style": self.style,
            "public_url": self._config.public_url,
            "development": not self._config.is_production,
            "permission": SCOPE,
            "client_id": self._config.google.client_id,
            "google": self._google(),
            "console_url": self._console_url(),
            "csrf": "",
        }

    def _erase_after(self) -> Millis:
        promised = self._operator.promises.erase_after
        return min(promised, RETENTION) if g.get("reviewer") else promised

    def _console_url(self) -> str:
        if g.get("reviewer"):
            return "/console"
        return self._operator.console_url or ("" if self._config.is_production else "/console")

    def _languages(self) -> list[tuple[str, str]]:
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


def _tellers(spoken: Language, zone: str) -> dict[str, Any]:
    def moment(instant: Millis, elsewhere: str = "") -> str:
        return spoken.moment(instant, elsewhere or zone)

    def text(localized: Localized) -> str:
        return localized.get(spoken.code, "")

    return {
        "moment": moment,
        "duration": spoken.duration,
        "date": lambda instant: spoken.day(instant, "UTC"),
        "second": lambda instant: spoken.second(instant, zone),
        "day": lambda instant: spoken.day(instant, zone),
        "machine": lambda instant: as_datetime(instant).isoformat(timespec="seconds"),
        "text": text,
    }


def problem(error: Exception, status: int) -> Response:
    """Return the page for a request that came to nothing, in words for people."""
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
