"""`make test-clients`: clients that public generators make from the description live a whole life on a real `run`.

pytest does not collect this file by itself, because what it starts is installed by `.ci/client_tools` alone.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from calendar_service.processes import parent_death
from tests.clients.tools import GENERATOR_ENVIRONMENT, NODE, tool
from tests.e2e.test_main_job_over_http import ACCOUNT, Person
from tests.e2e.test_run import Run, free_port, get, running
from tests.support.backend import SECRET

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def webhook_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, webhook_port: int) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("clients")
    secret = folder / "secret"
    secret.write_text(SECRET, "ascii")
    environment = {
        "CALENDAR_WEBHOOK_URL": f"http://localhost:{webhook_port}/",
        "CALENDAR_WEBHOOK_SECRET_FILE": str(secret),
    }
    with running(folder / "data", **environment) as started:
        yield started


@pytest.fixture
def description(run: Run, tmp_path: Path) -> Path:
    file = tmp_path / "openapi.json"
    file.write_text(get(run.port, "/openapi.json")[1], "utf-8")
    return file


def live(run: Run, webhook_port: int, *command: str | Path, **more: str) -> None:
    """Start a client, open in the agent's browser what it asks for, and see it end well."""
    environment = {
        "PATH": os.environ["PATH"],
        "API": f"http://localhost:{run.port}",
        "API_KEY": (run.data_dir / "api-key").read_text("ascii").strip(),
        "WEBHOOK_PORT": str(webhook_port),
        "WEBHOOK_SECRET": SECRET,
        **more,
    }
    leashed = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), *command]
    with subprocess.Popen(leashed, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("open "):
                person = Person()
                person.open(line.split()[1])
                person.submit("Continue with Google")
                person.submit(ACCOUNT)
                person.submit("Allow")
    assert process.returncode == 0


def test_a_python_client_made_by_openapi_python_client_lives_a_whole_life(
    run: Run, webhook_port: int, description: Path, tmp_path: Path
) -> None:
    generation = subprocess.run(
        [
            GENERATOR_ENVIRONMENT / "openapi-python-client", "generate", "--path", description,
            "--output-path", tmp_path / "calendar_client", "--meta", "none", "--fail-on-warning",
        ],
        env={"PATH": f"{GENERATOR_ENVIRONMENT}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert generation.returncode == 0, generation.stdout + generation.stderr
    live(run, webhook_port, GENERATOR_ENVIRONMENT / "python", HERE / "life.py", PYTHONPATH=str(tmp_path))


def test_a_typescript_client_made_by_openapi_typescript_compiles_and_lives_a_whole_life(
    run: Run, webhook_port: int, description: Path, tmp_path: Path
) -> None:
    for name in ("life.ts", "package.json", "tsconfig.json"):
        shutil.copy(NODE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    for command in (
        tool("openapi-typescript", description, "-o", tmp_path / "api.ts"),
        tool("tsc", "--project", tmp_path),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    live(run, webhook_port, "node", tmp_path / "life.js")
