"""`calendar-service reviewer`: links to the reviewer console."""

from typing import Any

import click

from calendar_service.cli.asking import counted, exit_on_error, service, table
from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.domain.clock import rfc3339
from calendar_service.domain.reviewer_links import LINK_DAYS, LONGEST_DAYS
from calendar_service.journeys.operations.reviewer_links import LinkStatus

_DAYS = click.IntRange(1, LONGEST_DAYS)


@click.group("reviewer")
def command() -> None:
    """Links for Google's reviewers. Each opens a console with its own test agents, until its end."""


@command.command("link")
@click.option(
    "--days", type=_DAYS, default=LINK_DAYS, show_default=True, help="How many days the link is valid."
)
@as_json_option
def new_link(days: int, *, as_json: bool) -> None:
    """Create a link and print it.

    Only its hash is stored, so it cannot be printed again.
    """
    present = service()
    with exit_on_error():
        secret, link = present.operations.reviewers.make(days)
    url = f"{present.config.public_url}/reviewer/{secret}"
    if as_json:
        print_json({"url": url, "organization": link.organization, "ends": rfc3339(link.ends)})
    else:
        click.echo(f"{url}\nValid until {rfc3339(link.ends)}, as {link.organization}.")


@command.command("extend")
@click.argument("organization")
@click.option(
    "--days", type=_DAYS, default=LINK_DAYS, show_default=True, help="By how many days it is prolonged."
)
@as_json_option
def extend(organization: str, days: int, *, as_json: bool) -> None:
    """Let a link end later.

    Its address stays the same. A link that has ended is refused.
    """
    with exit_on_error():
        link = service().operations.reviewers.prolong(organization, days)
    if as_json:
        print_json({"organization": link.organization, "ends": rfc3339(link.ends)})
    else:
        click.echo(f"Valid until {rfc3339(link.ends)}.")


@command.command("list")
@as_json_option
def show_all(*, as_json: bool) -> None:
    """List the links.

    Prints for each its test organization, its end, and how many of its test agents have stored data.
    """
    with exit_on_error():
        links = service().operations.reviewers.standing()
    if as_json:
        print_json([_fields(each) for each in links])
        return
    rows = [tuple(str(value) for value in _fields(each).values()) for each in links]
    table([("organization", "ends", "connections", "over"), *rows])


@command.command("end")
@click.argument("organization")
@as_json_option
def end(organization: str, *, as_json: bool) -> None:
    """End a link now.

    Its test agents are disconnected and erased. Prints how many connections were erased.
    """
    with exit_on_error():
        erased = service().operations.reviewers.end(organization)
    if as_json:
        print_json({"organization": organization, "erased": erased})
    else:
        click.echo(f"Ended; {counted(erased, 'connection')} disconnected and erased.")


def _fields(each: LinkStatus) -> dict[str, Any]:
    return {
        "organization": each.link.organization,
        "ends": rfc3339(each.link.ends),
        "connections": each.connections,
        "over": each.over,
    }
