"""The API keeps to its own description under some thousand requests made from it, on a real `run`."""

from pathlib import Path

from tests.e2e.test_run import running
from tests.security.api_fuzzing import fuzz


def test_every_answer_is_as_the_description_says_and_nothing_invalid_is_taken(tmp_path: Path) -> None:
    with running(tmp_path / "data", CALENDAR_TEST_LIMITS="off") as run:
        status, cases, report = fuzz(run, cases=1_000, seed=1)
    assert status == 0, report
    assert cases > 800
