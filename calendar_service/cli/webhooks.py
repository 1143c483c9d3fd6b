"""`calendar-service webhooks`: undelivered webhook events."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from calendar_service.cli.asking import exit_on_error, service
from calendar_service.cli.settings import as_json_option, configured, print_json
from calendar_service.config import new_keys
from calendar_service.domain.clock import rfc3339
from calendar_service.store.outbox import Outbox, Waiting

organization_option = click.option("--organization", default="", help="Only events of this organization.")
agent_option = click.option("--agent", default="", help="With --organization: only events of this agent.")


@click.group("webhooks")
def command() -> None:
    """Webhook events that were not delivered to the backend."""


@command.command("list")
@organization_option
@agent_option
@click.option("--waiting", "also_waiting", is_flag=True, help="Also events that are still being retried.")
@as_json_option
def list_them(organization: str, agent: str, *, also_waiting: bool, as_json: bool) -> None:
    """List undelivered webhook events.

    An event is abandoned after three days of attempts. Abandoned events are stored for seven days from when they
    happened. Prints type, time, organization, agent, connection, sequence number and session of each; their number on
    standard error.
    """
    with _outbox(organization, agent) as outbox:
        events = [
            _fields(one)
            for one in outbox.waiting()
            if (one.given_up or also_waiting) and _concerns(one, organization, agent)
        ]
    if as_json:
        print_json(events)
        return
    for one in events:
        click.echo("  ".join(str(value) for value in one.values() if value != ""))
    click.echo(f"{len(events)} not delivered.", err=True)


@command.command("replay")
@organization_option
@agent_option
@click.option(
    "--all", "everything", is_flag=True, help="All events, also those of erasures, which name no agent."
)
@as_json_option
def replay(organization: str, agent: str, *, everything: bool, as_json: bool) -> None:
    """Send abandoned webhook events again.

    They become due at once, in their order; a running worker sends them. Prints how many. Exit status: 0 scheduled, 1
    failed, 2 unusable configuration or argument.
    """
    if everything == bool(organization):
        raise click.UsageError("Name an organization, or --all.")
    if not configured().webhook_url:
        raise click.UsageError("CALENDAR_WEBHOOK_URL is not set: there is nobody to send anything to.")
    with _outbox(organization, agent) as outbox:
        agents = {
            one.agent
            for one in outbox.waiting()
            if one.given_up and one.agent and _concerns(one, organization, agent)
        }
        count = sum(outbox.replay(one) for one in agents)
        count += outbox.replay_erased() if everything else 0
    if as_json:
        print_json({"replayed": count})
    else:
        click.echo(f"{count} will be sent again.")


@command.command("new-secret")
@as_json_option
def new_secret(*, as_json: bool) -> None:
    """Generate a webhook secret.

    It is printed for CALENDAR_WEBHOOK_SECRET, and not stored. To rotate, set both secrets until the backend knows the
    new one, then remove the old one.
    """
    secret = new_keys.new_webhook_secret().reveal()
    if as_json:
        print_json({"secret": secret})
    else:
        click.echo(secret)


@contextmanager
def _outbox(organization: str, agent: str) -> Iterator[Outbox]:
    if agent and not organization:
        raise click.UsageError("--agent needs --organization.")
    with exit_on_error():
        yield service().webhook_delivery.outbox


def _concerns(one: Waiting, organization: str, agent: str) -> bool:
    if not organization:
        return True
    return one.agent is not None and one.agent.organization == organization and agent in {"", one.agent.agent}


def _fields(one: Waiting) -> dict[str, str | int]:
    return {
        "state": "given_up" if one.given_up else "waiting",
        "type": one.webhook_event.type,
        "at": rfc3339(one.webhook_event.at),
        "organization": one.agent.organization if one.agent else "",
        "agent": one.agent.agent if one.agent else "",
        "connection_id": one.webhook_event.connection_id,
        "sequence": one.webhook_event.sequence,
        "session": one.webhook_event.session,
    }
