"""The published checkpoints: a page, a feed and single notes, where the operator's profile says so (ST-5, LU-6)."""

import json
from dataclasses import replace

import pytest
from flask import Flask

from calendar_service.crypto.signed_note import VerifierKey, verified_text
from calendar_service.domain.checkpoint import Statement
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND, rfc3339
from calendar_service.journeys.audit.transparency import Transparency
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.web.app import create_app
from tests.support.evidence import shows
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words

PAGE = "/transparency"
FEED = "/transparency/checkpoints"


@pytest.fixture
def daily(service: TestService) -> TestService:
    """A service at noon."""
    service.clock.to_noon()
    return service


def checkpoint(service: TestService, then: float = DAY / SECOND) -> None:
    """Make the day's checkpoint; a day later."""
    assert service.parts.audit.sealer.checkpoint() is not None
    service.clock.advance(then)


def statements(visitor: Visitor) -> list[Statement]:
    """Verify the feed as a stranger does, by nothing but what it says; return the statements, the newest first."""
    feed = json.loads(visitor.get(FEED).data)
    key = VerifierKey.of_text(feed["verifier_key"])
    return [Statement.of_text(verified_text(note, [key])) for note in feed["checkpoints"]]


@shows("ST-5", "LU-6")
def test_anybody_can_read_the_signed_checkpoints_the_newest_first(
    daily: TestService, visitor: Visitor
) -> None:
    for _ in range(3):
        checkpoint(daily)
    assert [one.number for one in statements(visitor)] == [3, 2, 1]
    assert {one.origin for one in statements(visitor)} == {"localhost:8080/transparency"}
    single = visitor.get(f"{FEED}/2")
    assert (single.status_code, single.mimetype) == (200, "text/plain")
    assert single.text == json.loads(visitor.get(FEED).data)["checkpoints"][1]


@shows("ST-5")
@pytest.mark.parametrize(
    ("language", "gap"), [("en", "none was made on this day"), ("es", "ese día no se hizo")]
)
def test_the_page_shows_each_day_and_a_day_without_a_checkpoint_as_a_gap(
    daily: TestService, visitor: Visitor, language: str, gap: str
) -> None:
    assert gap not in words(visitor.get(f"{PAGE}?lang={language}"))
    checkpoint(daily)
    checkpoint(daily, 2 * DAY / SECOND)
    checkpoint(daily, HOUR / SECOND)
    page = visitor.get(f"{PAGE}?lang={language}")
    assert f'<html lang="{language}">' in page.text
    assert words(page).count(gap) == 1
    assert page.text.count("<tr><td") == 4
    assert ("(the start)" if language == "en" else "(el comienzo)") in words(page)
    assert json.loads(visitor.get(FEED).data)["verifier_key"] in words(page)


def test_today_is_a_gap_only_when_the_checkpoint_is_missing(daily: TestService, visitor: Visitor) -> None:
    checkpoint(daily, 35 * HOUR / SECOND)
    assert visitor.get(PAGE).text.count("none was made on this day") == 0
    daily.clock.advance(2 * HOUR / SECOND)
    assert visitor.get(PAGE).text.count("none was made on this day") == 2


@shows("ST-5")
def test_what_is_late_is_shown_and_marked(daily: TestService, visitor: Visitor) -> None:
    daily.connect()
    daily.parts.connection.disconnect.disconnect(daily.agent, Actor.AGENT)
    checkpoint(daily, 8 * DAY / SECOND)
    checkpoint(daily, MINUTE / SECOND)
    newest, first = statements(visitor)
    assert (first.due, first.overdue, newest.due, newest.overdue) == (1, 0, 1, 1)
    assert "something was late: 1" in words(visitor.get(PAGE))


def test_pages_of_the_feed_and_of_the_days_lead_to_the_first(
    daily: TestService,
) -> None:
    audit = daily.parts.audit
    key = VerifierKey.of_text(audit.transparency.verifier_key)
    small = Transparency(audit.chain, key, daily.parts.clock, notes_a_page=2, days_a_page=2)
    parts = replace(daily.parts, audit=replace(audit, transparency=small))
    visitor = Visitor(create_app(parts), daily)
    for _ in range(3):
        checkpoint(daily)
    page = json.loads(visitor.get(FEED).data)
    assert (len(page["checkpoints"]), page["next"]) == (2, f"{FEED}?before=2")
    rest = json.loads(visitor.get(page["next"]).data)
    assert (len(rest["checkpoints"]), rest["next"]) == (1, None)
    newest = visitor.get(PAGE)
    assert newest.text.count("<tr><td") == 2
    earlier = f"{PAGE}?before={rfc3339(daily.parts.clock.now() - 2 * DAY)[:10]}"
    assert f'href="{earlier}"' in newest.text
    assert visitor.get(earlier).text.count("<tr><td") == 1


