"""Notification channels and the messages that go to them."""

import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.local_google.app import TWO
from tests.local_google.conftest import TestClock
from tests.local_google.facts import fact
from tests.local_google.http_api import GoogleApi, Reply
from tests.local_google.receiver import Receiver, listening
from tests.support.local_google import LocalGoogle


@pytest.fixture
def receiver(google: LocalGoogle) -> Iterator[Receiver]:
    google.switch(push_to_http=True, push_retry_seconds=0.01)
    with listening() as receiver:
        yield receiver


def watch(api: GoogleApi, calendar: str, address: str, **more: Any) -> Reply:
    body = {"id": "channel-1", "type": "web_hook", "address": address, "token": "secret"} | more
    return api.call("POST", f"calendars/{calendar}/events/watch", body)


@fact("V", "watch answers kind api#channel, id, resourceId, resourceUri, token, expiration")
def test_a_channel_is_described(api: GoogleApi, calendar: str, receiver: Receiver) -> None:
    channel = watch(api, calendar, receiver.url).document
    assert list(channel) == ["kind", "id", "resourceId", "resourceUri", "token", "expiration"]
    assert (channel["kind"], channel["id"], channel["token"]) == ("api#channel", "channel-1", "secret")
    assert calendar in channel["resourceUri"]


@fact("V2", "A new channel gets a sync message, number 1; later ones say exists with growing numbers")
def test_messages_begin_with_sync(api: GoogleApi, calendar: str, receiver: Receiver) -> None:
    watch(api, calendar, receiver.url)
    api.insert(calendar, {"id": "abcdef"})
    api.delete(calendar, "abcdef")
    assert receiver.states(3) == ["sync", "exists", "exists"]


@fact(
    "V2",
    "A message has no body, only X-Goog headers: id, token, expiration, resource id and URI, state, number",
)
def test_a_message_is_all_headers(api: GoogleApi, calendar: str, receiver: Receiver) -> None:
    channel = watch(api, calendar, receiver.url).document
    headers = receiver.next()
    assert headers["x-goog-channel-id"] == "channel-1"
    assert headers["x-goog-channel-token"] == "secret"
    assert headers["x-goog-channel-expiration"].endswith("GMT")
    assert headers["x-goog-resource-id"] == channel["resourceId"]
    assert headers["x-goog-resource-uri"] == channel["resourceUri"]
    assert headers["x-goog-resource-state"] == "sync"
    assert headers["x-goog-message-number"] == "1"


@fact("V2", "500, 502, 503 and 504 are tried again; other answers are not")
def test_failed_messages_are_tried_again(
    api: GoogleApi, google: LocalGoogle, calendar: str, receiver: Receiver
) -> None:
    receiver.statuses += [503, 500, 200, 404]
    watch(api, calendar, receiver.url)
    assert [receiver.next()["x-goog-message-number"] for _ in range(3)] == ["1", "1", "1"]
    api.insert(calendar)
    assert receiver.next()["x-goog-message-number"] == "2"
    with pytest.raises(queue.Empty):
        receiver.next(0.1)
    sent = [call["status"] for call in google.journal() if call.get("direction") == "out"]
    assert sent == [503, 500, 200, 404]


@fact("V2", "A small share of messages is lost: numbers may have gaps")
def test_messages_can_be_lost(api: GoogleApi, google: LocalGoogle, calendar: str, receiver: Receiver) -> None:
    watch(api, calendar, receiver.url)
    receiver.next()
    google.switch(push_loss=1.0)
    api.insert(calendar)
    google.switch(push_loss=0.0)
    api.insert(calendar)
    assert receiver.next()["x-goog-message-number"] == "3"


@fact("V2", "Addresses must be https: 400 push.webhookUrlNotHttps (http://localhost only by a switch)")
@pytest.mark.parametrize("address", ["http://example.org/x", "ftp://x", "https://", ""])
def test_an_address_without_https_is_refused(
    api: GoogleApi, google: LocalGoogle, calendar: str, address: str
) -> None:
    reply = watch(api, calendar, address)
    assert (reply.status, reply.reason) == (400, "global/push.webhookUrlNotHttps")
    google.switch(push_to_http=False)
    assert watch(api, calendar, "http://localhost:1/x").status == 400


@fact("V2", "A channel's id serves once: 400 channelIdNotUnique, also after it was stopped")
def test_a_channels_id_serves_once(api: GoogleApi, calendar: str, receiver: Receiver) -> None:
    channel = watch(api, calendar, receiver.url).document
    assert watch(api, calendar, receiver.url).reason == "global/channelIdNotUnique"
    api.call("POST", "channels/stop", {"id": channel["id"], "resourceId": channel["resourceId"]})
    assert watch(api, calendar, receiver.url).reason == "global/channelIdNotUnique"


