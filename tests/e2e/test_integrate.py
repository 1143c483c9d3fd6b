"""docs/integrate.md as its reader types it, and the backend in examples/, against a real `run`."""

import contextlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from calendar_service import operators
from calendar_service.domain.session import Reason, Status
from calendar_service.processes import parent_death
from calendar_service.web.api.dispatch import CALLS
from calendar_service.web.problems import KINDS
from tests.e2e.test_main_job_over_http import ACCOUNT, Person
from tests.e2e.test_main_job_over_http import Backend as Api
from tests.e2e.test_run import PROGRAM, Run, free_port, running
from tests.support.backend import OTHER_SECRET, SECRET

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "integrate.md").read_text("utf-8")
BEGIN, *TYPED = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
_END = "--- end of block"
CONNECTED = {
    "organization": "acme",
    "agent": "ana",
    "connection_id": "c-1",
    "sequence": 2,
    "status": "connected",
}


@pytest.fixture(scope="module")
def webhook_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, webhook_port: int) -> Iterator[Run]:
    setting, value = BEGIN.split()[0].split("=")
    assert BEGIN.split()[1:] == ["make", "run"]
    data_dir = tmp_path_factory.mktemp("integrate") / ".data"
    with running(data_dir, **{setting: value.replace("9000", str(webhook_port))}) as started:
        yield started


def allow(address: str) -> None:
    """Open the link and consent, as the agent does."""
    person = Person()
    person.open(address)
    person.submit("Continue with Google")
    person.submit(ACCOUNT)
    person.submit("Allow")


def until(value: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (result := value()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return result


# --- the backend in examples/ ---


@contextlib.contextmanager
def example(run: Run, port: int, database: Path) -> Iterator[Callable[..., Any]]:
    """Run the backend until the end of the block; give a function that calls it."""
    program = [
        sys.executable, ROOT / "examples" / "backend.py", "--api", f"http://localhost:{run.port}", "--port", str(port),
        "--key-file", run.data_dir / "api-key", "--secret-file", run.data_dir / "keys" / "webhook-secret",
        "--database", database,
    ]  # fmt: skip
    leashed = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), *program]

    def call(method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://localhost:{port}{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    with subprocess.Popen(leashed) as process:
        until(lambda: is_there(call))
        yield call
        process.terminate()


def is_there(call: Callable[..., Any]) -> bool:
    try:
        return call("GET", "/agents/nobody/sessions") == []
    except urllib.error.URLError:
        return False


def test_the_example_brings_its_sessions_to_google_whatever_is_answered(
    run: Run, webhook_port: int, tmp_path: Path
) -> None:
    api, admin = Api(run, "api-key"), Api(run, "admin-key")
    day = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)

    def times(hours: int) -> dict[str, str]:
        start = day + timedelta(hours=hours)
        return {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}

    with example(run, webhook_port, tmp_path / "backend.sqlite") as call:

        def stands(session: str, status: str, reason: str = "") -> bool:
            listed = call("GET", "/agents/eva/sessions")
            return {"session": session, "status": status, "reason": reason}.items() <= next(
                one for one in listed if one["session"] == session
            ).items()

        call("PUT", "/agents/eva/sessions/s-1", times(0))
        until(lambda: stands("s-1", "refused", "not_connected"))
        allow(call("POST", "/agents/eva/link")["url"])
        until(lambda: stands("s-1", "scheduled"))  # the webhook made it send again

        call("PUT", "/agents/eva/sessions/s-1", times(4))
        seen = "/agents/eva/sessions/s-1?read=google"
        moved = f"{day + timedelta(hours=4):%FT%TZ}"
        until(lambda: api("GET", seen)[1]["start"] == moved)

        call(
            "PUT",
            "/agents/eva/sessions/past",
            {"start": "2020-05-03T14:00:00Z", "end": "2020-05-03T15:00:00Z"},
        )
        until(lambda: stands("past", "refused", "session_over"))

        admin("POST", "/agents/eva/connection/pause")
        call("PUT", "/agents/eva/sessions/s-2", times(6))
        until(lambda: stands("s-2", "waiting", "paused"))  # answered 202
        admin("POST", "/agents/eva/connection/resume")
        until(lambda: stands("s-2", "scheduled"))  # a webhook told it

        call("DELETE", "/agents/eva/sessions/s-2")
        until(lambda: stands("s-2", "cancelled"))
        assert call("POST", "/agents/eva/compare") == {
            "applied": True,
            "equal": 1,
            "differences": [],
            "unknown_events": [],
        }
        with pytest.raises(urllib.error.HTTPError, match="400"):
            call("POST", "/events", {"type": "session.applied"})


