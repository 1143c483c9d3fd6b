"""`calendar-service doctor`: the examination, printed."""

import sys

import click

from calendar_service.cli.settings import as_json_option, configured, print_json
from calendar_service.health.doctor import examine
from calendar_service.health.finding import Finding


@click.command("doctor")
@as_json_option
def command(*, as_json: bool) -> None:
    """Check the service and print each result.

    Checks configuration, profile, database, keys, clocks, erasures and Google. Levels: ok; note (repair it before
    production); fault (repair it now). Changes nothing but a marker in the database that lasts a second.

    Exit status: 0 no fault, 1 a fault, 2 unusable configuration.
    """
    findings = list(examine(configured()))
    if as_json:
        print_json([_as_json(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.level:5} {finding.check}: {' — '.join(filter(None, finding.texts()))}")
    sys.exit(any(finding.level == "fault" for finding in findings))


def _as_json(finding: Finding) -> dict[str, str]:
    detail, remedy = finding.texts()
    return {"check": finding.check, "level": finding.level, "detail": detail, "remedy": remedy}
