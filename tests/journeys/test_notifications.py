"""Google's notifications and people's changes in Google: each is reported once, in whatever order messages come."""

import io
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, run_wsgi_app

from calendar_service.domain.connection import State
from calendar_service.domain.failpoints import FailpointRaised, configure
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By, Content, Status
from calendar_service.journeys.sessions.reconcile import DesiredSession
from calendar_service.journeys.views import SessionView
from calendar_service.store.audit_log import Actor
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.journeys.test_commands import invoke
from tests.support.backend import SECRET, Backend, backend
from tests.support.local_google import LocalGoogle
from tests.support.service import FIRST, PUBLIC_URL, SECOND, SECURE_URL, TestService

DAY = 86_400
DOOR = "/google/notifications"
PRIVATE = "What the person wrote"


@dataclass
class Watched(TestService):
    """A test service that Google can notify, and whose backend listens."""

    backend: Backend = None  # type: ignore[assignment]
    client: FlaskClient = None  # type: ignore[assignment]
    numbers: int = 1

    def webhook_events(self) -> list[tuple[str, str, str]]:
        """Let the worker do what is due; return type, session and status of what the backend was told since."""
        self.backend.received.clear()
        self.work(3)
        return [
            (one["type"], one["data"].get("session", ""), one["data"]["status"])
            for one in self.backend.received
        ]

    def put(self, session: str = "s1", version: int | None = None, **changed: Any) -> SessionView:
        return self.parts.sessions.schedule.put(
            self.agent, session, self.content(**changed), By.AGENT, version
        )

    def again(self, content: Content, session: str = "s1", version: int | None = None) -> SessionView:
        return self.parts.sessions.schedule.put(self.agent, session, content, By.AGENT, version)

    def seen(self, session: str = "s1") -> tuple[Status, str]:
        view = self.parts.sessions.reader.get(self.agent, session, read_google=False)
        return view.status, view.reason

    @property
    def channels(self) -> list[dict[str, Any]]:
        """Google's open channels."""
        return [one for one in self.google.state()["channels"] if one["alive"]]

    def message(self, channel: Mapping[str, Any] | None = None, state: str = "exists") -> dict[str, str]:
        """Return the headers of a notification as Google would send it next."""
        channel = channel or self.channels[-1]
        self.numbers += 1
        return {
            "X-Goog-Channel-ID": channel["id"],
            "X-Goog-Channel-Token": channel["token"],
            "X-Goog-Resource-ID": channel["resourceId"],
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(self.numbers),
        }

    def ring(self, headers: Mapping[str, str] | None = None) -> int:
        """Deliver a notification; return how it was answered."""
        answer = self.client.post(DOOR, headers=dict(headers or self.message()), base_url=SECURE_URL)
        assert answer.data == b"" or answer.status_code >= 400
        return answer.status_code

    def noticed(self) -> list[tuple[str, str, str]]:
        """Deliver a notification and let the worker detect changes; return what the backend was told."""
        assert self.ring() == 204
        self.clock.advance(11)
        return self.webhook_events()

    def looks(self) -> int:
        return self.calls().count("calendar.events.list")


@pytest.fixture
def service(clean_store: str, google_process: LocalGoogle) -> Iterator[Watched]:
    google_process.reset()
    clock: MovableClock = google_process.clock  # type: ignore[attr-defined]
    clock.path.write_text("0", "ascii")
    with backend() as receiver:
        service = Watched.of(
            clean_store, google_process, clock, CALENDAR_PUBLIC_URL=SECURE_URL,
            CALENDAR_WEBHOOK_URL=receiver.url, CALENDAR_WEBHOOK_SECRET=SECRET,
        )  # fmt: skip
        assert isinstance(service, Watched)
        service.backend, service.client = receiver, create_app(service.parts).test_client()
        yield service
        service.close()


@pytest.fixture
def watched(service: Watched) -> Watched:
    """A connected agent with a channel and one session."""
    service.connect()
    service.put()
    service.webhook_events()
    return service


# --- the channel ---


