"""`calendar-service doctor`. Must not hold more than the command."""

import sys

import click

from calendar_service.cli.settings import as_json_option, configured, print_json
from calendar_service.health.doctor import examine
from calendar_service.health.finding import Finding


@click.command("doctor")
@as_json_option
def command(*, as_json: bool) -> None:
    """Look over configuration, profile, database, keys and clocks; exit 1 if something has to be mended."""
    findings = list(examine(configured()))
    if as_json:
        print_json([_as_json(found) for found in findings])
    else:
        for found in findings:
            click.echo(f"{found.level:5} {found.check}: {' — '.join(filter(None, found.told()))}")
    sys.exit(any(found.level == "fault" for found in findings))


def _as_json(found: Finding) -> dict[str, str]:
    detail, remedy = found.told()
    return {"check": found.check, "level": found.level, "detail": detail, "remedy": remedy}