@pytest.mark.parametrize("path", [f"{FEED}/3", f"{FEED}/0", f"{FEED}/x", f"{FEED}/1/more", f"{PAGE}/"])
def test_a_checkpoint_that_is_not_there_is_not_found(daily: TestService, visitor: Visitor, path: str) -> None:
    checkpoint(daily)
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", [f"{FEED}?before=x", f"{FEED}?before=-1", f"{FEED}?before=", f"{PAGE}?before=1"]
)
def test_a_page_that_is_asked_for_wrongly_is_refused(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code == 422


@shows("LU-6")
def test_readers_cost_one_round_trip_a_minute_and_write_nothing(daily: TestService, visitor: Visitor) -> None:
    checkpoint(daily)
    checkpoint(daily)
    before, stored = daily.parts.store.database.round_trips, daily.stored()
    for path in (PAGE, FEED, f"{FEED}/1", f"{PAGE}?lang=es", f"{FEED}?before=2") * 3:
        assert visitor.get(path).status_code == 200
    assert daily.parts.store.database.round_trips - before == 1
    daily.clock.advance(MINUTE / SECOND)
    visitor.get(FEED)
    assert daily.parts.store.database.round_trips - before == 2
    assert daily.stored() == stored


def test_a_reader_who_has_the_feed_is_answered_without_it(daily: TestService, visitor: Visitor) -> None:
    checkpoint(daily)
    answer = visitor.get(FEED)
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    again = visitor.get(FEED, If_None_Match=answer.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")


def test_a_damaged_note_is_a_gap_and_breaks_nothing(daily: TestService, visitor: Visitor) -> None:
    checkpoint(daily)
    checkpoint(daily, HOUR / SECOND)
    client = daily.parts.store.database.client
    client.zremrangebyscore(keys.CHECKPOINTS, 1, 1)
    client.zadd(keys.CHECKPOINTS, {"spoilt": 1})
    assert [one.number for one in statements(visitor)] == [2]
    assert visitor.get(PAGE).status_code == 200


def test_before_the_first_checkpoint_the_page_says_so(visitor: Visitor) -> None:
    assert "There is no statement yet" in words(visitor.get(PAGE))
    assert json.loads(visitor.get(FEED).data)["checkpoints"] == []


def test_the_data_page_leads_to_it(visitor: Visitor) -> None:
    assert f'href="{PAGE}"' in visitor.get("/google-user-data").text


def test_nothing_that_is_published_names_anybody_or_the_exact_small_counts(
    daily: TestService, visitor: Visitor
) -> None:
    daily.connect()
    daily.parts.connection.disconnect.disconnect(daily.agent, Actor.AGENT)
    checkpoint(daily)
    published = visitor.get(FEED).text + visitor.get(PAGE).text
    newest = daily.parts.audit.audit_export.newest_checkpoint()
    assert newest is not None
    for _, _, mac in newest.details["heads"].values():
        assert mac not in published
    for word in ("acme", "agent-1", "probes", "heads", "due: 1\n"):
        assert word not in published


@pytest.fixture
def unpublished(service: TestService) -> Flask:
    """The application of an operator who does not publish checkpoints."""
    operator = replace(
        service.parts.operator, promises=replace(service.parts.operator.promises, publishes_checkpoints=False)
    )
    return create_app(replace(service.parts, config=replace(service.config, operator=operator)))


def test_where_the_operator_does_not_publish_them_nothing_is_there(
    unpublished: Flask, service: TestService
) -> None:
    visitor = Visitor(unpublished, service)
    unknown = words(visitor.get("/nothing/here"))
    for path in (PAGE, FEED, f"{FEED}/1"):
        answer = visitor.get(path)
        assert (answer.status_code, words(answer)) == (404, unknown)
    assert PAGE not in visitor.get("/google-user-data").text
