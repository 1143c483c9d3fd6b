"""All that `calendar-service run` starts, and a Chromium that opens it."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from calendar_service.processes import parent_death
from tests.support.browser import chromium

PROGRAM = Path(sys.executable).with_name("calendar-service")
_PATIENCE = 90


@dataclass(frozen=True)
class Running:
    """The addresses of a running service."""

    url: str
    google: str
    data_dir: Path


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service from an empty data directory, with worker and local Google."""
    place = tmp_path_factory.mktemp("browser")
    port, google_port = _free_port(), _free_port()
    variables = {
        "PATH": os.environ["PATH"], "CALENDAR_DATA_DIR": str(place / "data"), "CALENDAR_PORT": str(port),
        "CALENDAR_GOOGLE_PORT": str(google_port),
    }  # fmt: skip
    leashed = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), PROGRAM, "run"]
    with (place / "output").open("wb") as output:
        process = subprocess.Popen(leashed, env=variables, stdout=output, stderr=subprocess.STDOUT)
        with process:
            try:
                _await_ready(process, port, place / "output")
                url, google = f"http://localhost:{port}", f"http://localhost:{google_port}"
                yield Running(url, google, place / "data")
            finally:
                process.terminate()


def _await_ready(process: "subprocess.Popen[bytes]", port: int, output: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as error:
            error.close()
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            pass
        time.sleep(0.1)
    pytest.fail("the service did not get ready:\n" + output.read_text("utf-8"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with chromium() as started:
        yield started


class Person:
    """A person with a browser context of their own. An error in the browser's console fails the test."""

    def __init__(self, context: BrowserContext, running: Running, agent: str) -> None:
        self.context = context
        self.running = running
        self.agent = agent
        self.complaints: list[str] = []
        context.set_default_timeout(15_000)
        context.on("console", self._note)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page = context.new_page()

    def _note(self, message: ConsoleMessage) -> None:
        # Google's pages complain about themselves. A refusal that a test provokes is an honest answer; a
        # blocked resource or form is not.
        of_ours = not message.location.get("url", "").startswith(self.running.google)
        provoked = "the server responded with a status of" in message.text
        if message.type in {"error", "warning"} and of_ours and not provoked:
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        """Open an address of the service in the first tab."""
        self.page.goto(self.running.url + path)
        return self.page

    def settings(self, page: Page | None = None) -> Page:
        """Go from the console to the settings, as this agent."""
        tab = page or self.page
        self.open_link(tab)
        tab.wait_for_url(f"{self.running.url}/settings")
        return tab

    def open_link(self, tab: Page) -> None:
        """Press the console's button that opens a one-time link into the settings of this agent."""
        tab.goto(f"{self.running.url}/console")
        tab.fill("input[name=agent]", self.agent)
        tab.click("form[action='/console/agent'] button")
        tab.click("form[action='/console/settings'] button")

    def consent(self, account: str, *, allow: bool = True) -> None:
        """Press the connect button and go through Google's screens, back to the service."""
        self.page.click("form[action='/connect'] button")
        self.page.wait_for_url(f"{self.running.google}/**")
        self.allow(account, allow=allow)

    def allow(self, account: str, *, allow: bool = True) -> None:
        """Go through Google's screens, back to the service."""
        page = self.page
        listed = page.locator(f"button[name=account][value='{account}']")
        if listed.count():
            listed.click()
        else:
            page.fill("input[name=account]", account)
            page.click("button[name=add]")
        page.click(f"button[value={'allow' if allow else 'cancel'}]")
        page.wait_for_url(f"{self.running.url}/**")

    def connect(self, account: str) -> Page:
        """Connect."""
        self.settings()
        self.consent(account)
        assert self.state() == "connected"
        return self.page

    def state(self) -> str:
        """Return the state that the settings page shows, by its icon."""
        classes = self.page.locator("section.state").get_attribute("class") or ""
        state = re.search(r"state-([a-z_]+)", classes)
        return state[1] if state else ""

    def says(self, text: str) -> bool:
        """Return whether the page contains this text."""
        return text in re.sub(r"\s+", " ", self.page.locator("body").inner_text())


Arrive = Callable[..., Person]


@pytest.fixture
def arrive(browser: Browser, running: Running, request: pytest.FixtureRequest) -> Iterator[Arrive]:
    """Give each person a browser context, an agent and a language of their own."""
    people: list[Person] = []

    def _arrive(locale: str = "en-US", *, script: bool = True, width: int = 1280, agent: str = "") -> Person:
        name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
        context = browser.new_context(
            locale=locale, java_script_enabled=script, viewport={"width": width, "height": 800}
        )
        people.append(Person(context, running, agent or f"{name}-{len(people)}"[-100:]))
        return people[-1]

    yield _arrive
    complaints = [text for person in people for text in person.complaints]
    for person in people:
        person.context.close()
    assert complaints == []
