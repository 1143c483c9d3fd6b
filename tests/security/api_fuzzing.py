"""`make fuzz-api`: requests made from the API's own description, each answer held against it.

python -m tests.security.api_fuzzing --cases 10000     starts a `run`, prints what failed, and exits 1 if anything did
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.e2e.test_run import Run, running

ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = Path(sys.executable).with_name("schemathesis")
HOOKS: Final = "tests.security.fuzz_hooks"
CASES_OF_AN_EXAMPLE: Final = 18
"""About so many cases come from one more example for each of the calls, stateful ones included."""
CASES_AT_LEAST: Final = 500
"""About so many cases come from the bounds of the description alone."""


def fuzz(run: Run, cases: int, seed: int) -> tuple[int, int, str]:
    """Send about so many cases; return the exit status, the number of cases, and the report."""
    examples = max(1, (cases - CASES_AT_LEAST) // CASES_OF_AN_EXAMPLE)
    key, admin = (run.data_dir.joinpath(name).read_text("ascii").strip() for name in ("api-key", "admin-key"))
    done = subprocess.run(
        [
            PROGRAM, "--config-file", ROOT / "schemathesis.toml", "run", f"http://localhost:{run.port}/openapi.json",
            "--header", f"Authorization: Bearer {key}", "--max-examples", str(examples), "--seed", str(seed),
            "--continue-on-failure", "--no-color", "--suppress-health-check", "all",
        ],
        cwd=run.data_dir,
        env={**os.environ, "ADMIN_KEY": admin, "SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    sent = re.search(r"(\d[\d,]*) generated", done.stdout)
    return done.returncode, int(sent[1].replace(",", "")) if sent else 0, done.stdout + done.stderr


def main(arguments: list[str]) -> int:
    """Start a service, fuzz it, print the report; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.security.api_fuzzing")
    parser.add_argument("--cases", type=int, default=10_000, help="how many, about")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as place,
        running(Path(place) / "data", CALENDAR_TEST_LIMITS="off") as run,
    ):
        status, _, report = fuzz(run, options.cases, options.seed)
    sys.stdout.write(report)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
