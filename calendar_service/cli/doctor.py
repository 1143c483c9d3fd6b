"""`calendar-service doctor`. Must not hold more than the command."""

import sys

import click

from calendar_service import doctor
from calendar_service.cli.settings import as_json_option, configured, print_json


@click.command("doctor")
@as_json_option
def command(*, as_json: bool) -> None:
    """Look over configuration, profile, database, keys and clocks; exit 1 if something has to be mended."""
    findings = list(doctor.examine(configured()))
    if as_json:
        print_json([{field: getattr(found, field) for field in found.__slots__} for found in findings])
    else:
        for found in findings:
            remedy = f" — {found.remedy}" if found.remedy else ""
            click.echo(f"{found.level:5} {found.check}: {found.detail}{remedy}")
    sys.exit(any(found.level == "fault" for found in findings))
