"""The architecture's contracts hold, and each of them can fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and its contracts, for tests to break."""
    for package in ("calendar_service", "local_google", "faults"):
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__", ".*", "*.lua", "*.toml", "templates"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(folder: Path) -> tuple[int, set[str]]:
    """Return the exit status and the names of the broken contracts."""
    done = subprocess.run(
        [LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    lines = done.stdout.splitlines()
    return done.returncode, {line.partition(" BROKEN")[0] for line in lines if " BROKEN" in line}


def test_every_contract_holds() -> None:
    assert lint(ROOT) == (0, set())


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("calendar_service/domain/clock.py", "import calendar_service.log", "Layers"),
        ("calendar_service/journeys/connection/access.py", "import calendar_service.web.app", "Layers"),
        ("calendar_service/google/calendar.py", "import calendar_service.store.keys", "Layers"),
        ("calendar_service/report/writing.py", "import calendar_service.web.pages.answers", "Layers"),
        ("calendar_service/web/pages/answers.py", "import calendar_service.report.writing", "Layers"),
        ("calendar_service/health/readiness.py", "import calendar_service.web.app", "Layers"),
        (
            "calendar_service/journeys/connection/access.py",
            "import calendar_service.health.measures",
            "Layers",
        ),
        ("calendar_service/rendering/environment.py", "import calendar_service.wiring", "Layers"),
        ("calendar_service/worker/loop.py", "import calendar_service.web.app", "Layers"),
        (
            "calendar_service/worker/periodic.py",
            "import calendar_service.worker.loop",
            "Layers of the worker",
        ),
        ("calendar_service/stray.py", "", "Layers"),
        (
            "calendar_service/journeys/connection/access.py",
            "import calendar_service.journeys.sessions.schedule",
            "Layers of the journeys",
        ),
        ("calendar_service/journeys/stray.py", "", "Layers of the journeys"),
        ("local_google/oauth/grants.py", "import local_google.calendar.events", "Layers of the local Google"),
        ("local_google/stray.py", "", "Layers of the local Google"),
        (
            "calendar_service/web/app.py",
            "import local_google.state.books",
            "Only the command line, `run` and the fault campaign know the local Google",
        ),
        (
            "local_google/context.py",
            "import calendar_service.domain.clock",
            "The local Google imports nothing of the service",
        ),
        (
            "faults/checker/book.py",
            "import calendar_service.domain.session",
            "The campaign's checkers import nothing of what they judge",
        ),
        (
            "faults/http_checker/reading.py",
            "from faults.store_view import StoreView",
            "The campaign's checkers import nothing of what they judge",
        ),
        (
            "calendar_service/journeys/connection/access.py",
            "import redis",
            "Only the store speaks to the database",
        ),
        ("calendar_service/wiring.py", "import redis", "Only the store speaks to the database"),
        (
            "calendar_service/journeys/connection/access.py",
            "from flask import g",
            "Only the entry points know the web framework",
        ),
        (
            "calendar_service/journeys/connection/access.py",
            "import calendar_service.rendering.language",
            "Only pages and report are rendered",
        ),
        (
            "calendar_service/journeys/connection/access.py",
            "import calendar_service.crypto.envelope",
            "Only the grant's store and the wiring open the vault",
        ),
        (
            "calendar_service/store/sessions.py",
            "import calendar_service.crypto.envelope",
            "Only the grant's store and the wiring open the vault",
        ),
        (
            "calendar_service/journeys/connection/access.py",
            "import requests",
            "Only net and its callers open sockets to the world",
        ),
        (
            "calendar_service/web/app.py",
            "import socket",
            "Only net and its callers open sockets to the world",
        ),
        (
            "calendar_service/journeys/connection/consent.py",
            "import googleapiclient.discovery",
            "Only google/ knows Google's client libraries",
        ),
    ],
)
def test_a_contract_can_fail(copy: Path, module: str, line: str, contract: str) -> None:
    spoiled = copy / module
    spoiled.write_text(f"{spoiled.read_text('utf-8') if spoiled.exists() else ''}\n{line}\n", "utf-8")
    status, broken = lint(copy)
    assert status == 1
    assert contract in broken


OPENERS = ("http.client", "urllib.request", "urllib3", "asyncio.open_connection")
MAY_OPEN = ("net/", "google/", "development/run.py")
"""`run` asks /readyz on this host."""


def test_only_net_google_and_run_take_the_library_s_own_http_clients() -> None:
    package = ROOT / "calendar_service"
    importers = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if any(opener in path.read_text("utf-8") for opener in OPENERS)
    }
    assert {place for place in importers if not place.startswith(MAY_OPEN)} == set()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("babel==", "babylon==", "lacks babel"),
        ("urllib3==2", "urllib3==1", "pins other versions"),
        ("click==8", "click==7", "not >=8"),
        ("certifi==", "--index-url https://packages.example.com/simple\ncertifi==", "names an index host"),
        ("certifi==", "pip==26\ncertifi==", "has no hash"),
        ("certifi==", "pip==26 --hash=sha256:0\ncertifi==", "nothing asks for"),
    ],
)
def test_a_lock_that_does_not_fit_is_refused(tmp_path: Path, before: str, after: str, words: str) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "check_project.py", tmp_path / ".ci")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "calendar_service").mkdir()
    for name in ("requirements-production.lock", "requirements-run.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(
        ROOT / "tests" / "clients", tmp_path / "tests" / "clients", ignore=shutil.ignore_patterns("node*")
    )
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    (tmp_path / "requirements.lock").write_text(lock.replace(before, after), "utf-8")
    done = subprocess.run(
        [sys.executable, tmp_path / ".ci" / "check_project.py"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert words in done.stdout
