"""The command line of the fault campaign: `python -m faults [COMMAND] [OPTIONS]`."""

import argparse
import signal
import sys
from pathlib import Path

from faults import campaign, erasures, refreshes, selfcheck, series
from faults.paths import PACKAGE
from faults.plan import EPISODE_LENGTH, LEAST_EXITS, LEAST_FAULTS
from faults.report import report
from faults.result import joined
from faults.scenarios import step_names

_DESCRIPTION = """\
Start the real service on this machine, break its processes, network, disk and clocks on purpose,
and check that no promise was broken: no session lost or doubled, nothing erased early or late.

Everything runs on loopback, in temporary folders. Nothing outside is contacted.

commands:
  campaign    play scenarios of faults under load, then print a report (the default)
  selfcheck   play the scenarios against copies of the service with a seeded defect each;
              each defect has to be caught
  refreshes   let 160 threads want a token at each of COUNT expiries; one refresh call each is right
  erasures    let COUNT erasures fall due while clocks are moved; none may be early or late
  failovers   behind sentinels with two replicas, at the default: COUNT planned failovers, and kills;
              with --cluster in a cluster of three primaries with two replicas each
  partitions  the same, with the primary and one replica cut off COUNT times (as root)
  restores    let the database go back COUNT times: a copy put back by the runbook, a file that the
              server's tool cut; then every session is changed or cancelled once more
  report      print the report of runs that were kept with --keep
"""
_EXAMPLES = """\
examples:
  python -m faults --seed 7 --count 150         150 scenarios, about three minutes
  python -m faults --only "F16 late write"      this scenario alone, 150 times
  python -m faults --whole --keep runs          enough of every scenario: hours of one core
  python -m faults report --runs runs           what those runs have shown so far
  python -m faults selfcheck --only "fence"     the seeded defects with this word in their name

The exit status is 1 if a law was broken or a defect was not caught. The same seed plays the same
scenarios in the same order. docs/faults.md lists the laws and the faults; faults/README.md
explains how to add one.
"""


def main() -> int:
    """Run the command; return the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that context managers end what was started
    args = _parser().parse_args()
    match args.command:
        case "selfcheck":
            return selfcheck.run(args.seed, args.only)
        case "refreshes":
            return refreshes.run(args.count or 50)
        case "erasures":
            return erasures.run(args.count or 1000, args.seed)
        case "failovers":
            return series.run_failovers(args.count or 200, args.seed, args.keep, in_a_cluster=args.cluster)
        case "partitions":
            return series.run_partitions(args.count or 50, args.seed, args.keep)
        case "restores":
            return series.run_restores(args.count or 200, args.seed, args.keep)
        case "report":
            print(report(joined(args.runs), step_names(PACKAGE)))
            return 0
    result = campaign.run(
        args.seed, None if args.whole else args.count or 150,
        episode_length=args.episode, seconds=args.seconds, only=args.only, keep=args.keep,
    )  # fmt: skip
    print(report(result, step_names(PACKAGE)))
    return 1 if result.violations else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m faults",
        usage="%(prog)s [COMMAND] [OPTIONS]",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = (
        "campaign",
        "selfcheck",
        "refreshes",
        "erasures",
        "failovers",
        "partitions",
        "restores",
        "report",
    )
    parser.add_argument("command", nargs="?", choices=commands, default="campaign", help=argparse.SUPPRESS)
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="decides order and choices of scenarios (1)"
    )
    parser.add_argument(
        "--count",
        type=int,
        metavar="N",
        help="scenarios (150), expiries (50), erasures (1000), failovers (200), partitions (50) or restores (200)",
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only scenarios or defects with this text in their name"
    )
    parser.add_argument(
        "--whole",
        action="store_true",
        help=f"instead of --count: until every scenario has injected {LEAST_FAULTS} faults, and a process has "
        f"ended {LEAST_EXITS} times at every named step of the service",
    )
    parser.add_argument(
        "--cluster", action="store_true", help="failovers: in a cluster, not behind sentinels"
    )
    _add_run_options(parser)
    return parser


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of how a campaign runs and what it keeps."""
    parser.add_argument(
        "--episode",
        type=int,
        default=EPISODE_LENGTH,
        metavar="N",
        help=f"scenarios in one episode ({EPISODE_LENGTH}); each episode has new processes and an empty store",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=campaign.FOR_EVER,
        metavar="N",
        help="begin no scenario after this time",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="keep logs, journal and store of each episode here; whole campaigns with seeds far apart that "
        "keep in one folder share the work",
    )
    parser.add_argument(
        "--runs", type=Path, nargs="*", default=[], metavar="DIR", help="report: the folders given to --keep"
    )


if __name__ == "__main__":
    sys.exit(main())
