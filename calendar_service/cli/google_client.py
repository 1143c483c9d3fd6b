"""`calendar-service google-client`: the client at Google for which the stored permissions were given."""

import click

from calendar_service.cli.asking import (
    confirm,
    counted,
    exit_on_error,
    refuse,
    service,
    with_progress,
    yes_option,
)
from calendar_service.cli.settings import as_json_option, print_json


@click.group("google-client")
def command() -> None:
    """The Google client to which agents give their permissions."""


@command.command("adopt")
@yes_option
@as_json_option
def adopt(*, yes: bool, as_json: bool) -> None:
    """Move to the configured Google client.

    The permissions in the database were given to the former client, and no other can refresh them. So this ends every
    connection, revokes its permission at Google, and then lets agents connect with the client of
    CALENDAR_GOOGLE_CLIENT_ID. Calendars stay as they are; an agent who connects again before the erasure keeps the
    calendar. Stop the processes of the former client first.

    Interrupted, it goes on when it is repeated; until then no process refreshes a permission or lets an agent connect.

    Exit status: 0 done, 1 if a connection could not be ended, 2 unusable configuration or another service's database.
    """
    with exit_on_error():
        present = service()
        if present.store.ownership.is_google_client_ours():
            refuse("The configured Google client is the one of this database already. Nothing was done.")
        living = len(present.operations.all_connections.living())
        confirm(
            f"Move to the Google client {present.config.google.client_id}, and end "
            f"{counted(living, 'connection')}? Agents have to connect again.",
            yes=yes,
        )
        move = present.operations.adoption.adopt_google_client(lambda agents: with_progress("Ending", agents))
    if as_json:
        print_json({"ended": move.ended, "failed": len(move.failed)})
    else:
        click.echo(f"{counted(move.ended, 'connection')} ended.")
    for agent in move.failed:
        click.echo(f"{agent.member}: could not be ended", err=True)
    if move.failed:
        refuse(
            "The move is not complete; repeat it. Until then nothing is refreshed, and nobody can connect."
        )
