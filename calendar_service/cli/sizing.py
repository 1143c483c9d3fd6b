"""`calendar-service sizing`: what a number of agents needs."""

from dataclasses import asdict

import click

from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.domain.sizing import Load, Needs, needs

_DEFAULT = Load(agents=1)
_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command("sizing")
@click.option(
    "--agents", type=click.IntRange(1, 100_000_000), required=True, help="Agents with a connection."
)
@click.option(
    "--sessions",
    type=_POSITIVE,
    default=_DEFAULT.sessions,
    show_default=True,
    help="Sessions of an agent a day.",
)
@click.option(
    "--changes",
    type=_POSITIVE,
    default=_DEFAULT.changes,
    show_default=True,
    help="Changes of a session: made, moved, cancelled.",
)
@click.option(
    "--ahead",
    type=_POSITIVE,
    default=_DEFAULT.ahead,
    show_default=True,
    help="Days from the making of a session to its end.",
)
@click.option(
    "--busiest",
    type=click.FloatRange(1 / 24, 1),
    default=_DEFAULT.busiest,
    show_default=True,
    help="Share of a day's changes in its busiest hour.",
)
@click.option(
    "--google",
    type=_POSITIVE,
    default=_DEFAULT.google,
    show_default=True,
    help="Seconds that Google takes for a call.",
)
@click.option(
    "--audit-days",
    type=click.IntRange(1, 36_500),
    default=_DEFAULT.audit_days,
    show_default=True,
    help="Days for which the audit log is kept (promises.audit_term of the profile).",
)
@as_json_option
def command(*, as_json: bool, **load: float) -> None:
    """Estimate processes, processor time, memory of the database, and rate at Google.

    Needs no configuration and reads nothing. The figures behind it were measured on two shared cores (docs/operate.md);
    twice of what is used on average is planned for.
    """
    result = needs(Load(**load))  # type: ignore[arg-type]
    if as_json:
        print_json(asdict(result))
        return
    for name, value in _rows(result):
        click.echo(f"{name:<34} {value}")


def _rows(result: Needs) -> list[tuple[str, str]]:
    primaries = f"a cluster of {result.shards}, each with its replicas"
    return [
        (
            "changes",
            f"{result.changes_a_day:,.0f} a day, {result.changes_a_second:,.1f} a second in the busiest hour",
        ),
        ("serve", f"{result.serve} processes, {result.serve_cores:.2f} cores in the busiest hour"),
        ("work", f"{result.work} processes, {result.work_cores:.2f} cores"),
        ("memory of these processes", _size(result.process_bytes)),
        ("database: connections", _size(result.connections_bytes)),
        ("database: sessions", _size(result.sessions_bytes)),
        ("database: audit log", _size(result.audit_bytes)),
        ("database: maxmemory", f"{_size(result.database_bytes)}, on hosts with {_size(result.host_bytes)}"),
        ("database: processor time", f"{result.database_cores:.2f} cores"),
        (
            "database: primaries",
            "one server, with its replicas" if result.shards == 1 else primaries,
        ),
        ("Google", _projects(result.projects)),
        ("audit export", f"{_size(result.audit_export_bytes_a_day)} more each day, not compressed"),
    ]


def _projects(count: int) -> str:
    if count == 1:
        return "one project at its default rate"
    return f"{count} times the default rate of a project: ask Google for more, or use {count} projects"


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1000:,.1f} kB"
