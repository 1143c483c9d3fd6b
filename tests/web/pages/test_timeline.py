"""The timeline of a connection on the settings page: steps, order, dates (ST-5)."""

import re

from calendar_service.domain.clock import DAY, SECOND
from calendar_service.domain.legal_hold import Hold
from calendar_service.rendering.language import Language
from calendar_service.store.audit_log import Actor
from tests.conftest import MovableClock
from tests.support.service import TestService
from tests.web.pages.visitor import ZONE, Visitor, words


def _steps(visitor: Visitor, locale: str = "en") -> list[tuple[str, str, str]]:
    """Return each step's kind, title and date as a person reads them."""
    page = visitor.get(f"/settings?lang={locale}").text
    pattern = r'<li class="step (\w+)".*?<strong>(.*?)</strong>\s*<span>(.*?)</span>'
    return [
        (kind, title.replace("&#39;", "'"), when) for kind, title, when in re.findall(pattern, page, re.S)
    ]


def _moment(instant: int) -> str:
    return Language("en").moment(instant, ZONE)


def _bars(visitor: Visitor) -> list[str]:
    """Return how far the bar of each step reaches that has one."""
    return re.findall(r'<line class="to-come" x1="0" x2="([\d.]+%)"', visitor.get("/settings").text)


def test_bars_are_as_long_as_the_days_are(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.enter()
    keys, record, backups = 7 / 23, 7 / 23, 1
    assert _bars(visitor) == [f"{100 * part:.2f}%" for part in (keys, record, backups)]
    visitor.connect()
    assert _bars(visitor) == [f"{100 * part:.2f}%" for part in (keys, record, backups)]
    visitor.post("/disconnect")
    assert _bars(visitor)[-2:] == [f"{100 * 7 / 23:.2f}%", "100.00%"]
    test_clock.advance(5.75 * DAY / SECOND)
    visitor.enter()
    page = visitor.get("/settings").text
    assert set(re.findall(r'class="today" x1="([\d.]+)%"', page)) == {"25.00"}
    assert 'x="25.00%" y="75%" text-anchor="start">Now<' in page


def test_without_a_date_there_is_no_bar(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    _hold(service, silent_for=5)
    assert _bars(visitor) == []
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    assert _bars(visitor) == []
    assert 'class="today"' not in visitor.get("/settings").text


def test_before_a_connection_everything_is_still_to_come(visitor: Visitor) -> None:
    visitor.enter()
    assert _steps(visitor) == [
        ("next", "Connect", "when you wish"),
        ("next", "Disconnect", "when you wish"),
        ("next", "Google's keys destroyed", "as soon as Google confirms, 7 days after you disconnect at the latest"),
        ("next", "Our record erased", "7 days after you disconnect"),
        ("next", "Gone from backups", "within 23 days of disconnecting, as Videsk SpA states"),
    ]  # fmt: skip


def test_a_living_connection_has_its_beginning_and_its_present(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    facts = service.parts.store.slots.read(service.agent).facts
    assert _steps(visitor)[0] == ("now", "Connected", f"since {_moment(facts.grant.connected_at)}")
    visitor.post("/pause")
    paused = service.parts.store.slots.read(service.agent).facts.pause.by_agent
    assert _steps(visitor)[:2] == [
        ("past", "Connected", _moment(facts.grant.connected_at)),
        ("now", "Paused", f"since {_moment(paused)}"),
    ]


def test_after_the_end_every_step_has_its_real_date(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.connect()
    test_clock.advance(3 * 24 * 3600)
    visitor.enter()
    visitor.post("/disconnect")
    facts = service.parts.store.slots.read(service.agent).facts
    in_files = _moment(facts.end.revocation_at + DAY)
    gone = Language("en").day(facts.end.erase_due + 16 * DAY, ZONE)
    assert _steps(visitor) == [
        ("past", "Connected", _moment(facts.grant.connected_at)),
        ("past", "Disconnected", _moment(facts.grant.since)),
        ("now", "Google's keys no longer used", _moment(facts.end.revocation_at)),
        ("next", "Google's keys destroyed", f"gone from our files by {in_files} at the latest"),
        ("next", "Our record erased", f"on {_moment(facts.end.erase_due)}"),
        ("next", "Gone from backups", f"by {gone} at the latest, as Videsk SpA states"),
    ]


def test_keys_are_called_destroyed_once_they_are_gone_from_the_files(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    visitor.post("/disconnect")
    page = words(visitor.get("/settings"))
    assert "no longer used; they are gone from our files by" in page
    assert "keys for this connection are destroyed" not in page
    files = service.parts.store.file_rewrites
    service.clock.advance(60)
    request = files.take()
    assert request
    files.done(request)
    assert "Google's keys for this connection are destroyed" in words(visitor.get("/settings"))
    ended = service.facts.end
    assert [step for step in _steps(visitor) if "keys" in step[1]] == [
        ("past", "Google's keys no longer used", _moment(ended.revocation_at)),
        ("now", "Google's keys destroyed", "gone from our files too"),
    ]


def test_keys_that_are_in_the_files_for_too_long_are_not_given_a_date(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    visitor.post("/disconnect")
    service.clock.advance(DAY / SECOND + 1)
    visitor.enter()
    assert "not gone from our files yet, later than they should be" in words(visitor.get("/settings"))


def test_keys_are_not_called_destroyed_before_they_are(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    visitor.post("/disconnect")
    facts = service.parts.store.slots.read(service.agent).facts
    last = _moment(facts.grant.since + 7 * DAY)
    assert ("now", "Disconnected", f"since {_moment(facts.grant.since)}") in _steps(visitor)
    assert (
        "next",
        "Google's keys destroyed",
        f"as soon as Google confirms, by {last} at the latest",
    ) in _steps(visitor)


def test_a_permission_removed_at_google_took_the_keys_with_it(
    visitor: Visitor, service: TestService, test_clock: MovableClock
) -> None:
    visitor.connect()
    service.google.fault("/token", {"invalid_grant": True})
    test_clock.advance(7200)
    visitor.enter()
    steps = _steps(visitor)
    assert [kind for kind, _, _ in steps] == ["past", "past", "now", "next", "next", "next"]
    assert steps[1][1] == "Permission removed at Google"


def _hold(service: TestService, *, silent_for: int = 0) -> Hold:
    now = service.parts.clock.now()
    silent_until = now + silent_for * DAY if silent_for else 0
    hold = Hold("Ana Rojas", "Luis Soto", "Court order 7", "A dispute", now + 30 * DAY, silent_until)
    service.parts.personal_data.holds.place(service.agent, hold)
    return hold


def test_under_a_hold_the_date_is_its_end(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    plain = service.parts.store.slots.read(service.agent).facts.end.erase_due
    hold = _hold(service)
    assert ("next", "Our record erased", f"on {_moment(hold.until)}") in _steps(visitor)
    assert _moment(plain) not in words(visitor.get("/settings"))


def test_while_a_hold_may_not_be_told_no_date_is_named(visitor: Visitor, service: TestService) -> None:
    visitor.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    plain = service.parts.store.slots.read(service.agent).facts.end.erase_due
    hold = _hold(service, silent_for=5)
    assert [when for _, _, when in _steps(visitor)][-2:] == ["the day is not settled yet"] * 2
    page = words(visitor.get("/settings"))
    for date in (plain, hold.until):
        assert Language("en").day(date, ZONE) not in page
    assert "Erase now instead" not in page


def test_before_a_disconnect_under_a_hold_no_plain_date_is_promised(
    visitor: Visitor, service: TestService
) -> None:
    visitor.connect()
    hold = _hold(service)
    assert f"is erased on {_moment(hold.until)}" in words(visitor.get("/disconnect"))
    service.parts.personal_data.holds.release(service.agent)
    hold = _hold(service, silent_for=5)
    page = words(visitor.get("/disconnect"))
    assert "is erased on" not in page
    assert "law" not in page
    assert [when for _, _, when in _steps(visitor)][-2:] == ["the day is not settled yet"] * 2


def test_the_picture_is_a_list_with_words_in_spanish_too(visitor: Visitor) -> None:
    visitor.connect()
    page = visitor.get("/settings?lang=es").text
    assert '<ol class="timeline" aria-label="De la conexión al borrado">' in page
    assert page.count('aria-current="step"') == 1
    assert [title for _, title, _ in _steps(visitor, "es")] == [
        "Conectado", "Desconectar", "Claves de Google destruidas", "Borramos nuestro registro",
        "Eliminado de las copias de seguridad",
    ]  # fmt: skip
