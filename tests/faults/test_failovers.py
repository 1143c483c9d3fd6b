"""Short series of failovers with two replicas, as the commands play long ones; a partition that is refused."""

import os
import subprocess
import sys

import pytest

from faults.paths import ROOT
from faults.scenarios import CLUSTER_SCENARIOS, SENTINEL_SCENARIOS, all_scenarios


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run the campaign's command, as root without the right to make a network namespace."""
    unprivileged = ["setpriv", "--bounding-set=-sys_admin"] if os.geteuid() == 0 else []
    command = [*unprivileged, sys.executable, "-m", "faults", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("place", [(), ("--cluster",)], ids=["behind sentinels", "in a cluster"])
def test_no_law_is_broken_when_the_primary_moves(place: tuple[str, ...]) -> None:
    ended = run("failovers", *place, "--count", "4", "--seed", "20")
    assert (ended.returncode, "laws broken: 0" in ended.stdout) == (0, True), ended.stdout + ended.stderr
    assert "- faults: 5, of 2 kinds" in ended.stdout, ended.stdout
    assert "not played" not in ended.stdout, ended.stdout


def test_a_partition_that_may_not_be_made_is_refused_with_what_to_do() -> None:
    ended = run("partitions", "--count", "1")
    assert (ended.returncode, "Run it as root." in ended.stdout) == (2, True), ended.stdout + ended.stderr


def test_the_scenarios_that_move_a_primary_stay_out_of_other_campaigns() -> None:
    assert not (SENTINEL_SCENARIOS | CLUSTER_SCENARIOS).keys() & set(all_scenarios())
