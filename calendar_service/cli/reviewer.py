"""`calendar-service reviewer`: links to the reviewer console. Must not know what is done there."""

from typing import Any

import click

from calendar_service.cli.asking import counted, service, table, told
from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.domain.clock import rfc3339
from calendar_service.domain.reviewer_links import LINK_DAYS, LONGEST_DAYS
from calendar_service.journeys.operations.reviewer_links import LinkStatus

_DAYS = click.IntRange(1, LONGEST_DAYS)


@click.group("reviewer")
def command() -> None:
    """Links for Google's reviewers: each opens a console with test agents of its own, until its end."""


@command.command("link")
@click.option("--days", type=_DAYS, default=LINK_DAYS, show_default=True, help="For how long it is valid.")
@as_json_option
def link(days: int, *, as_json: bool) -> None:
    """Make a link and print it: it is shown this once, and kept as a hash only."""
    made = service()
    with told():
        secret, kept = made.operations.reviewers.make(days)
    url = f"{made.config.public_url}/reviewer/{secret}"
    if as_json:
        print_json({"url": url, "organization": kept.organization, "ends": rfc3339(kept.ends)})
    else:
        click.echo(f"{url}\nValid until {rfc3339(kept.ends)}, as {kept.organization}.")


@command.command("extend")
@click.argument("organization")
@click.option("--days", type=_DAYS, default=LINK_DAYS, show_default=True, help="By how much.")
@as_json_option
def extend(organization: str, days: int, *, as_json: bool) -> None:
    """Let a link end later; the address stays the same. One that is over stays over."""
    with told():
        kept = service().operations.reviewers.prolong(organization, days)
    if as_json:
        print_json({"organization": kept.organization, "ends": rfc3339(kept.ends)})
    else:
        click.echo(f"Valid until {rfc3339(kept.ends)}.")


@command.command("list")
@as_json_option
def show_all(*, as_json: bool) -> None:
    """List the links, and how many test agents something is kept of."""
    with told():
        found = service().operations.reviewers.standing()
    if as_json:
        print_json([_shown(each) for each in found])
        return
    rows = [tuple(str(value) for value in _shown(each).values()) for each in found]
    table([("organization", "ends", "connections", "over"), *rows])


@command.command("end")
@click.argument("organization")
@as_json_option
def end(organization: str, *, as_json: bool) -> None:
    """End a link now: its connections are disconnected and erased."""
    with told():
        erased = service().operations.reviewers.end(organization)
    if as_json:
        print_json({"organization": organization, "erased": erased})
    else:
        click.echo(f"Ended; {counted(erased, 'connection')} disconnected and erased.")


def _shown(each: LinkStatus) -> dict[str, Any]:
    return {
        "organization": each.link.organization,
        "ends": rfc3339(each.link.ends),
        "connections": each.connections,
        "over": each.over,
    }
