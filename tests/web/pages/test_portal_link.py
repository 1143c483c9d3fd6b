"""The one-time link from the console, and the visit that it opens."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from calendar_service.domain.clock import MINUTE
from calendar_service.domain.names import Agent
from calendar_service.store.tickets import Ticket
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words

Visitors = Callable[[], Visitor]
MALLORY = Agent("acme", "mallory")


def _with_cookie(visitor: Visitor, session: str) -> Visitor:
    visitor.client.set_cookie("session", session, domain="localhost")
    return visitor


def test_a_link_opens_the_settings_once(visitor: Visitor, another_visitor: Visitors) -> None:
    link = visitor.ticket()
    first = visitor.get(link)
    assert (first.status_code, first.location) == (303, "/settings")
    assert visitor.get("/settings").status_code == 200
    second = another_visitor().get(link)
    assert second.status_code == 410
    assert "Nothing was changed" in words(second)


def test_a_link_is_taken_once_whoever_asks_at_the_same_time(service: TestService) -> None:
    replicas = [service.replica() for _ in range(4)]
    now = service.parts.clock.now()
    ticket = Ticket("acme", "agent-1", "en", "", "", now + MINUTE)
    secrets = [service.parts.store.tickets.issue(ticket) for _ in range(40)]
    with ThreadPoolExecutor(16) as pool:
        requests = [
            pool.submit(replicas[number % 4].parts.store.tickets.take, secret)
            for secret in secrets
            for number in range(16)
        ]
        taken = [request.result() for request in requests]
    for replica in replicas:
        replica.close()
    assert sum(request is not None for request in taken) == len(secrets)


def test_a_link_of_another_deployment_opens_nothing(visitor: Visitor, service: TestService) -> None:
    link = visitor.ticket()
    service.parts.store.database.client.execute_command("SWAPDB", 0, 9)  # another deployment's data
    try:
        assert visitor.get(link).status_code == 410
    finally:
        service.parts.store.database.client.execute_command("SWAPDB", 0, 9)
    assert visitor.get(link).status_code == 303


def test_without_the_database_a_link_opens_nothing_and_is_not_used_up(
    visitor: Visitor, service: TestService, tmp_path: Path
) -> None:
    link = visitor.ticket()
    cut_off = TestService.of(f"unix://{tmp_path}/nobody", service.google, service.clock)
    closed = Visitor(create_app(cut_off.parts), cut_off).get(link)
    assert closed.status_code == 503
    assert "Set-Cookie" not in closed.headers
    assert "Please try again later" in words(closed)
    assert visitor.get(link).status_code == 303


def test_used_expired_and_unknown_links_answer_alike(
    visitor: Visitor, another_visitor: Visitors, test_clock: MovableClock
) -> None:
    used, expired = visitor.ticket(), visitor.ticket()
    visitor.get(used)
    test_clock.advance(301)
    answers = {another_visitor().get(path).data for path in (used, expired, "/portal/never-one-of-ours")}
    assert len(answers) == 1


def test_looking_at_a_link_does_not_use_it_up(visitor: Visitor) -> None:
    link = visitor.ticket()
    head = visitor.client.head(link, base_url="http://localhost:8080")
    assert (head.status_code, head.headers["Allow"]) == (405, "GET")
    assert visitor.get(link, Sec_Purpose="prefetch;prerender").status_code == 503
    framed = visitor.get(link, Sec_Fetch_Dest="iframe")
    assert framed.status_code == 200
    assert f'href="{link}"' in framed.text
    assert "Set-Cookie" not in framed.headers
    assert visitor.get(link).status_code == 303


def test_a_link_does_nothing_but_open_a_visit(visitor: Visitor, service: TestService) -> None:
    visitor.enter()
    assert service.google.journal() == []
    assert service.parts.connection.status.of(service.agent).state.value == "not_connected"


def test_the_link_leads_to_a_clean_address_that_tells_nobody_where_it_came_from(visitor: Visitor) -> None:
    answer = visitor.get(visitor.ticket())
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_cookie_belongs_to_this_host_and_no_script(visitor: Visitor) -> None:
    answer = visitor.get(visitor.ticket())
    name, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert name.startswith("session=")
    assert len(name.removeprefix("session=")) == 43
    assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=Lax"}


def test_each_link_begins_a_new_visit_and_ends_the_former(
    visitor: Visitor, another_visitor: Visitors
) -> None:
    visitor.enter()
    former = visitor.session_cookie()
    visitor.enter()
    assert visitor.session_cookie() != former
    assert _with_cookie(another_visitor(), former).get("/settings").status_code == 401


@pytest.mark.parametrize("other", [Agent("acme", "mallory"), Agent("other", "agent-1")])
def test_a_link_of_another_agent_asks_before_it_replaces_a_visit(visitor: Visitor, other: Agent) -> None:
    visitor.enter()
    cookie, link = visitor.session_cookie(), visitor.ticket(other)
    question = visitor.get(link, Sec_Fetch_Site="cross-site")
    assert question.status_code == 200
    assert "You are in the settings of agent-1 (organization acme )." in words(question)
    named = f"opens the settings of {other.agent} (organization {other.organization} )."
    assert named in words(question)
    assert "Set-Cookie" not in question.headers
    assert visitor.session_cookie() == cookie
    assert "Settings of agent-1" in words(visitor.get("/settings"))


def test_the_question_names_the_ticket_in_its_form_only(visitor: Visitor) -> None:
    visitor.enter()
    link = visitor.ticket(MALLORY)
    ticket = link.removeprefix("/portal/")
    question = visitor.get(link)
    assert question.text.count(ticket) == 1
    assert f'<input type="hidden" name="ticket" value="{ticket}">' in question.text
    assert question.headers["Cache-Control"] == "no-store"
    assert question.headers["Referrer-Policy"] == "strict-origin"


def test_who_goes_on_leaves_the_other_visit_and_uses_the_link_up(
    visitor: Visitor, another_visitor: Visitors
) -> None:
    visitor.enter()
    former, link = visitor.session_cookie(), visitor.ticket(MALLORY)
    visitor.get(link)
    answer = visitor.post("/portal", {"ticket": link.removeprefix("/portal/")})
    assert (answer.status_code, answer.location) == (303, "/settings")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Settings of mallory" in words(visitor.get("/settings"))
    assert _with_cookie(another_visitor(), former).get("/settings").status_code == 401
    assert another_visitor().get(link).status_code == 410


def test_who_stays_leaves_the_link_unused(visitor: Visitor, another_visitor: Visitors) -> None:
    visitor.enter()
    link = visitor.ticket(MALLORY)
    assert 'href="/settings"' in visitor.get(link).text
    assert "Settings of agent-1" in words(visitor.get("/settings"))
    assert another_visitor().get(link).status_code == 303


def test_a_link_that_ends_while_it_is_asked_about_leaves_the_visit_alone(
    visitor: Visitor, another_visitor: Visitors
) -> None:
    visitor.enter()
    link = visitor.ticket(MALLORY)
    visitor.get(link)
    another_visitor().get(link)
    answer = visitor.post("/portal", {"ticket": link.removeprefix("/portal/")})
    assert answer.status_code == 410
    assert "The settings are still open in this browser" in words(answer)
    assert "Settings of agent-1" in words(visitor.get("/settings"))


def test_a_visit_that_is_over_does_not_ask(visitor: Visitor, test_clock: MovableClock) -> None:
    visitor.enter()
    test_clock.advance(31 * 60)
    assert "Settings of mallory" in words(visitor.enter(MALLORY))


def test_used_expired_and_unknown_links_answer_alike_in_a_visit_too(
    visitor: Visitor, another_visitor: Visitors, test_clock: MovableClock
) -> None:
    used, expired = visitor.ticket(MALLORY), visitor.ticket(MALLORY)
    another_visitor().get(used)
    test_clock.advance(301)
    visitor.enter()
    answers = [visitor.get(path) for path in (used, expired, "/portal/never-one-of-ours")]
    assert {answer.status_code for answer in answers} == {410}
    assert len({answer.data for answer in answers}) == 1


def test_whose_settings_these_are_is_never_read_from_the_address(visitor: Visitor) -> None:
    visitor.enter()
    page = visitor.get("/settings?agent=agent-2&organization=other")
    assert "Settings of agent-1" in words(page)


@pytest.mark.parametrize("pause", [31 * 60, 9 * 3600])
def test_an_idle_visit_closes(visitor: Visitor, test_clock: MovableClock, pause: int) -> None:
    visitor.enter()
    test_clock.advance(pause)
    closed = visitor.get("/settings")
    assert closed.status_code == 401
    assert "open the Google Calendar settings from there again" in words(closed)
    assert 'href="/console"' in closed.text


def test_a_visit_in_use_stays_open_for_a_working_day(visitor: Visitor, test_clock: MovableClock) -> None:
    visitor.enter()
    for _ in range(23):
        test_clock.advance(20 * 60)
        assert visitor.get("/settings").status_code == 200
    test_clock.advance(21 * 60)
    assert visitor.get("/settings").status_code == 401


def test_closing_the_page_ends_the_visit_on_both_sides(visitor: Visitor, another_visitor: Visitors) -> None:
    visitor.enter()
    cookie = visitor.session_cookie()
    assert visitor.post("/logout").status_code == 303
    assert visitor.session_cookie() == ""
    stale = another_visitor()
    stale.client.set_cookie("session", cookie, domain="localhost")
    assert stale.get("/settings").status_code == 401


def test_what_is_kept_of_link_and_visit_does_not_open_them(visitor: Visitor, service: TestService) -> None:
    link = visitor.ticket()
    visitor.enter()
    stored = service.stored()
    assert link.removeprefix("/portal/") not in stored
    assert visitor.session_cookie() not in stored
