"""One local Google for all tests of this folder, reset before each; its clock is a file."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.local_google.app import APP, DESKTOP_APP, ONE, OTHER_APP, STRANGER_APP, App
from tests.local_google.http_api import FULL, GoogleApi
from tests.support.local_google import LocalGoogle


@dataclass(frozen=True)
class TestClock:
    """The offset that the local Google adds to the time."""

    __test__ = False
    file: Path

    def advance(self, seconds: float) -> None:
        """Set the offset from the real time, in seconds."""
        self.file.write_text(str(seconds))


@pytest.fixture(scope="session")
def clock_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clock") / "offset"


@pytest.fixture(scope="session")
def one_google(clock_file: Path) -> Iterator[LocalGoogle]:
    with LocalGoogle.start(
        [APP, OTHER_APP, STRANGER_APP, DESKTOP_APP], clock_file=clock_file, seed=7
    ) as google:
        yield google


@pytest.fixture
def clock(clock_file: Path) -> TestClock:
    clock_file.write_text("0")
    return TestClock(clock_file)


@pytest.fixture
def google(one_google: LocalGoogle, clock: TestClock) -> LocalGoogle:
    one_google.reset()
    return one_google


@pytest.fixture
def app(google: LocalGoogle) -> App:
    return App(google, APP)


@pytest.fixture
def access(app: App) -> Iterator[Callable[..., GoogleApi]]:
    """Connects an account under a scope; all connections are closed at the end."""
    opened: list[GoogleApi] = []

    def connected(account: str = ONE, scope: str = FULL) -> GoogleApi:
        opened.append(GoogleApi(app.google.api_endpoint, app.connect(account, scope)["access_token"]))
        return opened[-1]

    yield connected
    for one in opened:
        one.close()


@pytest.fixture
def api(access: Callable[..., GoogleApi]) -> GoogleApi:
    return access()


@pytest.fixture
def calendar(api: GoogleApi) -> str:
    identifier: str = api.new_calendar(summary="Laws", timeZone="America/Santiago")["id"]
    return identifier


@pytest.fixture
def event_id() -> str:
    """An event id that was never used."""
    return "sess10n" + secrets.token_hex(8)
