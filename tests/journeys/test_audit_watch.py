"""`audit watch` against a real service over HTTP: what is as promised passes, and each way to cheat is found."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.cli import main
from calendar_service.crypto.signed_note import signed_note, verifier_key
from calendar_service.domain.checkpoint import Checkpoint, Statement, digest
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.evidence import shows
from tests.support.local_google import LocalGoogle
from tests.support.service import PUBLIC_URL, TestService


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing."""


@dataclass
class Watched:
    """A service that publishes its checkpoints, and a stranger who watches it from another directory."""

    service: TestService
    url: str
    home: Path

    def days(self, count: int, then: float = DAY / SECOND) -> None:
        """Make a checkpoint on each of these days."""
        for _ in range(count):
            assert self.service.parts.audit.sealer.checkpoint() is not None
            self.service.clock.advance(then)

    def watch(self, *words: str) -> Result:
        """Run the command without any variable of the service."""
        self.service.clock.advance(MINUTE / SECOND)  # what a process has read is served for a minute
        clean = dict.fromkeys(self.service.variables)
        words = (self.url, "--state", str(self.state), *words)
        return CliRunner().invoke(main, ("audit", "watch", *words), env=clean)

    @property
    def state(self) -> Path:
        return self.home / "watch.json"

    def kinds(self, *words: str) -> tuple[int, list[str]]:
        """Return the exit status, and what was found."""
        answer = self.watch("--json", *words)
        return answer.exit_code, [finding["kind"] for finding in json.loads(answer.stdout)["findings"]]

    # --- an operator who cheats: the key is theirs ---

    @property
    def notes(self) -> dict[int, str]:
        client = self.service.parts.store.database.client
        return {int(number): note for note, number in client.zrange(keys.CHECKPOINTS, 0, -1, withscores=True)}

    def put(self, number: int, note: str) -> None:
        client = self.service.parts.store.database.client
        client.zremrangebyscore(keys.CHECKPOINTS, number, number)
        if note:
            client.zadd(keys.CHECKPOINTS, {note: number})

    def sign_again(self, number: int, *, chain: bool = False, **changed: Any) -> None:
        """Put another signed note in place of one; `chain`: sign all that follow anew too."""
        former = ""
        for at in sorted(self.notes):
            statement = Checkpoint(at, self.notes[at], {}).statement
            assert statement is not None
            if at == number:
                self.put(at, self._signed(replace(statement, **changed)))
            elif at > number and chain:
                self.put(at, self._signed(replace(statement, previous=digest(former))))
            former = self.notes[at]

    def _signed(self, statement: Statement) -> str:
        return signed_note(statement.text(), statement.origin, self.service.parts.audit.sealer.private_key)


@pytest.fixture
def watched(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock, tmp_path: Path
) -> Iterator[Watched]:
    """The service begins at a noon so long ago that its fifth day is the last one that is not in the future."""
    google_process.reset()
    test_clock.to_noon()
    test_clock.advance(-5 * DAY / SECOND)
    with make_server("127.0.0.1", 0, None, handler_class=_Quiet) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        service = TestService.of(clean_store, google_process, test_clock, CALENDAR_PUBLIC_URL=origin)
        server.set_app(create_app(service.parts))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield Watched(service, f"{origin}/transparency", tmp_path)
        server.shutdown()
        thread.join()
        service.close()


@shows("ST-5", "LU-6")
def test_a_service_that_keeps_its_promise_passes_day_after_day(watched: Watched) -> None:
    watched.days(4)
    assert watched.kinds()[1] in ([], ["absent"])  # by the hour at which the test runs
    watched.days(1)
    answer = watched.watch()
    assert answer.exit_code == 0
    assert "Verified: 5 checkpoints, 1 new; the newest is 5 of" in answer.stdout
    assert watched.kinds() == (0, [])
    assert watched.state.stat().st_mode & 0o777 == 0o600
    assert list(watched.home.glob("watch*")) == [watched.state]


def _sign_a_day_again(watched: Watched) -> None:
    watched.sign_again(3, due="9")


def _sign_all_again(watched: Watched) -> None:
    watched.sign_again(3, chain=True, due="9")


def _change_a_note(watched: Watched) -> None:
    watched.put(3, watched.notes[3].replace("due: 0", "due: 9"))


def _remove_a_day(watched: Watched) -> None:
    watched.put(3, "")


def _remove_the_newest(watched: Watched) -> None:
    watched.put(5, "")


def _remove_the_beginning(watched: Watched) -> None:
    watched.put(1, "")


def _remove_all(watched: Watched) -> None:
    for number in watched.notes:
        watched.put(number, "")


def _sign_by_another_key(watched: Watched) -> None:
    text = watched.notes[5].rpartition("\n\n")[0] + "\n"
    watched.put(5, signed_note(text, text.partition("\n")[0], Ed25519PrivateKey.generate()))


CHEATS: dict[str, tuple[Callable[[Watched], None], str]] = {
    "a day is signed anew": (_sign_a_day_again, "chain"),
    "a day and all after it are signed anew": (_sign_all_again, "rewritten"),
    "a note is changed": (_change_a_note, "signature"),
    "a day is removed": (_remove_a_day, "removed"),
    "the newest is removed": (_remove_the_newest, "removed"),
    "the beginning is removed": (_remove_the_beginning, "removed"),
    "all are removed": (_remove_all, "removed"),
    "somebody else signs": (_sign_by_another_key, "signature"),
}


