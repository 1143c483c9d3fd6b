"""`python -m faults [--seed N] [--count N]`, `python -m faults selfcheck`. Must hold no scenario."""

import argparse
import signal
import sys
from pathlib import Path

from faults import campaign
from faults.outcome import joined, report
from faults.plan import ACT, LEAST_KIND, LEAST_STEP
from faults.points import named
from faults.store import ROOT


def main() -> int:
    """Run, print the tables, and tell by the exit status whether every law held."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started here ends with us
    parser = argparse.ArgumentParser(
        prog="python -m faults",
        description="Break the real processes on purpose; exit 1 if a law was broken (docs/faults.md).",
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=("campaign", "selfcheck", "report", "refreshes", "erasures"),
        default="campaign",
        help="campaign (if none is named): many faults under load; selfcheck: the seeded defects; refreshes, "
        "erasures: one kind, many times; report: what kept runs found",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the order and of every choice (1)")
    parser.add_argument(
        "--count",
        type=int,
        help="scenarios (150), each of one or several faults; expiries (50); erasures (1000)",
    )
    parser.add_argument(
        "--whole", action="store_true",
        help=f"as many as it takes: {LEAST_KIND} faults of every kind, {LEAST_STEP} ends at every named step",
    )  # fmt: skip
    parser.add_argument("--act", type=int, default=ACT, help="scenarios in one act")
    parser.add_argument("--seconds", type=float, default=1e9, help="play no longer than this")
    parser.add_argument("--only", default="", help="a part of the name of a kind, or of a defect")
    parser.add_argument("--of", type=Path, nargs="*", default=[], help="what runs kept: their report as one")
    parser.add_argument(
        "--keep",
        type=Path,
        help="keep logs, journals and stores of the acts here; whole campaigns of several seeds (far apart) that "
        "keep in one folder share the work",
    )
    given = parser.parse_args()
    if given.what == "selfcheck":
        from faults import selfcheck  # noqa: PLC0415 - the campaign does not need the defects

        return selfcheck.run(given.seed, given.only)
    if given.what in {"refreshes", "erasures"}:
        from faults import bulk  # noqa: PLC0415 - the campaign does not need them

        return (
            bulk.refreshes(given.count or 50)
            if given.what == "refreshes"
            else bulk.erasures(given.count or 1000, given.seed)
        )
    steps = named(ROOT / "calendar_service")
    if given.what == "report":
        print(report(joined(given.of), steps))
        return 0
    outcome = campaign.run(
        given.seed, None if given.whole else given.count or 150,
        act_length=given.act, seconds=given.seconds, only=given.only, keep=given.keep,
    )  # fmt: skip
    print(report(outcome, steps))
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