def test_the_worker_opens_one_channel_and_connecting_does_not_wait_for_it(service: Watched) -> None:
    service.connect()
    assert "calendar.events.watch" not in service.calls()
    service.work(3)
    (channel,) = service.channels
    assert channel["address"] == f"{SECURE_URL}{DOOR}"
    assert service.calls().count("calendar.events.watch") == 1


def test_a_channels_token_is_nowhere_readable(watched: Watched) -> None:
    (channel,) = watched.channels
    assert len(channel["token"]) == 32
    assert channel["token"] not in watched.stored()


def test_a_channel_is_replaced_before_its_end_and_the_former_one_stopped(watched: Watched) -> None:
    (before,) = watched.channels
    watched.clock.advance(4 * DAY)
    watched.work(3)
    assert [one["id"] for one in watched.channels] == [before["id"]]
    watched.clock.advance(2.5 * DAY)
    watched.work(3)
    (after,) = watched.channels
    assert after["id"] != before["id"]
    calls = [name for name in watched.calls() if name in {"calendar.events.watch", "calendar.channels.stop"}]
    assert calls == ["calendar.events.watch", "calendar.events.watch", "calendar.channels.stop"]
    assert watched.noticed() == []
    assert before["id"] not in watched.stored().replace("session", "")


@pytest.mark.parametrize("step", ["channel.after_watch_before_store", "channel.after_stop_before_store"])
def test_a_renewal_that_dies_between_two_systems_is_finished_by_the_next(watched: Watched, step: str) -> None:
    """Two channels stand at Google for a moment.

    Wherever the process dies, one channel is in force afterwards and is known here.
    """
    watched.clock.advance(6.5 * DAY)
    configure({step: "raise"})
    watched.work(3)
    configure({})
    watched.clock.advance(10 * 60)
    watched.work(3)
    in_force = [one for one in watched.channels if one["id"] in watched.stored()]
    assert len(in_force) == 1
    assert watched.ring(watched.message(in_force[0])) == 204
    watched.clock.advance(11)
    before = watched.looks()
    watched.work(2)
    assert watched.looks() == before + 1


def test_no_channel_is_asked_for_where_google_could_not_send(
    google_process: LocalGoogle, service: Watched
) -> None:
    plain = service.served_from(PUBLIC_URL)
    plain.connect()
    plain.clock.advance(2 * DAY)
    plain.work(4)
    assert "calendar.events.watch" not in plain.calls()
    assert "calendar.events.list" in plain.calls()  # the slow look
    plain.close()


