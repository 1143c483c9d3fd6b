"""`calendar-service report`: what is promised, and what shows that it is kept. Must not show a name or content."""

import sys
from pathlib import Path

import click

from calendar_service.cli.asking import service, told, walked
from calendar_service.cli.settings import as_json_option, configured, print_json
from calendar_service.health.doctor import findings
from calendar_service.health.measures import Measures
from calendar_service.rendering.language import NAMES
from calendar_service.report.judging import Report, judge
from calendar_service.report.observing import observe
from calendar_service.report.proofs import EvidenceStatus
from calendar_service.report.writing import FORMATS, policy_text, write
from calendar_service.report.writing import as_json as as_json_of


@click.command("report")
@click.option(
    "--format", "kind", type=click.Choice(FORMATS), help="html unless the file's name ends with .md."
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of standard output."
)
@click.option(
    "--language", type=click.Choice(list(NAMES)), help="The operator's first one unless another is named."
)
@click.option(
    "--policy-text", "policy", is_flag=True, help="Print the section for the operator to publish instead."
)
@click.option(
    "--public-key", "former", multiple=True, help="A former signing key's public half, as published."
)
@as_json_option
def command(
    kind: str | None, output: Path | None, language: str | None, *, policy: bool, former: tuple[str, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Show clause by clause what is promised and what shows that it is kept, measured now.

    Exit 1 if a clause lacks its evidence. What is not due yet, or not set by the operator, is shown as open.
    HTML is one file without script, to be read, printed or handed out.
    """
    operator = configured().operator
    code = language or operator.languages[0]
    if policy:
        _put(policy_text(operator, code), output)
        if not operator.proposed():
            click.echo("Everything in this profile is published already.", err=True)
        return
    with told():
        report = _made(former)
    if as_json:
        print_json(as_json_of(report))
    else:
        _put(write(report, kind or _kind_of(output), code), output)
    _summary(report)
    sys.exit(report.standing is EvidenceStatus.MISSING)


def _made(former: tuple[str, ...]) -> Report:
    made = service()
    measures = Measures.of(made)
    found = tuple(findings(measures))
    measured, totals = observe(
        measures, found, lambda agents: walked("Looking at connections", agents), former
    )
    return judge(made.operator, made.config.environment, measured, found, totals, made.clock.now())


def _kind_of(output: Path | None) -> str:
    return "markdown" if output and output.suffix == ".md" else "html"


def _put(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written ({error.strerror}).") from None


def _summary(report: Report) -> None:
    """Say on standard error how it stands, whatever is done with the report."""
    counts = ", ".join(f"{report.count(standing)} {standing}" for standing in EvidenceStatus)
    click.echo(f"{report.operator.identity.app_name}: {counts}.", err=True)
    for kept in report.all:
        if kept.standing is EvidenceStatus.MISSING:
            click.echo(f"  {kept.name} lacks its evidence", err=True)
