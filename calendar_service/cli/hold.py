"""`calendar-service hold`: legal holds. Must not place one in a single person's name."""

import click

from calendar_service.cli.asking import agent as named
from calendar_service.cli.asking import service, table, told
from calendar_service.cli.moment import Moment
from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent


@click.group("hold")
def command() -> None:
    """Legal holds: they keep identifiers back from their erasure, never tokens, and have an end."""


@command.command("place")
@click.argument("organization")
@click.argument("agent")
@click.option("--placed-by", required=True, help="Who places it.")
@click.option("--approved-by", required=True, help="Who approved it: somebody else.")
@click.option("--authority", required=True, help="The law, court or authority that demands it.")
@click.option("--reason", required=True, help="What it is about, without content of sessions.")
@click.option("--until", type=Moment(), required=True, help="Its end (UTC), in 12 months at most.")
@click.option(
    "--silent-until", type=Moment(), default="1970-01-01", help="Until when telling the agent is forbidden."
)
@click.option("--replace", is_flag=True, help="In place of the hold that stands.")
def place(
    organization: str, agent: str, *, placed_by: str, approved_by: str, authority: str, reason: str,
    until: Millis, silent_until: Millis, replace: bool,
) -> None:  # fmt: skip
    """Place a hold on what is kept of one agent's connection."""
    whose = named(organization, agent)
    hold = Hold(placed_by, approved_by, authority, reason, until, silent_until)
    with told():
        service().personal_data.holds.place(whose, hold, replace=replace)
    click.echo(f"Held until {rfc3339(until)}. Tokens are destroyed as ever.")


@command.command("release")
@click.argument("organization")
@click.argument("agent")
def release(organization: str, agent: str) -> None:
    """Lift a hold. What is due by then is erased by the worker's next sweep."""
    whose = named(organization, agent)
    with told():
        service().personal_data.holds.release(whose)
    click.echo("Released.")


@command.command("list")
@as_json_option
def show_all(*, as_json: bool) -> None:
    """List every hold that stands."""
    with told():
        standing = list(service().personal_data.holds.standing())
    if as_json:
        print_json([_shown(agent, hold) for agent, hold in standing])
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
    table([head, *([str(_shown(agent, hold)[name] or "-") for name in head] for agent, hold in standing)])


def _shown(agent: Agent, hold: Hold) -> dict[str, str | None]:
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
