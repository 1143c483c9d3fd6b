"""Several calls in one multipart request."""

import pytest

from tests.local_google.facts import fact
from tests.local_google.http_api import GoogleApi
from tests.support.local_google import LocalGoogle


def batch(google: LocalGoogle, api: GoogleApi, calls: list[str], **headers: str) -> tuple[int, str]:
    whole = "".join(
        f"--b\r\nContent-Type: application/http\r\nContent-ID: <n{number}>\r\n\r\n{call}\r\n"
        for number, call in enumerate(calls)
    )
    sent = {"Content-Type": 'multipart/mixed; boundary="b"'} | headers
    connection = GoogleApi(f"{google.url}/batch/", api.token)
    reply = connection.call("POST", "calendar/v3", f"{whole}--b--".encode(), headers=sent)
    connection.close()
    return reply.status, reply.raw.decode()


@fact(
    "V2",
    "POST /batch/calendar/v3 takes multipart/mixed; every part is answered on its own, by its Content-ID",
)
def test_every_part_is_answered(api: GoogleApi, google: LocalGoogle, calendar: str) -> None:
    calls = [
        f"GET /calendar/v3/calendars/{calendar} HTTP/1.1\r\n",
        "GET /calendar/v3/calendars/nobody@x HTTP/1.1\r\n",
        f"POST /calendar/v3/calendars/{calendar}/events HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        '{"start": {"date": "2030-01-01"}, "end": {"date": "2030-01-02"}}',
    ]
    status, text = batch(google, api, calls)
    assert status == 200
    assert [f"<response-n{number}>" in text for number in range(3)] == [True] * 3
    assert (text.count("HTTP/1.1 200 OK"), text.count("HTTP/1.1 404 Not Found")) == (2, 1)
    assert len(api.events(calendar).document["items"]) == 1


@fact("V2", "At most 50 calls in a batch")
def test_a_batch_has_at_most_fifty_parts(api: GoogleApi, google: LocalGoogle) -> None:
    call = "GET /calendar/v3/colors HTTP/1.1\r\n"
    assert batch(google, api, [call] * 50)[0] == 200
    assert batch(google, api, [call] * 51)[0] == 400


def test_every_part_is_in_the_journal_and_counts(
    api: GoogleApi, google: LocalGoogle
) -> None:  # [R] the quota
    google.switch(per_minute_user=2)
    _, text = batch(google, api, ["GET /calendar/v3/colors HTTP/1.1\r\n"] * 3)
    assert (text.count("HTTP/1.1 200"), text.count("HTTP/1.1 403")) == (2, 1)
    methods = [call["api_method"] for call in google.journal()]
    assert methods[-4:] == ["calendar.colors.get"] * 3 + ["calendar.batch"]


@fact("V", "Batched items of one calendar may clash: 409 conflict")
def test_a_batched_item_can_clash(api: GoogleApi, google: LocalGoogle) -> None:
    google.fault("/batch/calendar/v3", {"status": 409, "reason": "conflict"})
    status, text = batch(google, api, ["GET /calendar/v3/colors HTTP/1.1\r\n"])
    assert (status, '"conflict"' in text) == (409, True)


@pytest.mark.parametrize("kind", ["application/json", "multipart/mixed"])
def test_a_batch_that_is_none_is_refused(api: GoogleApi, google: LocalGoogle, kind: str) -> None:
    assert batch(google, api, ["x"], **{"Content-Type": kind})[0] == 400