@shows("LU-6")
@pytest.mark.parametrize("what", CHEATS)
def test_a_changed_past_is_found_at_each_run_and_the_copy_stays(watched: Watched, what: str) -> None:
    change, kind = CHEATS[what]
    watched.days(5)
    assert watched.kinds() == (0, [])
    before = watched.state.read_bytes()
    change(watched)
    for _ in range(2):
        status, kinds = watched.kinds()
        assert (status, kinds[0]) == (1, kind)
    assert watched.state.read_bytes() == before
    answer = watched.watch()
    assert kind.upper() in answer.stderr
    assert answer.stdout == ""


def test_without_a_copy_a_beginning_that_is_missing_is_found_and_one_past_its_term_is_not(
    watched: Watched,
) -> None:
    watched.days(5)
    watched.put(1, "")
    assert watched.kinds() == (1, ["removed"])
    watched.sign_again(5, term_days=1)
    assert watched.kinds() == (0, [])


@shows("ST-5")
def test_a_day_without_a_checkpoint_is_found_once(watched: Watched) -> None:
    watched.days(2)
    assert watched.kinds()[1] == ["absent"]
    watched.service.clock.advance(DAY / SECOND)
    watched.days(2)
    assert watched.kinds() == (1, ["day_missing"])
    assert watched.kinds() == (0, [])


@shows("ST-5")
def test_a_checkpoint_that_is_missing_now_is_found_at_each_run(watched: Watched) -> None:
    watched.days(3)  # the newest is at least two days old
    for _ in range(2):
        assert watched.kinds() == (1, ["absent"])


@shows("ST-5")
def test_an_erasure_that_is_overdue_is_found(watched: Watched) -> None:
    watched.service.clock.advance(-9 * DAY / SECOND)
    known_to_google = watched.service.served_from(PUBLIC_URL)
    known_to_google.connect()
    known_to_google.parts.connection.disconnect.disconnect(known_to_google.agent, Actor.AGENT)
    known_to_google.close()
    watched.service.clock.advance(9 * DAY / SECOND)
    watched.days(5)
    assert watched.kinds() == (1, ["overdue"] * 5)
    assert watched.kinds() == (1, ["overdue"])
    assert "erasures past their time: 1" in watched.watch().stderr


def test_changes_of_the_audit_log_that_a_checkpoint_states_are_found(watched: Watched) -> None:
    watched.days(5)
    watched.sign_again(5, faults=2)
    assert watched.kinds() == (1, ["faults"])


def test_a_note_from_the_future_and_two_of_one_day_are_found(watched: Watched) -> None:
    watched.days(5)
    day = Checkpoint(4, watched.notes[4], {}).made_at
    watched.sign_again(5, made_at=day + HOUR)
    assert watched.kinds()[1][0] == "order"
    watched.state.unlink()
    watched.sign_again(5, made_at=day + 5 * DAY)
    assert watched.kinds()[1][-1] == "future"


@shows("LU-6")
def test_a_changed_key_is_found_until_it_is_trusted(watched: Watched) -> None:
    watched.days(4)
    watched.kinds()
    audit, new_key = watched.service.parts.audit, Ed25519PrivateKey.generate()
    former = audit.transparency.verifier_key
    key = str(verifier_key(former.partition("+")[0], new_key))
    audit.sealer.private_key, audit.transparency.verifier_key = new_key, key
    watched.days(1)
    assert watched.kinds() == (1, ["key"])
    assert watched.kinds("--key", key) == (0, [])
    assert watched.kinds() == (0, [])
    assert json.loads(watched.state.read_text("utf-8"))["keys"] == [former, key]
    watched.state.unlink()
    assert watched.kinds() == (1, ["signature"])
    assert watched.kinds("--key", former, "--key", key) == (0, [])


def test_before_the_first_checkpoint_one_is_missing(watched: Watched) -> None:
    assert watched.kinds() == (1, ["absent"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("http://calendar.example.com/transparency",), "has to begin with https://"),
        (("ftp://127.0.0.1/transparency",), "has to begin with https://"),
        (("transparency",), "is not the address of a page"),
        (("https://a@example.com/transparency",), "is not the address of a page"),
        (("https://example.com/transparency?before=2",), "is not the address of a page"),
        (("http://127.0.0.1:x/transparency",), "is not an address"),
        (("http://127.0.0.1:1/transparency",), "cannot be read (refused)"),
        (("http://127.0.0.1:1/transparency", "--key", "x"), "is not a verifier key"),
    ],
)
def test_an_address_that_cannot_be_watched_is_refused(
    tmp_path: Path, words: tuple[str, ...], reason: str
) -> None:
    state = tmp_path / "state"
    answer = CliRunner().invoke(main, ("audit", "watch", *words, "--state", str(state)))
    assert (answer.exit_code, answer.stdout, state.exists()) == (2, "", False)
    assert reason in " ".join(answer.stderr.split())


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nothing", "no checkpoints are published there"),
        ("/healthz", "no checkpoints are"),
        ("/v1", "answers 401"),
    ],
)
def test_an_answer_that_is_no_feed_is_refused(watched: Watched, path: str, reason: str) -> None:
    watched.url = watched.url.replace("/transparency", path)
    answer = watched.watch()
    assert (answer.exit_code, watched.state.exists()) == (2, False)
    assert reason in " ".join(answer.stderr.split())


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"keys": [], "notes": [], "version": 1, "url": "https://other/"}']
)
def test_a_copy_of_something_else_is_refused_and_left(watched: Watched, text: str) -> None:
    watched.days(1)
    watched.state.write_text(text, "utf-8")
    answer = watched.watch()
    assert (answer.exit_code, watched.state.read_text("utf-8")) == (2, text)
    assert "name another file" in " ".join(answer.stderr.split())


def test_a_copy_that_cannot_be_written_is_refused(watched: Watched) -> None:
    watched.days(1)
    watched.home /= "nowhere"
    assert watched.watch().exit_code == 2
