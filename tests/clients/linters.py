"""`make test-clients`: the public linters of OpenAPI find nothing in the API's description of any operator."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from calendar_service import operators
from calendar_service.web.api.openapi import document
from tests.clients.tools import NODE, tool

QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


@pytest.fixture
def descriptions(tmp_path: Path) -> list[Path]:
    """The description of each shipped operator, as production serves it."""
    files = []
    for name in operators.shipped():
        files.append(tmp_path / f"{name}.json")
        described = document("https://calendar.videsk.io", operators.load(name))
        files[-1].write_text(json.dumps(described), "utf-8")
    return files


def test_redocly_finds_nothing(descriptions: list[Path]) -> None:
    reports = lint("redocly", "lint", "--config", NODE / "redocly.yaml", "--format", "json", *descriptions)
    totals = [report["totals"] for report in reports]  # one report a file
    assert totals == [{"errors": 0, "warnings": 0, "ignored": 0}] * len(descriptions), reports


def test_spectral_finds_nothing(descriptions: list[Path]) -> None:
    ruleset = ("--ruleset", NODE / "spectral.yaml")
    assert lint("spectral", "lint", "--quiet", *ruleset, "--format", "json", *descriptions) == [[]]


def lint(name: str, *arguments: str | Path) -> list[Any]:
    """Return the reports of a linter: JSON documents, one behind the other."""
    done = subprocess.run(
        tool(name, *arguments), env={**os.environ, **QUIET}, capture_output=True, text=True, check=False
    )
    text, reports = done.stdout.strip(), []
    while text:
        report, end = json.JSONDecoder().raw_decode(text)
        reports.append(report)
        text = text[end:].strip()
    return reports
