"""Alert rules, dashboard, runbooks and the lists of metrics and alarms belong together."""

import json
import re
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import yaml

from calendar_service.health.metrics import DESCRIPTIONS
from calendar_service.log import Alarm

ROOT: Final = Path(__file__).parents[2]
ALERTS: Final = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
NAMES: Final = [alert["alert"] for alert in ALERTS]
PLAYED: Final = yaml.safe_load((ROOT / "deploy" / "alerts.test.yaml").read_text("utf-8"))["tests"]
DASHBOARD: Final[dict[str, Any]] = json.loads((ROOT / "deploy" / "grafana.json").read_text("utf-8"))
PANELS: Final = DASHBOARD["panels"]
RUNBOOKS: Final = (ROOT / "docs" / "runbooks.md").read_text("utf-8")
OF_PROCESS: Final = {
    "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_max_fds",
    "process_start_time_seconds", "process_virtual_memory_bytes",
}  # fmt: skip


def known() -> set[str]:
    """Return the names of all series, those of the library and of Prometheus too."""
    names = {"up"} | OF_PROCESS
    for one in DESCRIPTIONS:
        suffixes = ("_bucket", "_sum", "_count") if one.kind == "histogram" else ("",)
        names |= {f"{one.name}{suffix}" for suffix in suffixes}
    return names


def named(expression: str) -> set[str]:
    """Return the metrics that an expression names."""
    without_strings = re.sub(r'"[^"]*"', "", expression)
    return set(re.findall(r"\b(?:calendar|process)_\w+|\bup\b", without_strings))


def section(name: str) -> str:
    """Return what the runbooks say under this heading; empty if there is none."""
    match = re.search(rf"^### {name}\n\n(.*?)(?=^##|\Z)", RUNBOOKS, re.MULTILINE | re.DOTALL)
    return match[1].strip() if match else ""


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_an_alert_names_metrics_that_exist_and_a_runbook_that_says_what_to_do(alert: dict[str, Any]) -> None:
    assert named(alert["expr"])
    assert named(alert["expr"]) <= known()
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["runbook"] == f"docs/runbooks.md#{alert['alert'].lower()}"
    assert len(section(alert["alert"]).split("\n\n")) == 2  # what it means, what to do


def test_every_alert_is_played_through_once() -> None:
    assert [one["name"] for one in PLAYED] == NAMES
    for one in PLAYED:
        before, after = one["promql_expr_test"]
        assert before["exp_samples"] == []
        assert f'{{alertname="{one["name"]}"}}' in {sample["labels"] for sample in after["exp_samples"]}


def test_the_runbooks_have_no_alert_that_is_none() -> None:
    assert re.findall(r"^### (Calendar\w+)$", RUNBOOKS, re.MULTILINE) == NAMES


def test_every_alarm_of_the_log_has_its_row() -> None:
    documents = RUNBOOKS + (ROOT / "docs" / "audit.md").read_text("utf-8")
    rows = " ".join(line.split("|")[1] for line in documents.splitlines() if line.startswith("| `"))
    assert [name for name in get_args(Alarm) if f"`{name}`" not in rows] == []


def test_every_panel_names_metrics_that_exist() -> None:
    for panel in PANELS:
        assert panel["title"]
        assert panel["type"] in {"row", "stat", "timeseries"}
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            for target in panel["targets"]:
                assert named(target["expr"])
                assert named(target["expr"]) <= known(), panel["title"]


def test_the_dashboard_has_no_two_panels_in_one_place() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    cells = [
        (x, y)
        for panel in PANELS
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_the_dashboard_asks_for_its_source_and_its_job() -> None:
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["job"]["query"] == "label_values(calendar_build_info, job)"
    expressions = [target["expr"] for panel in PANELS for target in panel.get("targets", [])]
    for expression in expressions:
        selectors = re.findall(r"\{([^}]*)\}", expression)
        assert selectors
        assert all('job="$job"' in one for one in selectors)


def test_no_file_for_the_collector_has_an_address() -> None:
    for name in ("alerts.yaml", "alerts.test.yaml", "grafana.json"):
        assert "://" not in (ROOT / "deploy" / name).read_text("utf-8")
