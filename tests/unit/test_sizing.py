"""`calendar-service sizing`: an estimate that follows from what was measured."""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calendar_service.cli import main
from calendar_service.domain import sizing
from calendar_service.domain.sizing import Load, needs

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["sizing", *words])


def test_a_small_installation_is_two_of_each_and_one_server() -> None:
    result = needs(Load(agents=100))
    assert (result.serve, result.work, result.shards, result.projects) == (2, 2, 1, 1)


def test_the_measured_points_come_out_again() -> None:
    """One project's rate is some 55 reschedules a second, one process gives 340, a session 554 bytes."""
    at_the_rate = Load(agents=1000, sessions=3600 * 55, changes=1, busiest=1 / 1000)
    assert needs(at_the_rate).changes_a_second == pytest.approx(55)
    assert needs(at_the_rate).projects == 2  # half of a project's rate is planned for
    assert needs(replace(at_the_rate, sessions=3600 * 27)).projects == 1
    busy = needs(replace(at_the_rate, sessions=3600 * 340, google=0.001))
    assert busy.serve_cores == pytest.approx(0.9, abs=0.1)
    more = (
        needs(Load(agents=1000, ahead=15)).sessions_bytes - needs(Load(agents=1000, ahead=14)).sessions_bytes
    )
    assert more == 1000 * 10 * 554
    year = needs(Load(agents=10_000, sessions=5, changes=2))
    assert year.audit_bytes == pytest.approx(10_000 * 10 * (3 * 399 + 397 * 22))
    assert needs(Load(agents=1_000_000)).work == 4  # a worker has 342,000 connections; one may be away


def test_more_of_anything_never_needs_less() -> None:
    base = Load(agents=50_000)
    larger = [
        replace(base, agents=200_000), replace(base, sessions=40), replace(base, changes=9), replace(base, ahead=90),
        replace(base, busiest=0.9), replace(base, google=1.5), replace(base, audit_days=4_000),
    ]  # fmt: skip
    for load in larger:
        before, after = asdict(needs(base)), asdict(needs(load))
        assert all(after[name] >= before[name] for name in before)
        assert after != before


def test_a_database_that_one_server_should_not_hold_is_a_cluster_of_three_at_least() -> None:
    shards = [needs(Load(agents=agents)).shards for agents in (10_000, 100_000, 1_000_000)]
    assert shards[0] == 1
    assert shards[-1] >= 3
    assert 2 not in shards


def test_the_command_prints_a_table_or_json() -> None:
    table = run("--agents", "10000")
    assert table.exit_code == 0
    assert {line[:34].strip() for line in table.output.splitlines()} >= {
        "serve",
        "work",
        "Google",
        "audit export",
    }
    assert json.loads(run("--agents", "10000", "--json").output) == json.loads(
        json.dumps(asdict(needs(Load(agents=10_000))))
    )


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((), "--agents"),
        (("--agents", "0"), "--agents"),
        (("--agents", "many"), "--agents"),
        (("--agents", "5", "--sessions", "-1"), "--sessions"),
        (("--agents", "5", "--busiest", "2"), "--busiest"),
        (("--agents", "5", "--google", "0"), "--google"),
        (("--agents", "5", "--audit-days", "0"), "--audit-days"),
    ],
)
def test_what_cannot_be_is_refused_by_name(words: tuple[str, ...], named: str) -> None:
    answer = run(*words)
    assert (answer.exit_code, named in answer.output) == (2, True)


def test_the_documents_table_is_what_the_command_says() -> None:
    text = (ROOT / "docs" / "operate.md").read_text("utf-8")
    rows = re.findall(
        r"^\| ([\d,]+) \| (\d+) \| (\d+) \| ([\d.]+ [GM]B) \| (\d+) \| (\d+) \|$", text, re.MULTILINE
    )
    assert len(rows) >= 4
    for agents, *figures in rows:
        result = needs(Load(agents=int(agents.replace(",", ""))))
        size = result.database_bytes
        memory = f"{size / 10**9:.1f} GB" if size >= 10**9 else f"{size / 10**6:.0f} MB"
        assert figures == [
            str(result.serve), str(result.work), memory, str(result.shards), str(result.projects),
        ]  # fmt: skip


def test_each_figure_has_a_place_where_it_was_measured() -> None:
    text = (ROOT / "docs" / "operate.md").read_text("utf-8")
    assert f"{sizing.AUDIT_BYTES_COMPACTED} bytes" in text
    assert f"{sizing.SESSION_BYTES} bytes" in text
