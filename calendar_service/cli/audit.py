"""`calendar-service audit`: exports the audit log and verifies it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import click

from calendar_service.cli import audit_watch
from calendar_service.cli.asking import agent as named
from calendar_service.cli.asking import by_shard, counted, exit_on_error, service
from calendar_service.cli.files import written_whole
from calendar_service.cli.moment import Moment
from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.domain.audit import Verdict
from calendar_service.domain.checkpoint import Statement
from calendar_service.domain.clock import Millis, rfc3339, rfc3339_millis
from calendar_service.journeys.audit.audit_export import EVERYTHING, ExportFilter
from calendar_service.store.audit_log import EntryKind

SHOWN = 20
"""How many faults are printed; `--json` prints all."""
KINDS = sorted(kind.value for kind in EntryKind if kind is not EntryKind.MAINTENANCE)


@click.group("audit")
def command() -> None:
    """The audit log: what happened and when, without names and content (docs/audit.md)."""


command.add_command(audit_watch.command)


@command.command("export")
@click.option("--since", type=Moment(), help="Only entries from this date or moment (UTC) on.")
@click.option("--until", type=Moment(), help="Only entries before this date or moment (UTC).")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    help="Only entries of this kind; may be repeated.",
)
@click.option("--connection", default="", help="Only entries of the connection with this random id.")
@click.option(
    "--organization",
    default="",
    help="With --agent: only entries of this agent's connection, which must not be erased.",
)
@click.option("--agent", default="", help="With --organization.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file instead of standard output.",
)
def export(
    since: Millis | None,
    until: Millis | None,
    kinds: tuple[str, ...],
    connection: str,
    organization: str,
    agent: str,
    output: Path | None,
) -> None:
    """Export the audit log as JSON Lines.

    `audit verify FILE` verifies the file. It contains the heads of the chains, the checkpoints, and the entries with
    their MACs. It is written whole or not at all, with mode 0600. The number of entries is printed on standard error.

    With a filter each entry can still be verified, but not that none is missing.
    """
    if bool(organization) != bool(agent) or (agent and connection):
        raise click.UsageError("Name a connection, or an organization and an agent.")
    parts = service()
    audit = parts.audit.audit_export
    with exit_on_error():
        if agent:
            connection = parts.operations.all_connections.connection_id(named(organization, agent))
        selection = ExportFilter(_text(since), _text(until), kinds, connection)
        count = 0
        with _written_to(output) as file:
            for line in by_shard(audit.export(selection), "Exporting"):
                file.write(line)
                count += line.startswith(b'{"type":"entry"')
    part = "" if selection == EVERYTHING else ", a part of the audit log"
    click.echo(f"{counted(count, 'entry', 'entries')}{part}.", err=True)


@command.command("verify")
@click.argument("file", type=click.File("rb"), required=False)
@click.option(
    "--public-key",
    "former",
    multiple=True,
    help="The public key of a former signing key, as published; may be repeated.",
)
@as_json_option
def verify(file: BinaryIO | None, former: tuple[str, ...], *, as_json: bool) -> None:
    """Verify the audit log, or an export of it.

    Without FILE (- for standard input) the audit log in the database is verified. Prints how many entries are as they
    were sealed, and each place that was changed.

    Exit status: 0 intact, 1 changed, 2 unusable configuration or argument.
    """
    audit = service().audit.audit_export
    with exit_on_error():
        lines = by_shard(file, "Verifying") if file else None
        verdict = audit.verify_export(lines, former) if lines else audit.verify(former)
    if as_json:
        print_json(_as_json(verdict))
    else:
        click.echo("\n".join(_lines(verdict)))
    sys.exit(not verdict.is_intact)


def _lines(verdict: Verdict) -> Iterator[str]:
    newest = verdict.newest_checkpoint
    yield f"As sealed: {counted(verdict.entries, 'entry', 'entries')}."
    yield counted(verdict.checkpoints, "checkpoint") + (
        f", the newest of {rfc3339(newest.made_at)}." if newest else "."
    )
    if verdict.unsealed:
        where = ", ".join(f"{count} in shard {shard}" for shard, count in sorted(verdict.unsealed.items()))
        unsealed = counted(sum(verdict.unsealed.values()), "entry", "entries")
        yield f"Not sealed yet, so nothing is proved of it: {unsealed} ({where})."
    if verdict.filtered:
        yield "This is a part of the audit log: each entry shown proves itself; that none was left out is not proved."
    for fault in verdict.faults[:SHOWN]:
        yield f"CHANGED  {fault}"
    if len(verdict.faults) > SHOWN:
        yield f"… and {len(verdict.faults) - SHOWN} more (--json names all)."


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "intact": verdict.is_intact,
        "entries": verdict.entries,
        "unsealed": verdict.unsealed,
        "checkpoints": verdict.checkpoints,
        "newest_checkpoint": _stated(verdict.newest_checkpoint),
        "filtered": verdict.filtered,
        "faults": [
            {name: getattr(fault, name) for name in ("shard", "number", "id", "checkpoint", "what")}
            for fault in verdict.faults
        ],
    }


def _stated(newest: Statement | None) -> dict[str, Any] | None:
    return {**asdict(newest), "made_at": rfc3339(newest.made_at)} if newest else None


def _text(moment: Millis | None) -> str:
    return "" if moment is None else rfc3339_millis(moment)


@contextmanager
def _written_to(path: Path | None) -> Iterator[BinaryIO]:
    """Yield a file for this user only, which appears whole or not at all; without a path, standard output."""
    if path is None:
        yield sys.stdout.buffer
        return
    with written_whole(path) as file:
        yield file
