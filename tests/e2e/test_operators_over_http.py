"""One journey under each operator's profile and in both languages, on a real `run`: code names no operator."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from calendar_service import operators
from calendar_service.domain.clock import DAY
from calendar_service.domain.operator import Operator
from tests.e2e.test_main_job_over_http import Backend, Person, books
from tests.e2e.test_run import Run, command, running
from tests.support.evidence import shows

OTHERS = {name: operators.load(name).identity for name in operators.shipped()}
WHEN = {"start": "2031-05-03T14:00:00-04:00", "end": "2031-05-03T14:30:00-04:00", "by": "agent"}
BUTTONS = {
    "en": ("Continue with Google", "Disconnect", "Erase now (otherwise on"),
    "es": ("Continuar con Google", "Desconectar", "Borrar ahora (en lugar del"),
}
BANNERS = {
    "en": "Draft: not yet published by {who}.",
    "es": "Borrador: {who} aún no lo ha publicado.",
}
ACCOUNTS = {"en": "agent-one@example.com", "es": "agent-two@example.com"}


@dataclass
class OperatorService:
    """A running service under one operator's name, with its callers."""

    run: Run
    operator: Operator
    backend: Backend = field(init=False)
    admin: Backend = field(init=False)

    def __post_init__(self) -> None:
        self.backend, self.admin = Backend(self.run, "api-key"), Backend(self.run, "admin-key")

    def enter(self, agent: str, language: str) -> Person:
        """Open the settings page by a one-time link."""
        body = {"locale": language, "time_zone": "America/Bogota"}
        person = Person()
        person.open(self.backend("POST", f"/agents/{agent}/portal-sessions", body)[1]["url"])
        return person

    def connect(self, agent: str, language: str) -> Person:
        """Open the settings page, and consent at Google."""
        person = self.enter(agent, language)
        for button in (BUTTONS[language][0], ACCOUNTS[language], "Allow"):
            person.submit(button)
        return person

    def address(self, path: str) -> str:
        return f"http://localhost:{self.run.port}{path}"

    def calendars(self, language: str) -> list[dict[str, object]]:
        owner = ACCOUNTS[language]
        return [
            book for book in books(self.run)["calendars"] if book["owner"] == owner and book["id"] != owner
        ]


@pytest.fixture(scope="module", params=operators.shipped())
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorService]:
    name = request.param
    with running(tmp_path_factory.mktemp(name) / "data", CALENDAR_OPERATOR=name) as run:
        yield OperatorService(run, operators.load(name))


def read(person: Person) -> str:
    """Return the page's visible text, in one line."""
    plain = re.sub(r"<[^>]+>", " ", re.sub(r"</a>(?=[.,;:])", "", person.page))
    return re.sub(r"\s+", " ", html.unescape(plain))


def names_nobody_else(service: OperatorService, person: Person, language: str) -> None:
    """Check the page's words: the operator's own, in this language, and marked where they are a draft."""
    shown, operator = read(person), service.operator
    assert f'<html lang="{language}">' in person.page
    assert operator.identity.app_name in shown
    for name, identity in OTHERS.items():
        if name != operator.name:
            assert not re.search(rf"\b{re.escape(identity.app_name)}\b", shown), name
    banner = BANNERS[language].format(who=operator.identity.who)
    assert (banner in shown) is operator.is_draft


@shows("ID-1")
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_whole_life_of_a_connection(service: OperatorService, language: str) -> None:
    agent, operator = f"ana-{language}", service.operator
    _, disconnect, erase = BUTTONS[language]
    person = service.connect(agent, language)
    names_nobody_else(service, person, language)
    (calendar,) = service.calendars(language)
    assert calendar["summary"] == operator.calendar_name[language]
    assert operator.calendar_name[language] in read(person)

    assert service.backend("PUT", f"/agents/{agent}/sessions/s1", WHEN)[1]["status"] == "scheduled"
    ((event,),) = [calendar["events"] for calendar in service.calendars(language)]
    assert event["summary"] == operator.session_title[language]

    person.open(service.address("/disconnect"))
    names_nobody_else(service, person, language)
    person.submit(disconnect)
    names_nobody_else(service, person, language)
    ended = service.backend("GET", f"/agents/{agent}/connection")[1]
    assert (ended["state"], ended["revocation"]) == ("disconnected", "confirmed")

    person.submit(erase)
    names_nobody_else(service, person, language)
    assert operator.identity.who in read(person)
    person.open(f"{person.url}?download=1")
    assert json.loads(person.page)["issuer"] == operator.identity.who
    assert service.backend("GET", f"/agents/{agent}/connection")[1]["state"] == "not_connected"
    assert len(service.calendars(language)) == 1  # the calendar at Google is the agent's
    assert [token for token in books(service.run)["refresh_tokens"] if token["alive"]] == []


@shows("LU-0")
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_public_pages_say_what_this_operator_says(service: OperatorService, language: str) -> None:
    person = Person()
    for path in ("/", "/google-user-data"):
        person.open(service.address(f"{path}?lang={language}"))
        names_nobody_else(service, person, language)
        assert service.operator.limited_use.sentence in read(person)
    promises = (*service.operator.clauses.values(), *service.operator.additions.values())
    assert [one for one in promises if one.text[language] not in read(person)] == []


@shows("administrators")
def test_an_administrator_suspends_and_ends_and_the_agent_is_shown_it(service: OperatorService) -> None:
    person = service.connect("suspended", "en")
    assert service.admin("POST", "/agents/suspended/connection/pause")[1]["state"] == "paused"
    assert service.backend("PUT", "/agents/suspended/sessions/s1", WHEN)[1]["status"] == "waiting"
    person.open(service.address("/settings"))
    assert "Your organization paused the connection" in read(person)
    assert service.admin("POST", "/agents/suspended/connection/resume")[1]["state"] == "connected"
    assert service.admin("DELETE", "/agents/suspended/connection")[1]["state"] == "disconnected"
    assert service.admin("DELETE", "/agents/suspended/connection?erase=now")[0] == 200


@shows("customer-keys")
def test_a_customers_own_key_opens_its_organization_alone(service: OperatorService) -> None:
    words = ("api-keys", "new", "customer", "--organization", "acme", "--role", "backend", "--json")
    key = json.loads(command(service.run.data_dir, *words).stdout)
    accepted = service.run.data_dir / "keys" / "api-keys"
    accepted.write_text(f"{accepted.read_text('utf-8')}\n{key['entry']}\n", "utf-8")
    customer = Backend(service.run, "api-key")
    customer.key = key["key"]
    assert customer("GET", "/agents/ana/connection")[0] == 200
    customer.base = customer.base.replace("/acme", "/umbrella")
    assert customer("GET", "/agents/ana/connection")[0] == 404
    assert service.backend("GET", "/agents/ana/connection")[0] == 200
    assert key["key"] not in accepted.read_text(
        "utf-8"
    )  # only its hash is kept, so it may be the customer's own


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_term_is_the_operators(service: OperatorService) -> None:
    service.connect("leaving", "en")
    ended = service.admin("DELETE", "/agents/leaving/connection")
    assert ended[0] == 200
    shown = service.backend("GET", "/agents/leaving/connection")[1]
    days = service.operator.promises.erase_after // DAY
    assert (_day(shown["erase_due"]) - _day(shown["since"])).days == days
    service.admin("DELETE", "/agents/leaving/connection?erase=now")
