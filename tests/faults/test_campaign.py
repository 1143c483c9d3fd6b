"""The short run of the campaign of faults: its verdict, and that it can fail. The long one is `make faults`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import campaign, plan, selfcheck
from faults.defects import DEFECTS
from faults.outcome import Outcome
from faults.points import named
from faults.town import ROOT

SEED = 20
STEPS = (
    "F12 answer to insert lost",
    "F9 writing.after_insert (web)",
    "F1 store killed",
    "F16 late write",
    "F9 schedule.after_google_before_settle (worker)",
    "F12 answer lost, cancelled at once",
    "F2 power lost",
    "F11 web killed after Google accepted",
    "F30 cancel against reschedule",
    "F7 store's answers lost",
    "F17 token endpoint in trouble",
    "F20 reconnect before the revocation",
    "F29 callback after disconnect",
    "F9 errand.before_revoke (web)",
    "F10 erasure at its term",
    "F5 erasure without memory",
    "F24 keys rotated",
    "F28 erased and back",
    "F21 one account, two agents",
)
CAUGHT = "disconnect leaves the grant"


@pytest.fixture(scope="module")
def source() -> Iterator[Path]:
    with campaign.snapshot() as folder:
        yield folder


@pytest.fixture(scope="module")
def outcome(source: Path) -> Outcome:
    return campaign.play(SEED, STEPS, package_root=source)


def test_no_law_is_broken(outcome: Outcome) -> None:
    assert [f"{violation.law}: {violation.detail}" for _, violation in outcome.violations] == []


def test_the_faults_were_really_injected(outcome: Outcome) -> None:
    played = [name for name in STEPS if outcome.injected[name]]
    assert len(played) >= len(STEPS) - 3, (outcome.injected, outcome.trouble)
    assert outcome.operations["put accepted"] > 50


def test_a_seeded_defect_is_caught(source: Path) -> None:
    defect = next(defect for defect in DEFECTS if defect.name == CAUGHT)
    assert selfcheck.caught(defect, SEED, source)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_every_seeded_defect_still_applies(defect: selfcheck.Defect) -> None:
    assert defect.changed(ROOT)


def test_every_named_step_of_the_service_is_led_to() -> None:
    ways = " ".join(plan.everything())
    assert [name for name in named(ROOT / "calendar_service") if name not in ways] == []
