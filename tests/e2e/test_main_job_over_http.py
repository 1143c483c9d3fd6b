"""The main job by HTTP alone, as a console's server and an agent's browser do it, on a real `run`."""

import contextlib
import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_run import Run, command, get, running
from tests.support.evidence import shows
from tests.support.spellings import spellings

ACCOUNT = "agent-one@example.com"
TITLE = "Second planted-61d0"


class Backend:
    """The internal API under one key."""

    def __init__(self, run: Run, key_file: str) -> None:
        self.base = f"http://localhost:{run.port}/v1/organizations/acme"
        self.key = (run.data_dir / key_file).read_text("ascii").strip()

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, json.loads(answer.read())


class Person:
    """A browser without script: cookies, links, forms."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )
        self.url = self.page = ""

    def open(self, url: str, form: dict[str, str] | None = None) -> None:
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        origin = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(self.url)) if form is not None else ""
        request = urllib.request.Request(url, data, {"Origin": origin} if origin else {})  # noqa: S310
        with self.opener.open(request, timeout=20) as answer:
            self.url, self.page = answer.url, answer.read().decode()
        self.seen.append(self.url)

    def submit(self, button: str, **more: str) -> None:
        """Press the button whose form holds this text."""
        form = next(markup for markup in re.findall(r"<form.*?</form>", self.page, re.S) if button in markup)
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        pressed = next(
            markup for markup in re.findall(r"<button[^>]*>.*?</button>", form, re.S) if button in markup
        )
        fields |= dict(re.findall(r'name="([^"]+)" value="([^"]*)"', pressed))
        action = re.search(r'action="([^"]*)"', form)
        target = urllib.parse.urljoin(self.url, action[1].replace("&amp;", "&") if action else "")
        self.open(target, fields | more)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with running(tmp_path_factory.mktemp("main-job") / "data") as started:
        yield started


def books(run: Run) -> dict[str, Any]:
    url = f"http://localhost:{run.google_port}/_control/state"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return dict(json.loads(answer.read()))


def ours(run: Run) -> list[dict[str, Any]]:
    return [book for book in books(run)["calendars"] if book["owner"] == ACCOUNT and book["id"] != ACCOUNT]


def connect(run: Run, backend: Backend, seeing: str = "") -> Person:
    status, link = backend(
        "POST", "/agents/ana/portal-sessions", {"locale": "en", "time_zone": "America/Santiago"}
    )
    assert status == 201
    person = Person()
    person.open(link["url"])
    assert seeing in person.page
    person.submit("Continue with Google")
    person.submit(ACCOUNT)
    person.submit("Allow")
    assert person.url == f"http://localhost:{run.port}/settings"
    return person


def test_the_main_job_from_an_empty_directory_to_the_same_calendar_again(run: Run, tmp_path: Path) -> None:
    backend, admin = Backend(run, "api-key"), Backend(run, "admin-key")
    assert backend("GET", "/agents/ana/connection")[1]["state"] == "not_connected"
    person = connect(run, backend)
    assert backend("GET", "/agents/ana/connection")[1]["state"] == "connected"
    when = {"start": "2031-05-03T14:00:00", "end": "2031-05-03T14:30:00", "time_zone": "America/Santiago"}
    status, created = backend("PUT", "/agents/ana/sessions/s1", {**when, "by": "agent", "title": "First"})
    assert (status, created["status"]) == (201, "scheduled")
    moved = {"start": "2031-05-03T16:00:00-04:00", "end": "2031-05-03T16:30:00-04:00", "by": "system"}
    assert backend("PUT", "/agents/ana/sessions/s1", {**moved, "title": "First"})[0] == 200
    (event,) = ours(run)[0]["events"]
    assert (event["summary"], event["id"]) == ("First", created["event_id"])
    status, gone = backend("DELETE", "/agents/ana/sessions/s1?by=agent")
    assert (status, gone["applied"], gone["status"]) == (200, True, "cancelled")
    assert ours(run)[0]["events"][0]["status"] == "cancelled"
    backend("PUT", "/agents/ana/sessions/s2", {**when, "by": "agent", "title": "Second"})

    status, ended = admin("DELETE", "/agents/ana/connection")
    assert (status, ended["state"]) == (200, "disconnected")
    assert [token for token in books(run)["refresh_tokens"] if token["alive"]] == []
    person.open(f"http://localhost:{run.port}/settings")
    assert "Your organization ended the connection" in person.page
    assert "Google confirmed on" in person.page
    assert len(ours(run)) == 1
    status, erased = admin("DELETE", "/agents/ana/connection?erase=now")
    assert (status, erased["state"]) == (200, "not_connected")

    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(erased["receipt"]), "utf-8")
    assert command(run.data_dir, "receipt", "verify", str(receipt)).returncode == 0
    receipt.write_text(json.dumps(erased["receipt"] | {"erased_at": "2020-01-01T00:00:00Z"}), "utf-8")
    assert command(run.data_dir, "receipt", "verify", str(receipt)).returncode == 1

    again = connect(run, backend)
    assert len(ours(run)) == 1
    status, back = backend("PUT", "/agents/ana/sessions/s2", {**when, "by": "agent", "title": TITLE})
    assert (status, back["status"]) == (201, "scheduled")
    live = [event["summary"] for event in ours(run)[0]["events"] if event["status"] != "cancelled"]
    assert live == [TITLE]
    no_token_in_addresses(run, person, again)


def no_token_in_addresses(run: Run, *people: Person) -> None:
    tokens = issued(run)
    assert not [url for person in people for url in person.seen for token in tokens if token in url]


def issued(run: Run) -> list[str]:
    state = books(run)
    return [token["token"] for token in state["refresh_tokens"] + state["access_tokens"]]


def needles(run: Run) -> set[bytes]:
    """Every issued token and the last session's title, in many spellings."""
    tokens = issued(run)
    assert len(tokens) >= 4
    return {needle for text in (*tokens, TITLE) for needle in spellings(text)}


@shows("ST-1")
def test_no_issued_token_lies_in_any_file_but_the_local_googles_own_books(run: Run) -> None:
    looked_for = needles(run)
    files = [path for path in run.data_dir.rglob("*") if path.is_file()]
    mine = [path for path in files if path.relative_to(run.data_dir).parts[0] != "google"]
    assert {path.relative_to(run.data_dir).parts[0] for path in mine} >= {"valkey", "logs", "keys"}
    assert [path for path in mine if any(needle in path.read_bytes() for needle in looked_for)] == []
    theirs = b"".join(path.read_bytes() for path in files if path not in mine)
    # The search can find what it looks for.
    assert all(text.encode() in theirs for text in (*issued(run), TITLE))


def test_none_is_in_numbers_error_pages_commands_or_on_the_terminal(run: Run) -> None:
    looked_for, code = needles(run), issued(run)[0]
    pages = [
        "metrics",
        "readyz",
        "nowhere",
        f"oauth/callback?code={code}&state={code}",
        f"portal/{code}",
        "receipts/1",
    ]
    texts = [get(run.port, f"/{page}")[1] for page in pages]
    for words in ("doctor", "connections list", "connections show acme ana", "audit export", "webhooks list"):
        done = command(run.data_dir, *words.split())
        texts += [done.stdout, done.stderr]
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(f"http://localhost:{run.port}/oauth/callback", code.encode(), timeout=10)
    texts += [*run.output, *(path.read_text("utf-8") for path in (run.data_dir / "logs").iterdir())]
    assert "google.called" in "".join(texts)
    assert [text for text in texts if any(needle in text.encode() for needle in looked_for)] == []
