"""Prometheus' own tool reads the metrics and plays the alert rules through.

Where promtool is not to be had, `make test` leaves this file out and says so.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml
from flask import Flask

from calendar_service.worker.loop import Worker
from tests.support.service import PUBLIC_URL, TestService

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
NEVER: Final = "vector(0) > 1"


def promtool(*words: str | Path, given: str = "") -> tuple[int, str]:
    """Run promtool; return its exit status and its output."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "calendar-service"
    program = shutil.which("promtool", path=f"{os.environ['PATH']}:{cache}")
    assert program, "promtool is needed: .ci/promtool fetches it or leaves these tests out"
    done = subprocess.run([program, *words], input=given, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_promtool_finds_nothing_to_say_about_the_metrics(app: Flask, service: TestService) -> None:
    service.connect()
    Worker(service.parts).lanes.walks.run()
    text = app.test_client().get("/metrics", base_url=PUBLIC_URL).text
    assert "calendar_connections" in text
    assert promtool("check", "metrics", given=text) == (0, "")
    assert promtool("check", "metrics", given=text.replace("# HELP calendar_build_info", "# "))[0] != 0


def test_the_rules_are_rules() -> None:
    status, output = promtool("check", "rules", DEPLOY / "alerts.yaml")
    assert (status, "SUCCESS" in output) == (0, True), output


def test_every_alert_fires_when_it_should_and_not_before() -> None:
    status, output = promtool("test", "rules", DEPLOY / "alerts.test.yaml")
    assert status == 0, output


def test_an_alert_that_never_fires_or_always_does_is_noticed(tmp_path: Path) -> None:
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text("utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    shutil.copy(DEPLOY / "alerts.test.yaml", tmp_path)
    for expression in (NEVER, "vector(1) == 1"):
        for alert in alerts:
            alert["expr"] = expression
        (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(rules), "utf-8")
        status, output = promtool("test", "rules", tmp_path / "alerts.test.yaml")
        assert status == 1
        expected = re.findall(r"exp: (.*)", output)
        failed = {name for line in expected for name in re.findall(r'alertname="(\w+)"', line)}
        assert {alert["alert"] for alert in alerts} - failed == set()


def test_every_expression_of_the_dashboard_is_one(tmp_path: Path) -> None:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions)
    ]
    file = tmp_path / "dashboard.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), "utf-8")
    status, output = promtool("check", "rules", file)
    assert (status, f"{len(expressions)} rules" in output) == (0, True), output


@pytest.mark.parametrize("broken", ["sum(", "rate(calendar_build_info)"])
def test_an_expression_that_is_none_is_noticed(tmp_path: Path, broken: str) -> None:
    file = tmp_path / "rules.yaml"
    rules = {"groups": [{"name": "one", "rules": [{"record": "panel:1", "expr": broken}]}]}
    file.write_text(yaml.safe_dump(rules), "utf-8")
    assert promtool("check", "rules", file)[0] == 1
