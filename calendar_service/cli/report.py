"""`calendar-service report`: the conformance report."""

import sys
from pathlib import Path

import click

from calendar_service.cli.asking import exit_on_error, service, with_progress
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
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="html by default; markdown if the file's name ends with .md.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of standard output."
)
@click.option(
    "--language",
    type=click.Choice(list(NAMES)),
    help="By default the operator's first; for --policy-text all of its languages.",
)
@click.option(
    "--policy-text", "policy", is_flag=True, help="Instead print the text that the operator has to publish."
)
@click.option(
    "--public-key",
    "former",
    multiple=True,
    help="The public key of a former signing key, as published; may be repeated.",
)
@as_json_option
def command(
    kind: str | None, output: Path | None, language: str | None, *, policy: bool, former: tuple[str, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Write the conformance report.

    It shows for each clause the promise and its evidence, measured now. HTML is one file without scripts, to be read,
    printed or handed out. A summary is printed on standard error. What is not due yet, or not set by the operator,
    counts as open. Changes nothing.

    Exit status: 0 every clause has its evidence or is open, 1 evidence is missing, 2 unusable configuration.
    """
    operator = configured().operator
    if policy:
        codes = (language,) if language else operator.languages
        _write("\n".join(policy_text(operator, code) for code in codes), output)
        if not operator.proposed() and operator.publishes(operator.external_changes):
            click.echo("Everything in this profile is published already.", err=True)
        return
    with exit_on_error():
        report = _build(former)
    if as_json:
        print_json(as_json_of(report))
    else:
        _write(write(report, kind or _kind_of(output), language or operator.languages[0]), output)
    _summary(report)
    sys.exit(report.standing is EvidenceStatus.MISSING)


def _build(former: tuple[str, ...]) -> Report:
    present = service()
    measures = Measures.of(present)
    if measures.database.answers:
        present.store.ownership.require()
    results = tuple(findings(measures))
    observations, totals = observe(
        measures, results, lambda agents: with_progress("Reading connections", agents), former
    )
    return judge(
        present.operator, present.config.environment, observations, results, totals, present.clock.now()
    )


def _kind_of(output: Path | None) -> str:
    return "markdown" if output and output.suffix == ".md" else "html"


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written ({error.strerror}).") from None


def _summary(report: Report) -> None:
    """Print the counts on standard error, and each clause without evidence."""
    counts = ", ".join(f"{report.count(standing)} {standing}" for standing in EvidenceStatus)
    click.echo(f"{report.operator.identity.app_name}: {counts}.", err=True)
    for clause in report.all:
        if clause.standing is EvidenceStatus.MISSING:
            click.echo(f"  {clause.name} lacks its evidence", err=True)