def the_example() -> Any:
    spec = importlib.util.spec_from_file_location("example_backend", ROOT / "examples" / "backend.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_takes_a_signed_webhook_once_and_nothing_else() -> None:
    module = the_example()
    backend = module.Backend(module.Calendar("http://localhost:9", "acme", "key"), SECRET, ":memory:")
    body = json.dumps({"type": "connection.connected", "data": CONNECTED})
    now = datetime.now(UTC)

    def headers(sent_at: datetime, secret: str = SECRET) -> dict[str, str]:
        return {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": f"v1,bm8= {Webhook(secret).sign('msg_1', sent_at, body)}",
        }

    def known() -> list[tuple[str, int]]:
        return [(row["state"], row["sequence"]) for row in backend._run("select * from connections")]

    for sent_at, secret in ((now, OTHER_SECRET), (now - timedelta(minutes=6), SECRET)):
        assert backend.take(headers(sent_at, secret), body.encode()) == 400
    assert backend.take({}, body.encode()) == 400
    assert backend.take(headers(now), body.encode() + b" ") == 400
    assert known() == []
    assert backend.take(headers(now), body.encode()) == 204
    assert known() == [("connected", 2)]
    backend._run("update connections set state = 'changed'")
    assert backend.take(headers(now), body.encode()) == 204
    assert known() == [("changed", 2)], "a repetition was taken"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_the_example_repeats_what_may_be_repeated_with_the_same_version(status: int) -> None:
    with answering([(status, {}), (201, {"status": "scheduled"})]) as (url, bodies):
        module = the_example()
        backend = module.Backend(module.Calendar(url, "acme", "key"), SECRET, ":memory:")
        backend.book("ana", "s-1", "2099-05-03T14:00:00Z", "2099-05-03T15:00:00Z")
        backend.send_due()
        assert backend.sessions("ana")[0]["status"] == "unsent"
        backend.send_due()
        assert backend.sessions("ana")[0]["status"] == "scheduled"
        backend.send_due()
    assert [body["version"] for body in bodies] == [1, 1]


@contextlib.contextmanager
def answering(answers: list[tuple[int, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Serve these answers one after the other, each to be repeated at once; give the address and what was sent."""
    bodies: list[Any] = []

    class Peer(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, answer = answers.pop(0)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Peer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_port}", bodies
        server.shutdown()
        thread.join()


# --- the page ---


def test_every_command_of_the_page_works_in_its_order(run: Run, webhook_port: int) -> None:
    home = run.data_dir.parent

    def on_free_ports(text: str) -> str:
        return text.replace("8080", str(run.port)).replace("9000", str(webhook_port))

    (home / "examples").mkdir()
    program = (ROOT / "examples" / "backend.py").read_text("utf-8")
    (home / "examples" / "backend.py").write_text(on_free_ports(program), "utf-8")
    (home / ".venv" / "bin").mkdir(parents=True)
    (home / ".venv" / "bin" / "calendar-service").symlink_to(PROGRAM)
    known = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "CALENDAR_DATA_DIR": str(run.data_dir)}
    listed = f"http://localhost:{webhook_port}/agents/ana/sessions"
    answers = []
    with subprocess.Popen(
        ["bash"], cwd=home, env=known, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    ) as shell:  # fmt: skip
        for block in TYPED:
            if "kill" in block:
                until(lambda: '"status": "scheduled"' in fetched(listed))
            answers.append(typed(shell, on_free_ports(block)))
            for address in re.findall(r'"url":"([^"]+)"', answers[-1]):
                allow(address)
            if block.endswith("&\n"):
                until(lambda: fetched(listed))
        shell.communicate()
    first, new_key, _, connected, booked, _, delivered, received, plan = answers
    assert '"state":"not_connected"' in first
    assert ":acme:backend:" in new_key
    assert '"state":"connected"' in connected
    assert '"agent":"ana"' in connected
    assert [one["status"] for one in documents(booked)] == [
        "scheduled",
        "scheduled",
        "scheduled",
        "cancelled",
    ]
    assert "Delivered: the backend answered 204." in delivered
    assert '"status": "scheduled"' in received
    assert next(documents(plan))["differences"] == [{"session": "s-2", "difference": "extra"}]


def typed(shell: "subprocess.Popen[str]", block: str) -> str:
    """Type a block of commands; return what they print."""
    assert shell.stdin
    assert shell.stdout
    shell.stdin.write(f"{block}\necho; echo '{_END}'\n")
    shell.stdin.flush()
    lines = []
    for line in shell.stdout:
        if line.startswith(_END):
            return "".join(lines)
        lines.append(line)
    raise AssertionError("the shell ended:\n" + "".join(lines))


def documents(text: str) -> Iterator[Any]:
    """Yield the JSON documents that a text has one behind the other."""
    text = text.strip()
    while text:
        document, end = json.JSONDecoder().raw_decode(text)
        yield document
        text = text[end:].strip()


def fetched(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            return str(answer.read().decode())
    except OSError:
        return ""


def test_the_overlay_of_the_page_is_a_profile(tmp_path: Path) -> None:
    (overlay,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    file = tmp_path / "overlay.toml"
    file.write_text(overlay, "utf-8")
    organization = operators.load(str(file)).organization("acme")
    assert organization.return_urls == ("https://console.example.com/settings",)
    assert organization.frame_ancestors == ("https://console.example.com",)


def test_the_page_explains_every_status_and_every_reason_and_no_other() -> None:
    table = DOCUMENT.partition("| status | reason |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    assert {status.strip(" `") for status, _ in rows} == {*Status}
    assert {word for _, reasons in rows for word in re.findall("`([a-z_]+)`", reasons)} == {*Reason}


def test_the_page_says_what_to_do_at_every_refusal() -> None:
    table = DOCUMENT.partition("| answer | means | do |")[2].partition("\n\n")[0]
    for call in CALLS:
        if "backend" in call.roles:
            assert [code for code in call.codes if f"`{code}`" not in table] == []
    statuses = {int(number) for number in re.findall(r"\b[2-5][0-9]{2}\b", table)}
    assert {kind.status for kind in KINDS.values()} - statuses == {410}  # of reviewers' pages alone
