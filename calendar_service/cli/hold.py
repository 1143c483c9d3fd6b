"""`calendar-service hold`: legal holds."""

import click

from calendar_service.cli.asking import agent as named
from calendar_service.cli.asking import exit_on_error, service, table
from calendar_service.cli.moment import Moment
from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent


@click.group("hold")
def command() -> None:
    """Legal holds: they postpone the erasure of identifiers until an end. Tokens are never held."""


@command.command("place")
@click.argument("organization")
@click.argument("agent")
@click.option("--placed-by", required=True, help="The person who places it.")
@click.option("--approved-by", required=True, help="The person who approved it; another one.")
@click.option("--authority", required=True, help="The law, court or authority that requires it.")
@click.option("--reason", required=True, help="The reason, without content of sessions.")
@click.option("--until", type=Moment(), required=True, help="The end (UTC), within 12 months.")
@click.option(
    "--silent-until", type=Moment(), default="1970-01-01", help="Until then the agent is not told (UTC)."
)
@click.option("--replace", is_flag=True, help="Replace the present hold.")
def place(
    organization: str, agent: str, *, placed_by: str, approved_by: str, authority: str, reason: str,
    until: Millis, silent_until: Millis, replace: bool,
) -> None:  # fmt: skip
    """Place a hold on one agent's connection.

    Its identifiers are not erased until the end of the hold. Two different persons place and approve it.

    Exit status: 0 placed, 1 refused, 2 unusable configuration or argument.
    """
    target = named(organization, agent)
    hold = Hold(placed_by, approved_by, authority, reason, until, silent_until)
    with exit_on_error():
        service().personal_data.holds.place(target, hold, replace=replace)
    click.echo(f"Held until {rfc3339(until)}. Tokens are destroyed as ever.")


@command.command("release")
@click.argument("organization")
@click.argument("agent")
def release(organization: str, agent: str) -> None:
    """Lift the hold on one agent's connection. The worker then erases what is due."""
    target = named(organization, agent)
    with exit_on_error():
        service().personal_data.holds.release(target)
    click.echo("Released.")


@command.command("list")
@as_json_option
def show_all(*, as_json: bool) -> None:
    """List all present holds."""
    with exit_on_error():
        holds = list(service().personal_data.holds.standing())
    if as_json:
        print_json([_fields(agent, hold) for agent, hold in holds])
        return
    head = (
        "organization",
        "agent",
        "until",
        "silent_until",
        "placed_by",
        "approved_by",
        "authority",
        "reason",
    )
    table([head, *([str(_fields(agent, hold)[name] or "-") for name in head] for agent, hold in holds)])


def _fields(agent: Agent, hold: Hold) -> dict[str, str | None]:
    return {
        "organization": agent.organization,
        "agent": agent.agent,
        "until": rfc3339(hold.until),
        "silent_until": rfc3339(hold.silent_until) if hold.silent_until else None,
        "placed_by": hold.placed_by,
        "approved_by": hold.approved_by,
        "authority": hold.authority,
        "reason": hold.reason,
    }
