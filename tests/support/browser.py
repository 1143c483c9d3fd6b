"""A real Chromium for the tests: a new profile each time, no network but loopback."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; each of its contexts is a new browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_executable(playwright), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def _executable(playwright: Playwright) -> str:
    for name in _NAMES:
        path = shutil.which(name)
        if path:
            return path
    own = playwright.chromium.executable_path
    if Path(own).is_file():
        return own
    pytest.fail("no Chromium here: `apt-get install chromium`, or `.venv/bin/playwright install chromium`")