@fact("V2", "Ids have at most 64 characters, tokens 256; the type is web_hook or webhook")
@pytest.mark.parametrize("wrong", [{"id": "i" * 65}, {"token": "t" * 257}, {"type": "carrier"}, {"id": ""}])
def test_impossible_channels_are_refused(
    api: GoogleApi, calendar: str, receiver: Receiver, wrong: dict[str, str]
) -> None:
    assert watch(api, calendar, receiver.url, **wrong).status == 400
    assert watch(api, calendar, receiver.url, type="webhook").status == 200


@fact("V2", "params.ttl is in seconds and 604800 unless given; expiration is in milliseconds, as a string")
def test_a_channels_life_is_asked_for(
    api: GoogleApi, calendar: str, receiver: Receiver, clock: TestClock
) -> None:
    now = time.time()
    plain = int(watch(api, calendar, receiver.url).document["expiration"]) / 1000
    short = watch(api, calendar, receiver.url, id="c2", params={"ttl": "60"}).document["expiration"]
    wanted = str(int((now + 500) * 1000))
    assert watch(api, calendar, receiver.url, id="c3", expiration=wanted).document["expiration"] == wanted
    assert 604_795 < plain - now < 604_805
    assert 55 < int(short) / 1000 - now < 65


@fact("V2", "There is no renewal: an expired channel is silent")
def test_an_expired_channel_is_silent(
    api: GoogleApi, calendar: str, receiver: Receiver, clock: TestClock
) -> None:
    watch(api, calendar, receiver.url, params={"ttl": "60"})
    receiver.next()
    clock.advance(61)
    api.insert(calendar)
    with pytest.raises(queue.Empty):
        receiver.next(0.1)


@fact("V2", "Two channels on one calendar both get every message, with the same resource id")
def test_overlapping_channels_bring_duplicates(api: GoogleApi, calendar: str, receiver: Receiver) -> None:
    ids = {watch(api, calendar, receiver.url, id=name).document["resourceId"] for name in ("c1", "c2")}
    for _ in range(2):
        receiver.next()
    api.insert(calendar)
    assert {receiver.next()["x-goog-channel-id"] for _ in range(2)} == {"c1", "c2"}
    assert len(ids) == 1


@fact("V2", "channels.stop takes id and resourceId, answers empty, and needs the same user's token")
def test_only_the_same_user_stops_a_channel(
    api: GoogleApi, access: Callable[..., GoogleApi], calendar: str, receiver: Receiver
) -> None:
    channel = watch(api, calendar, receiver.url).document
    receiver.next()
    body = {"id": channel["id"], "resourceId": channel["resourceId"]}
    assert access(TWO).call("POST", "channels/stop", body).status == 404
    assert api.call("POST", "channels/stop", body | {"resourceId": "other"}).status == 404
    reply = api.call("POST", "channels/stop", body)
    assert (reply.status, reply.raw) == (204, b"")
    assert api.call("POST", "channels/stop", body).status == 404
    api.insert(calendar)
    with pytest.raises(queue.Empty):
        receiver.next(0.1)


@fact("V", "Events, CalendarList, Settings and Acl can be watched")
def test_four_collections_can_be_watched(api: GoogleApi, calendar: str, receiver: Receiver) -> None:
    body = {"type": "web_hook", "address": receiver.url}
    paths = [
        "users/me/calendarList/watch",
        "users/me/settings/watch",
        f"calendars/{calendar}/acl/watch",
        f"calendars/{calendar}/events/watch",
    ]
    for number, path in enumerate(paths):
        assert api.call("POST", path, body | {"id": f"c{number}"}).status == 200
    assert receiver.states(4) == ["sync"] * 4
    api.new_calendar()
    assert receiver.next()["x-goog-channel-id"] == "c0"


@fact("V2", "After a revocation channels can no longer be stopped; they die at their expiry")
def test_after_a_revocation_a_channel_rings_on(
    api: GoogleApi, google: LocalGoogle, app: Any, calendar: str, receiver: Receiver
) -> None:
    channel = watch(api, calendar, receiver.url).document
    receiver.next()
    app.revoke(api.token)
    body = {"id": channel["id"], "resourceId": channel["resourceId"]}
    assert api.call("POST", "channels/stop", body).status == 401
    assert google.state()["channels"][0]["alive"]


@fact("V2", "When the calendar is deleted its channels are told not_exists")
def test_the_end_of_a_calendar_is_told(api: GoogleApi, calendar: str, receiver: Receiver) -> None:
    watch(api, calendar, receiver.url)
    api.call("DELETE", f"calendars/{calendar}")
    assert receiver.states(2) == ["sync", "not_exists"]
