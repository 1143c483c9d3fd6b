"""The components of the design system, each in every state, on one page that the service itself does not have."""

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from playwright.sync_api import Route

from calendar_service.domain.clock import DAY
from calendar_service.domain.session import Status
from calendar_service.journeys.views import Timeline, TimelineStep
from calendar_service.rendering.environment import environment
from calendar_service.rendering.language import Language
from tests.pages.visitor import ZONE, PageVisitor

_TEMPLATE = Path(__file__).parents[1] / "components.html"
COLOURS = (
    "paper", "card", "tint", "warn-tint", "ink", "soft", "line", "edge", "accent", "on-accent", "good", "calm",
    "warn", "bad", "focus", "on-disc",
)  # fmt: skip


@dataclass(frozen=True)
class _Session:
    status: Status


def every_one(visitor: PageVisitor) -> None:
    address = visitor.fixture.url + "/"

    def instead_of_home(route: Route) -> None:
        """Put the components between head and foot of a page of the service, with its headers."""
        answer = route.fetch()
        page = re.sub(
            r"(<main[^>]*>).*?(</main>)",
            lambda main: main[1] + _components(visitor) + main[2],
            answer.text(),
            flags=re.DOTALL,
        )
        route.fulfill(response=answer, body=page)

    visitor.page.route(address, instead_of_home)
    visitor.open("/")


def _components(visitor: PageVisitor) -> str:
    language, now = Language("en"), visitor.service.parts.clock.now()
    return (
        environment("en")
        .from_string(_TEMPLATE.read_text("utf-8"))
        .render(
            colours=COLOURS,
            sessions=[_Session(status) for status in Status],
            timelines=_timelines(now),
            operator=visitor.service.parts.operator,
            view=SimpleNamespace(end=SimpleNamespace(keys_in_files_until=None)),
            moment=lambda instant: language.moment(instant, ZONE),
            day=lambda instant: language.day(instant, ZONE),
            duration=language.duration,
        )
    )


def _timelines(now: int) -> tuple[Timeline, ...]:
    """Return one of a connection that stands, one soon after the end, and one whose erasure is near."""
    standing = (
        TimelineStep("connected", "now", now - 30 * DAY),
        TimelineStep("disconnected", "next", position=0.0),
        TimelineStep("keys_destroyed", "next", after=7 * DAY, position=7 / 23),
        TimelineStep("erased", "next", after=7 * DAY, position=7 / 23),
        TimelineStep("copies_gone", "next", after=23 * DAY, position=1.0),
    )

    def ended(days: int) -> Timeline:
        end = now - days * DAY
        return Timeline(
            (
                TimelineStep("connected", "past", end - 30 * DAY),
                TimelineStep("disconnected", "past", end, position=0.0),
                TimelineStep("keys_unused", "now", end, position=0.0),
                TimelineStep("erased", "next", end + 7 * DAY, position=7 / 23),
                TimelineStep("copies_gone", "next", end + 23 * DAY, position=1.0),
            ),
            days / 23,
        )

    return Timeline(standing), ended(1), ended(6)