def test_a_refused_address_is_asked_for_once_an_hour_at_most_and_the_operator_told(
    service: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    service.google.fault(
        {"method": "POST", "path": "/calendar/v3/calendars/*/events/watch"},
        {"status": 401, "reason": "push.webhookUrlUnauthorized"},
    )
    service.connect()
    service.connect(Agent("acme", "agent-2"), SECOND)
    service.work(4)
    assert service.calls().count("calendar.events.watch") == 1
    assert service.metrics()["calendar_google_notifications_refused"] == 1.0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [one["event"] for one in lines if one["level"] == "alarm"] == ["google.notifications_refused"]
    service.clock.advance(DAY)
    service.work(4)
    assert service.calls().count("calendar.events.watch") == 2
    service.google.clear_faults()
    for _ in range(4):
        service.clock.advance(DAY / 2)
        service.work(4)
    assert len(service.channels) == 2
    assert service.metrics()["calendar_google_notifications_refused"] == 0.0


def test_doctor_says_whether_google_sends(service: Watched) -> None:
    assert f"Google sends to {SECURE_URL}{DOOR}" in invoke(service, "doctor").output
    service.parts.google.throttle.notifications.refused()
    assert "verify the domain" in invoke(service, "doctor").output
    plain = invoke(service, "doctor", CALENDAR_PUBLIC_URL=PUBLIC_URL).output
    assert "a daily look finds changes" in plain


def test_trouble_at_google_delays_a_channel_and_a_forbidden_one_is_left_for_hours(service: Watched) -> None:
    watch = {"method": "POST", "path": "/calendar/v3/calendars/*/events/watch"}
    service.google.fault(watch, {"status": 503, "reason": "backendError"}, times=1)
    service.google.fault(watch, {"status": 403, "reason": "forbidden"}, after=1, times=1)
    service.connect()
    service.work(3)
    service.clock.advance(31)
    service.work(3)
    assert service.calls().count("calendar.events.watch") == 2
    service.clock.advance(2 * 3600)
    service.work(3)
    assert service.calls().count("calendar.events.watch") == 2
    service.clock.advance(6 * 3600)
    service.work(3)
    assert len(service.channels) == 1


# --- its end ---


def test_a_disconnect_stops_the_channel_before_the_permission_is_given_back(watched: Watched) -> None:
    before = len(watched.calls())
    message = watched.message()
    watched.parts.connection.disconnect.disconnect(watched.agent, Actor.AGENT)
    assert watched.calls(before) == ["calendar.channels.stop", "oauth2.revoke"]
    assert watched.channels == []
    assert message["X-Goog-Channel-ID"] not in watched.stored()
    assert watched.ring(message) == 204  # genuine, and nothing follows from it
    watched.clock.advance(60)
    watched.work(3)
    assert watched.looks() == 0


def test_the_calendar_is_deleted_after_its_channel_is_stopped(watched: Watched) -> None:
    before = len(watched.calls())
    watched.parts.connection.disconnect.disconnect(watched.agent, Actor.AGENT, delete_calendar=True)
    assert watched.calls(before) == ["calendar.channels.stop", "calendar.calendars.delete", "oauth2.revoke"]


def test_a_channel_that_cannot_be_stopped_holds_the_revocation_up_for_a_minute_at_most(
    watched: Watched,
) -> None:
    """Stopping a channel needs the permission, so it comes first. A channel ends by itself; a permission does not."""
    watched.google.fault("/calendar/v3/channels/stop", {"status": 503, "reason": "backendError"})
    watched.parts.connection.disconnect.disconnect(watched.agent, Actor.AGENT)
    assert watched.live_tokens() == [FIRST]
    for _ in range(4):
        watched.clock.advance(31)
        watched.work()
    assert watched.live_tokens() == []
    assert watched.parts.connection.status.of(watched.agent).revocation == "confirmed"


def test_a_teardown_that_dies_after_stopping_is_finished_by_the_worker(watched: Watched) -> None:
    configure({"teardown.after_channel_stopped": "raise"})
    with pytest.raises(FailpointRaised):
        watched.parts.connection.disconnect.disconnect(watched.agent, Actor.AGENT)
    configure({})
    watched.clock.advance(31)
    watched.work(2)
    assert (watched.channels, watched.live_tokens()) == ([], [])


def test_a_disconnect_while_the_channel_is_opened_leaves_it_to_the_teardown(service: Watched) -> None:
    """The channel stands at Google and the connection that asked for it has ended.

    Only the teardown still has a token to stop it.
    """
    service.connect()
    agent = service.agent
    slot = service.parts.store.slots.read(agent)
    grant = service.parts.connection.access.open(slot)
    channel = service.parts.connection.channels.watch.open(grant.access_token, agent, slot.facts.calendar.id)
    service.parts.connection.disconnect.end(agent, Actor.AGENT)
    stands = service.parts.connection.channels.channel_store.open(
        agent, grant.connection_id, slot.facts.calendar.id, channel.id, channel.resource_id, 1
    )
    assert not stands
    assert '"channel.opened"' in service.stored()  # the teardown has it, and the audit log says so
    service.work(2)
    assert (service.channels, service.live_tokens()) == ([], [])


def test_while_agreement_is_missing_no_channel_is_touched_and_then_all_at_once(watched: Watched) -> None:
    facts, connections = watched.facts, watched.parts.store.connections
    another = f"{watched.shard_of():02x}{'0' * 32}"
    watched.parts.connection.channels.channel_store.open(
        watched.agent,
        facts.connection_id,
        facts.calendar.id,
        another,
        "resource",
        watched.parts.clock.now(),
    )
    connections.consent_needed(watched.agent, facts.connection_id, watched.token_number)
    before = len(watched.calls())
    watched.work(3)
    watched.clock.advance(DAY)
    watched.work(3)
    assert set(watched.calls(before)) <= {"oauth2.token"}  # the proof of life alone
    watched.connect()
    before = len(watched.calls())
    watched.work(3)
    watched.clock.advance(61)
    watched.work(3)
    calls = [name for name in watched.calls(before) if name.startswith("calendar.")]
    assert sorted(set(calls)) == ["calendar.channels.stop", "calendar.events.list", "calendar.events.watch"]
    assert len(watched.channels) == 1


def test_another_account_takes_the_channel_with_it(watched: Watched) -> None:
    (before,) = watched.channels
    watched.connect(account=SECOND)
    watched.work(4)
    (after,) = watched.channels
    assert (before["account"], after["account"]) == (FIRST, SECOND)


def test_a_permission_removed_at_google_ends_the_channel_here(watched: Watched) -> None:
    (channel,) = watched.channels
    message = watched.message()
    watched.google.control("POST", "switches", {"deleted_accounts": [FIRST]})
    watched.clock.advance(2 * 3600)
    assert watched.ring(message) == 204
    watched.clock.advance(11)
    webhook_events = watched.webhook_events()
    assert [kind for kind, *_ in webhook_events] == ["connection.revoked"]
    assert channel["id"] not in watched.stored()


def test_a_calendar_that_is_gone_is_noticed_by_its_last_notification(watched: Watched) -> None:
    (channel,) = watched.channels
    watched.as_person("DELETE", None, calendar=watched.calendars()[0]["id"])
    assert watched.ring(watched.message(channel, "not_exists")) == 204
    watched.clock.advance(11)
    assert watched.webhook_events() == [
        ("connection.calendar_missing", "", "calendar_missing"),
        ("session.lost", "s1", "lost"),
    ]
    assert channel["id"] not in watched.stored()
    assert watched.channels == []
    assert watched.parts.connection.dedicated_calendar.ensure(watched.agent, create=True)
    watched.work(3)
    assert len(watched.channels) == 1


# --- the door ---


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"X-Goog-Channel-Token": "0" * 32},
        {"X-Goog-Channel-Token": ""},
        {"X-Goog-Channel-Token": "tökén"},
        {"X-Goog-Channel-ID": "00" + "f" * 32},
        {"X-Goog-Channel-ID": "acme/agent-1"},
        {"X-Goog-Channel-ID": ""},
        {"X-Goog-Channel-ID": "0" * 10_000},
    ],
)
def test_a_forged_notification_is_refused_without_asking_the_database(
    watched: Watched, forged: dict[str, str]
) -> None:
    headers = watched.message() | forged if forged else {"X-Goog-Resource-State": "exists"}
    before = watched.parts.store.database.round_trips
    stored = watched.stored()
    assert watched.ring(headers) == 404
    assert watched.parts.store.database.round_trips == before
    assert watched.stored() == stored


