"""`python -m faults [--seed N] [--count N]`, `python -m faults selfcheck`. Must hold no scenario."""

import argparse
import signal
import sys
from pathlib import Path

from faults import campaign


def main() -> int:
    """Run, print the tables, and tell by the exit status whether every law held."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started here ends with us
    parser = argparse.ArgumentParser(prog="faults")
    parser.add_argument(
        "what",
        nargs="?",
        choices=("campaign", "selfcheck", "report", "refreshes", "erasures"),
        default="campaign",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=150, help="scenarios, each of one or several faults")
    parser.add_argument("--act", type=int, default=campaign.ACT, help="scenarios in one act")
    parser.add_argument("--seconds", type=float, default=1e9, help="play no longer than this")
    parser.add_argument("--only", default="", help="a part of the name of a kind, or of a defect")
    parser.add_argument("--of", type=Path, nargs="*", default=[], help="what runs kept: their report as one")
    parser.add_argument("--keep", type=Path, help="keep logs, journals and stores of the acts here")
    given = parser.parse_args()
    if given.what == "selfcheck":
        from faults import selfcheck  # noqa: PLC0415 - the campaign does not need the defects

        return selfcheck.run(given.seed, given.only)
    if given.what in {"refreshes", "erasures"}:
        from faults import bulk  # noqa: PLC0415 - the campaign does not need them

        return (
            bulk.refreshes(given.count)
            if given.what == "refreshes"
            else bulk.erasures(given.count, given.seed)
        )
    if given.what == "report":
        print(campaign.report(campaign.joined(given.of)))
        return 0
    outcome = campaign.run(
        given.seed, given.count, act_length=given.act, seconds=given.seconds, only=given.only, keep=given.keep
    )
    print(campaign.report(outcome))
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
