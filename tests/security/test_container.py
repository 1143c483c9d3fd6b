"""What the Dockerfile says of who runs, and how. Nothing here builds the image."""

import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
INSTRUCTIONS: Final = [
    line.split(" ", 1)
    for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_the_image_runs_as_a_numeric_user_without_rights() -> None:
    stage = [index for index, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM"][-1]
    users = [value for name, value in INSTRUCTIONS[stage:] if name == "USER"]
    assert users == ["65534:65534"]  # numeric, so that an orchestrator can see that it is not root
    assert all(value.startswith("${PYTHON_IMAGE}") for name, value in INSTRUCTIONS if name == "FROM")


def test_no_instruction_starts_a_shell() -> None:
    for name, value in INSTRUCTIONS:
        if name in {"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"}:
            words = json.loads(value[value.index("[") :])
            assert not re.search(r"(^|/)(ba|da|z)?sh$", words[0]), value


class Alive(BaseHTTPRequestHandler):
    """Answers the path of a living process alone."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.mark.parametrize(("is_alive", "status"), [(True, 0), (False, 1)])
def test_the_health_check_asks_whether_the_process_lives_and_no_more(
    is_alive: bool,  # noqa: FBT001
    status: int,
) -> None:
    (value,) = (value for name, value in INSTRUCTIONS if name == "HEALTHCHECK")
    program = json.loads(value[value.index("[") :])[1:]
    with HTTPServer(("127.0.0.1", 0), Alive) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        port = server.server_port if is_alive else 1
        done = subprocess.run(
            [sys.executable, *program],
            env={"PATH": os.environ["PATH"], "CALENDAR_PORT": str(port)},
            capture_output=True,
            check=False,
            timeout=60,
        )
        server.shutdown()
        thread.join()
    assert (done.returncode, done.stdout) == (status, b"")
