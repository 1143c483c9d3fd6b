"""`calendar-service doctor`: the examination, printed."""

import sys
from collections.abc import Iterator

import click

from calendar_service.cli.settings import as_json_option, configured, print_json_list
from calendar_service.health.doctor import examine
from calendar_service.health.finding import Finding


@click.command("doctor")
@as_json_option
def command(*, as_json: bool) -> None:
    """Check the service and print each result when it is known.

    Checks configuration, profile, database, keys, clocks, erasures and Google. Levels: ok; note (repair it before
    production); fault (repair it now). Changes nothing but a marker in the database that lasts a second.

    Exit status: 0 no fault, 1 a fault, 2 unusable configuration.
    """
    levels = set[str]()

    def examined() -> Iterator[Finding]:
        for finding in examine(configured()):
            levels.add(finding.level)
            yield finding

    if as_json:
        print_json_list(map(_as_json, examined()))
    else:
        for finding in examined():
            click.echo(f"{finding.level:5} {finding.check}: {' — '.join(filter(None, finding.texts()))}")
    sys.exit("fault" in levels)


def _as_json(finding: Finding) -> dict[str, str]:
    detail, remedy = finding.texts()
    return {"check": finding.check, "level": finding.level, "detail": detail, "remedy": remedy}
