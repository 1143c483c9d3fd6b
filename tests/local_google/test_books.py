"""The books on disk: what survives the end of the process, and who can read them."""

import stat
from pathlib import Path

from tests.local_google.app import APP, App
from tests.local_google.http_api import GoogleApi
from tests.support.local_google import LocalGoogle


def test_books_survive_a_stop_and_a_kill(tmp_path: Path) -> None:
    with LocalGoogle.start([APP], data_dir=tmp_path) as first:
        app = App(first, APP)
        tokens = app.connect()
        api = GoogleApi(first.api_endpoint, tokens["access_token"])
        calendar = api.new_calendar()["id"]
        api.insert(calendar, {"id": "abcdef", "summary": "stays"})
        api.insert(calendar, {"id": "ghijkl"})
        api.delete(calendar, "ghijkl")
        gone = api.new_calendar()["id"]
        api.call("DELETE", f"calendars/{gone}")
        before = first.state()
        sync_token = api.events(calendar).document["nextSyncToken"]
        api.close()
    with LocalGoogle.start([APP], data_dir=tmp_path) as second:
        after = second.state()
        api = GoogleApi(second.api_endpoint, tokens["access_token"])
        assert api.insert(calendar, {"id": "ghijkl"}).status == 409
        assert api.events(calendar, syncToken=sync_token).document["items"] == []
        api.insert(calendar, {"id": "mnopqr"})
        api.close()
        second.kill()
    with LocalGoogle.start([APP], data_dir=tmp_path) as third:
        api = GoogleApi(third.api_endpoint, tokens["access_token"])
        listed = {event["id"] for event in api.events(calendar, syncToken=sync_token).document["items"]}
        api.close()
        assert App(third, APP).refresh(tokens["refresh_token"])[0] == 200
    assert listed == {"mnopqr"}
    for name in ("accounts", "consents", "refresh_tokens", "access_tokens", "calendarList"):
        assert after[name] == before[name]
    strip = str.maketrans("", "", "0123456789")
    assert str(after["calendars"]).translate(strip) == str(before["calendars"]).translate(strip)


def test_the_journal_goes_on_after_a_restart(tmp_path: Path) -> None:
    with LocalGoogle.start([APP], data_dir=tmp_path) as first:
        App(first, APP).connect()
        before = first.whole_journal()
    with LocalGoogle.start([APP], data_dir=tmp_path) as second:
        App(second, APP).connect()
        after = second.whole_journal()
    assert after[: len(before)] == before
    assert [call["seq"] for call in after] == list(range(1, len(after) + 1))


def test_only_the_owner_can_read_the_books(tmp_path: Path) -> None:
    books = tmp_path / "google"
    with LocalGoogle.start([APP], data_dir=books) as google:
        App(google, APP).connect()
    assert {stat.S_IMODE(file.stat().st_mode) for file in books.iterdir()} == {0o600}
    assert stat.S_IMODE(books.stat().st_mode) == 0o700


def test_a_line_cut_short_by_a_kill_is_skipped(tmp_path: Path) -> None:
    with LocalGoogle.start([APP], data_dir=tmp_path) as first:
        token = App(first, APP).connect()["refresh_token"]
    for name in ("books.jsonl", "journal.jsonl"):
        with (tmp_path / name).open("a") as file:
            file.write('["account","x@y.z",{"em')
    with LocalGoogle.start([APP], data_dir=tmp_path) as second:
        assert App(second, APP).refresh(token)[0] == 200
        assert len(second.state()["accounts"]) == 2


def test_reset_empties_the_books_on_disk(tmp_path: Path) -> None:
    with LocalGoogle.start([APP], data_dir=tmp_path) as first:
        token = App(first, APP).connect()["refresh_token"]
        first.reset()
    assert token not in (tmp_path / "books.jsonl").read_text()
