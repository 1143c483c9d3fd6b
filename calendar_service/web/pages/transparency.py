"""The published checkpoints: a page for people, a feed and single notes for programs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.domain.checkpoint import PATH
from calendar_service.domain.clock import SECOND, Millis
from calendar_service.domain.errors import InvalidRequest, NotFound
from calendar_service.domain.numbers import whole_number
from calendar_service.journeys.audit.transparency import FRESH, Transparency
from calendar_service.web.pages.answers import Pages

_LARGEST_NUMBER = 999_999_999
"""The largest number of a checkpoint that is read; one comes each day."""


@dataclass(frozen=True)
class TransparencyPages:
    """Answers for `/transparency` and what is below it."""

    transparency: Transparency
    pages: Pages

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        routes.add_url_rule(PATH, "transparency", self.show)
        routes.add_url_rule(f"{PATH}/checkpoints", "checkpoints", self.feed)
        routes.add_url_rule(f"{PATH}/checkpoints/<number>", "checkpoint", self.note)

    def show(self) -> AnyResponse:
        """Show the days (UTC), the newest first; `before=2026-08-01` shows the days before that one."""
        published = self.transparency.days(_before(_day))
        return self.pages.show(
            "transparency.html", published=published, verifier_key=self.transparency.verifier_key
        )

    def feed(self) -> AnyResponse:
        """Return the signed notes as JSON, the newest first; `before=301` returns those of lower numbers."""
        return _cached(self.transparency.feed(_before(_number)), "application/json")

    def note(self, number: str) -> AnyResponse:
        """Return one note as it was signed."""
        try:
            note = self.transparency.note(_number(number))
        except ValueError:
            raise NotFound("No checkpoint of this number is published.") from None
        return _cached(note.encode(), "text/plain")


def _cached(content: bytes, kind: str) -> Response:
    """Return the bytes for everybody to keep as long as a process serves them; a reader who has them gets 304."""
    response = Response(
        content, mimetype=kind, headers={"Cache-Control": f"public, max-age={FRESH // SECOND}"}
    )
    response.add_etag()
    response.make_conditional(request)
    return response


def _before(read: Callable[[str], int]) -> int:
    text = request.args.get("before")
    if text is None:
        return 0
    try:
        return read(text)
    except ValueError:
        raise InvalidRequest("before: what is asked for does not begin there.", field="before") from None


def _number(text: str) -> int:
    number = whole_number(text, _LARGEST_NUMBER)
    if not number:
        raise ValueError("no number of a checkpoint")
    return number


def _day(text: str) -> Millis:
    day = date.fromisoformat(text)
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND
