"""What runs have kept is joined and reported as one."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from faults.checker import LAWS, Violation
from faults.paths import ROOT
from faults.progress import ProgressLine
from faults.report import report
from faults.result import CampaignResult, joined


def _result(seed: int) -> CampaignResult:
    return CampaignResult(
        played=Counter({"F1 store killed": 2, "F9 webhooks.before_send (worker)": 1}),
        injected=Counter({"F1 store killed": 3, "F9 webhooks.before_send (worker)": 2}),
        counters=Counter({"power cuts": 4}),
        step_exits=Counter({"webhooks.before_send": 2}),
        maxima=Counter({"longest dripped call, ms": 10 * seed}),
        violations=[(seed, Violation("lost", "a session"))],
        convergence_seconds=[float(seed)],
        operations=Counter({"put accepted": 5}),
        errors=[f"F8 disk full: {seed}"],
        seconds=6.0,
    )


def test_results_of_several_runs_are_joined(tmp_path: Path) -> None:
    for seed in (1, 2):
        _result(seed).save(tmp_path / f"result-{seed}.json")
    total = joined([tmp_path])
    assert total.injected == {"F1 store killed": 6, "F9 webhooks.before_send (worker)": 4}
    assert total.maxima == {"longest dripped call, ms": 20}
    assert total.violations == [(1, Violation("lost", "a session")), (2, Violation("lost", "a session"))]
    assert total.convergence_seconds == [1.0, 2.0]
    assert total.seconds == 12.0


def test_the_report_command_prints_what_runs_have_kept(tmp_path: Path) -> None:
    _result(1).save(tmp_path / "result-1.json")
    command = [sys.executable, "-m", "faults", "report", "--runs", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "- faults: 5, of 2 kinds" in done.stdout


def test_the_report_shows_every_law_and_every_step() -> None:
    text = report(_result(1), ["webhooks.before_send", "schedule.after_accept"])
    rows = {
        line.split("|")[1].strip(): line.split("|")[2].strip()
        for line in text.splitlines()
        if line[:1] == "|"
    }
    assert {law: rows[law] for law in LAWS} == dict.fromkeys(LAWS, "0") | {"lost": "1"}
    assert rows["webhooks.before_send"] == "2"
    assert rows["schedule.after_accept"] == "0"
    assert rows["F9 a process ends at a named step"] == "1"
    assert "- step with the fewest: schedule.after_accept: 0" in text
    assert "not played: F8 disk full: 1" in text


def test_progress_is_printed_seldom_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ProgressLine(4)
    progress("F1 store killed", 1)
    progress._printed = -10.0
    progress("F2 power lost", 2)
    progress("F8 disk full", 1)
    assert capsys.readouterr().out.startswith("2/4 scenarios, 3 faults, 0 s, about 0 s left: F2 power lost\n")


def test_help_names_every_command_and_option() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "faults", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    words = (
        "campaign",
        "selfcheck",
        "refreshes",
        "erasures",
        "failovers",
        "partitions",
        "restores",
        "report",
        "--seed",
        "--count",
        "--only",
        "--whole",
        "--cluster",
    )
    words += ("--episode", "--seconds", "--keep", "--runs", "examples:", "exit status")
    assert [word for word in words if word not in done.stdout] == []
