"""The web application: its blueprints, and the answer to every error."""

import re
from collections.abc import Callable
from typing import Any, Final

from flask import Flask, g, request
from werkzeug.routing import Rule
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.domain.errors import LinkOver, TooManyRequests
from calendar_service.health.readiness import Readiness
from calendar_service.web import (
    guard,
    limits,
    notifications,
    operations,
    problems,
    request_slots,
    requests,
    security_txt,
)
from calendar_service.web.api import dispatch, openapi
from calendar_service.web.api.body import BODY_LIMIT
from calendar_service.web.console import stand_in
from calendar_service.web.pages import answers, public, settings
from calendar_service.wiring import Service

_MACHINES: Final = frozenset({"/openapi.json", "/healthz", "/readyz", "/metrics", notifications.PATH})
"""Paths for programs: like the API they answer errors with a problem (RFC 9457). Other paths answer with a page."""
_ANY_VERSION: Final = re.compile(r"/v[0-9][^/]*(/|$)")
"""Paths of another version of the API, or of a mistyped one: a program asks for them, not a person."""
_TRY_AGAIN: Final = frozenset({429, 500, 503})
"""Statuses after which a consent has to be repeated: its answer's address has a code, and no page may stand there."""


class PathRule(Rule):
    """A path and the methods it takes.

    `once`: a GET here uses something up, so there is no HEAD, which programs send that look at links.
    """

    def __init__(self, string: str, *, once: bool = False, **options: Any) -> None:
        super().__init__(string, **options)
        if once and self.methods is not None:
            self.methods.discard("HEAD")


class WebApplication(Flask):
    """Flask with this service's rules of paths."""

    url_rule_class: type[Rule] = PathRule

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the view or hook as it is: none is asynchronous, and Flask would examine each of them each time."""
        return func


def create_app(service: Service, readiness: Readiness | None = None) -> Flask:
    """Return the application over this service. `readiness`: what `/readyz` shows; without it nothing is examined."""
    app = WebApplication("calendar_service.web", static_folder=None, template_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=BODY_LIMIT, PROVIDE_AUTOMATIC_OPTIONS=False, TRAP_HTTP_EXCEPTIONS=False
    )
    app.url_map.merge_slashes = False
    requests.log_requests(app, service.log, service.request_durations)
    request_slots.refuse_when_full(app)
    guard.harden(app, service)
    limits.tell_quotas(app)
    app.register_blueprint(operations.blueprint(service, readiness or Readiness(service)))
    for area in (dispatch, openapi, settings, public, security_txt, stand_in, notifications):
        app.register_blueprint(area.blueprint(service))
    _answer_errors(app, service)
    return app


def _answer_errors(app: Flask, service: Service) -> None:
    docs = f"{service.config.public_url}/docs"

    @app.errorhandler(Exception)
    def _answer(error: Exception) -> AnyResponse:
        shown = problems.shown_error(error)
        if isinstance(shown, problems.Internal):
            service.log.failure("request.failed", error, request_id=g.request_id)
        if isinstance(shown, guard.FormRefused):
            service.security_events.record("form.refused", request_id=g.request_id)
        if isinstance(shown, LinkOver):
            service.security_events.record("reviewer_link.refused", request_id=g.request_id)
        if isinstance(shown, TooManyRequests):
            service.caller_limits.refusals.count(shown.limit)
        if request.path == settings.CALLBACK and problems.kind_of(shown).status in _TRY_AGAIN:
            return settings.after_busy_callback()
        if request.path in _MACHINES or _ANY_VERSION.match(request.path):
            return problems.response(shown, docs, g.request_id)
        page = answers.problem(shown, problems.kind_of(shown).status)
        page.headers.update(problems.headers(shown))
        return page