class Unread(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        raise AssertionError("somebody reads the body")


def test_no_body_is_read(watched: Watched) -> None:
    builder = EnvironBuilder(DOOR, SECURE_URL, method="POST", headers=watched.message())
    environ = builder.get_environ() | {"wsgi.input": Unread(), "CONTENT_LENGTH": "1000000"}
    assert run_wsgi_app(watched.client.application, environ)[1] == "204 NO CONTENT"


def test_a_sync_message_before_the_answer_to_watch_is_taken_and_causes_nothing(service: Watched) -> None:
    """Google may send the first message before the process that asked for the channel has stored it.

    Its token is valid, so it is answered 204 and nothing changes.
    """
    service.connect()
    channel_id = f"{service.shard_of():02x}{'5' * 32}"
    token = service.parts.identity.channel_token(channel_id)
    headers = {
        "X-Goog-Channel-ID": channel_id,
        "X-Goog-Channel-Token": token,
        "X-Goog-Resource-State": "sync",
    }
    stored = service.stored()
    assert service.ring(headers) == 204
    assert service.ring(headers | {"X-Goog-Resource-State": "exists"}) == 204
    assert service.stored() == stored


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nothing_but_a_post_is_taken(watched: Watched, method: str) -> None:
    assert watched.client.open(DOOR, method=method, base_url=SECURE_URL).status_code == 405


def test_many_notifications_cause_one_change_detection(watched: Watched) -> None:
    for _ in range(20):
        assert watched.ring() == 204
    watched.clock.advance(11)
    watched.work(3)
    assert watched.looks() == 1
    watched.clock.advance(60)
    watched.work(3)
    assert watched.looks() == 1


# --- what people do ---


def move(watched: Watched, session: str = "s1", **changed: Any) -> None:
    view = watched.parts.sessions.reader.get(watched.agent, session, read_google=False)
    watched.as_person("PATCH", view, changed or {"summary": PRIVATE})


def remove(watched: Watched, session: str = "s1") -> None:
    view = watched.parts.sessions.reader.get(watched.agent, session, read_google=False)
    watched.as_person("DELETE", view)


def restore(watched: Watched, session: str = "s1") -> None:
    move(watched, session, status="confirmed")


def test_our_own_writes_are_no_news(watched: Watched) -> None:
    watched.put("s2")
    watched.put("s1", days=5)
    watched.parts.sessions.schedule.cancel(watched.agent, "s2", By.AGENT, None)
    watched.webhook_events()
    assert watched.noticed() == []
    assert watched.looks() == 1


def test_a_persons_change_is_told_once_and_without_content(watched: Watched) -> None:
    watched.put("s2")
    watched.webhook_events()
    move(watched)
    assert watched.noticed() == [("session.changed_in_google", "s1", "scheduled")]
    assert watched.backend.received[0]["data"]["reason"] == "changed_in_google"
    assert PRIVATE not in json.dumps(watched.backend.received)
    assert PRIVATE not in watched.stored()
    assert watched.seen() == (Status.SCHEDULED, "changed_in_google")
    assert watched.noticed() == []
    move(watched, description="And more")
    assert watched.noticed() == [("session.changed_in_google", "s1", "scheduled")]


def test_a_change_is_left_alone_until_a_newer_put(watched: Watched) -> None:
    content = watched.content(days=4)
    assert watched.again(content, version=1).outcome == "changed"
    watched.webhook_events()
    move(watched)
    watched.noticed()
    assert watched.again(content, version=1).outcome == "unchanged"
    assert watched.events()[0]["summary"] == PRIVATE
    assert watched.again(content, version=2).outcome == "changed"
    assert watched.events()[0]["summary"] == "A talk"
    assert watched.seen() == (Status.SCHEDULED, "")
    watched.webhook_events()
    assert watched.noticed() == []


def test_a_comparison_shows_what_a_person_changed_and_mends_it_when_asked(watched: Watched) -> None:
    content = watched.content(days=4)
    watched.again(content, version=1)
    watched.webhook_events()
    move(watched)
    watched.noticed()
    request = (
        watched.agent,
        content.start - DAY * 1000,
        content.end + DAY * 1000,
        {"s1": DesiredSession(content, 1)},
    )
    (difference,) = watched.parts.sessions.reconcile.reconcile(*request, apply=False).differences
    assert difference.difference == "content"
    assert watched.events()[0]["summary"] == PRIVATE
    watched.parts.sessions.reconcile.reconcile(*request, apply=True)
    assert watched.events()[0]["summary"] == "A talk"
    assert watched.parts.sessions.reconcile.reconcile(*request, apply=False).differences == ()


def test_without_versions_every_put_is_newer(watched: Watched) -> None:
    move(watched)
    watched.noticed()
    assert watched.put().outcome == "changed"
    assert watched.events()[0]["summary"] == "A talk"


def test_a_deletion_is_told_once_and_a_put_makes_it_whole(watched: Watched) -> None:
    remove(watched)
    assert watched.noticed() == [("session.deleted_in_google", "s1", "lost")]
    assert watched.seen() == (Status.LOST, "deleted_in_google")
    assert watched.noticed() == []
    assert watched.events() == []
    assert watched.put().outcome == "changed"
    assert watched.seen() == (Status.SCHEDULED, "")
    assert len(watched.events()) == 1
    watched.webhook_events()
    assert watched.noticed() == []


def test_a_repeated_put_does_not_bring_back_what_a_person_deleted(watched: Watched) -> None:
    content = watched.content(days=4)
    watched.again(content, version=1)
    watched.webhook_events()
    remove(watched)
    watched.noticed()
    view = watched.again(content, version=1)
    assert (view.outcome, view.status, watched.events()) == ("unchanged", Status.LOST, [])
    assert watched.again(content, version=2).status is Status.SCHEDULED
    assert len(watched.events()) == 1


def test_a_deleted_session_can_be_cancelled(watched: Watched) -> None:
    remove(watched)
    watched.noticed()
    view = watched.parts.sessions.schedule.cancel(watched.agent, "s1", By.AGENT, None)
    assert view.status is Status.CANCELLED
    restore(watched)
    watched.webhook_events()
    assert watched.noticed() == []  # nobody wants it any more


def test_a_restored_session_is_whole_again(watched: Watched) -> None:
    remove(watched)
    watched.noticed()
    restore(watched)
    assert watched.noticed() == [("session.applied", "s1", "scheduled")]
    assert watched.seen() == (Status.SCHEDULED, "")
    assert watched.put().outcome == "unchanged"
    assert watched.noticed() == []


def test_a_session_changed_before_it_was_deleted_comes_back_as_changed(watched: Watched) -> None:
    move(watched)
    watched.noticed()
    remove(watched)
    assert watched.noticed() == [("session.deleted_in_google", "s1", "lost")]
    restore(watched)
    assert watched.noticed() == [("session.changed_in_google", "s1", "scheduled")]


def test_a_session_moved_into_the_past_is_changed_and_not_deleted(watched: Watched) -> None:
    past = {"dateTime": "2020-01-01T10:00:00Z"}
    move(watched, start=past, end={"dateTime": "2020-01-01T11:00:00Z"})
    assert watched.noticed() == [("session.changed_in_google", "s1", "scheduled")]
    assert watched.noticed() == []


def test_a_session_made_an_all_day_event_is_changed(watched: Watched) -> None:
    days = [{"date": f"2030-01-0{day}", "dateTime": None} for day in (1, 2)]
    move(watched, start=days[0], end=days[1])
    assert watched.noticed() == [("session.changed_in_google", "s1", "scheduled")]


def test_an_event_whose_marker_was_removed_is_changed_and_not_read(watched: Watched) -> None:
    move(watched, extendedProperties={"private": {"csMarker": None, "csRevision": None}})
    assert watched.noticed() == [("session.changed_in_google", "s1", "scheduled")]
    assert watched.noticed() == []


def test_a_persons_own_event_in_the_calendar_is_nobodys_business(watched: Watched) -> None:
    calendar = watched.calendars()[0]["id"]
    at = {"start": {"dateTime": "2030-01-01T10:00:00Z"}, "end": {"dateTime": "2030-01-01T11:00:00Z"}}
    watched.as_person("POST", None, {"summary": PRIVATE, **at}, calendar=calendar)
    assert watched.noticed() == []
    assert PRIVATE not in watched.stored()


def test_a_pause_leaves_the_calendar_alone_and_its_end_detects_changes_at_once(watched: Watched) -> None:
    watched.parts.connection.pauses.set(watched.agent, Actor.AGENT, paused=True)
    move(watched)
    watched.noticed()
    assert watched.looks() == 0
    watched.parts.connection.pauses.set(watched.agent, Actor.AGENT, paused=False)
    assert ("session.changed_in_google", "s1", "scheduled") in watched.webhook_events()


def test_what_happened_between_two_connections_is_found(watched: Watched) -> None:
    watched.parts.connection.disconnect.disconnect(watched.agent, Actor.AGENT)
    remove(watched)
    watched.connect()
    watched.clock.advance(61)
    assert ("session.deleted_in_google", "s1", "lost") in watched.webhook_events()


def test_the_daily_change_detection_finds_what_no_notification_told(watched: Watched) -> None:
    move(watched)
    watched.clock.advance(1.5 * DAY)
    assert ("session.changed_in_google", "s1", "scheduled") in watched.webhook_events()


# --- in any order ---


def test_change_detection_does_not_report_our_own_write(watched: Watched) -> None:
    """The worker asked for the list before the write was settled, and read the record before it was accepted."""
    change_detector, agent = watched.parts.sessions.change_detector, watched.agent
    before = dict.fromkeys(text for _, text in change_detector.sessions.with_texts(agent))
    record, text = change_detector.sessions.with_texts(agent)[0]
    watched.put(days=6)
    changed = change_detector.sessions.record_external_change(
        agent, watched.facts.connection_id, text, record, "changed"
    )
    assert before
    assert not changed
    assert watched.seen() == (Status.SCHEDULED, "")


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_in_which_order_the_state_is_that_of_a_list(watched: Watched, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - an order to be repeated
    names = [f"s{number}" for number in range(2, 7)]
    for name in names:
        watched.put(name)
    watched.webhook_events()
    messages = [watched.message() for _ in range(5)]
    wanted = {}
    for name in names:
        change = chance.choice(("move", "remove", "restore", "nothing"))
        if change == "move":
            move(watched, name)
        if change in {"remove", "restore"}:
            remove(watched, name)
        if change == "restore":
            restore(watched, name)
        wanted[name] = {"move": "changed_in_google", "remove": "deleted_in_google", "nothing": ""}.get(change)
    messages += chance.choices(messages, k=10)
    chance.shuffle(messages)
    forged = [message | {"X-Goog-Channel-Token": "0" * 32} for message in messages[:5]]
    webhook_events: list[tuple[str, str, str]] = []
    for message in chance.sample(messages + forged, len(messages + forged)):
        assert watched.ring(message) == (404 if message in forged else 204)
        watched.clock.advance(chance.choice((0, 4, 15)))
        webhook_events += watched.webhook_events()
    watched.clock.advance(11)
    webhook_events += watched.webhook_events()
    assert len(webhook_events) == len(set(webhook_events))
    for name, reason in wanted.items():
        assert watched.seen(name)[1] == (reason if reason is not None else watched.seen(name)[1])
    expected = {name for name, reason in wanted.items() if reason}
    assert expected <= {session for _, session, _ in webhook_events}


# --- trouble ---


def test_a_failed_change_detection_is_repeated_and_nothing_is_told_twice(watched: Watched) -> None:
    listed = {"method": "GET", "path": "/calendar/v3/calendars/*/events"}
    watched.google.fault(listed, {"status": 503, "reason": "backendError"}, times=1)
    move(watched)
    assert watched.noticed() == []
    watched.clock.advance(31)
    assert watched.webhook_events() == [("session.changed_in_google", "s1", "scheduled")]


def test_a_change_detection_refused_for_good_waits_for_the_next_day(watched: Watched) -> None:
    listed = {"method": "GET", "path": "/calendar/v3/calendars/*/events"}
    watched.google.fault(listed, {"status": 403, "reason": "forbidden"})
    watched.noticed()
    watched.clock.advance(3600)
    watched.work(3)
    assert watched.looks() == 1


def test_a_change_detection_whose_worker_dies_is_done_by_another(watched: Watched) -> None:
    move(watched)
    configure({"change_detection.after_list_before_store": "raise"})
    assert watched.noticed() == []
    configure({})
    watched.clock.advance(6 * 60)
    assert watched.webhook_events() == [("session.changed_in_google", "s1", "scheduled")]


@pytest.mark.parametrize("failures", [0, 1])
def test_a_notification_during_change_detection_starts_another_one_however_that_ends(
    watched: Watched, failures: int
) -> None:
    """The change may have come after the page on which it would have been listed.

    The wake-up must outlive the round that is running.
    """
    listed = {"method": "GET", "path": "/calendar/v3/calendars/*/events"}
    if failures:
        watched.google.fault(listed, {"status": 503, "reason": "backendError"}, times=failures)
    watched.at_call("calendar.events.list", watched.ring)
    watched.noticed()
    assert watched.looks() == 1
    watched.clock.advance(11)
    watched.work(2)
    assert watched.looks() == 2


def test_the_state_says_connected_whatever_a_person_does(watched: Watched) -> None:
    remove(watched)
    watched.noticed()
    assert watched.parts.connection.status.of(watched.agent).state is State.CONNECTED
