"""`calendar-service webhooks`: what the backend could not be told. Must not show content, nor send anything itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from calendar_service.cli.asking import service, told
from calendar_service.cli.settings import as_json_option, configured, print_json
from calendar_service.config import new_keys
from calendar_service.domain.clock import rfc3339
from calendar_service.store.outbox import Outbox, Waiting

organization_option = click.option("--organization", default="", help="Only this organization's.")
agent_option = click.option("--agent", default="", help="Only this agent's; with --organization.")


@click.group("webhooks")
def command() -> None:
    """Webhooks to the backend that were not delivered."""


@command.command("list")
@organization_option
@agent_option
@click.option("--waiting", "also_waiting", is_flag=True, help="Those that are still tried, too.")
@as_json_option
def list_them(organization: str, agent: str, *, also_waiting: bool, as_json: bool) -> None:
    """List what was given up after three days of tries. It is kept for seven days from when it happened."""
    with _outbox(organization, agent) as outbox:
        found = [
            _shown(one)
            for one in outbox.waiting()
            if (one.given_up or also_waiting) and _concerns(one, organization, agent)
        ]
    if as_json:
        print_json(found)
        return
    for one in found:
        click.echo("  ".join(str(value) for value in one.values() if value != ""))
    click.echo(f"{len(found)} not delivered.", err=True)


@command.command("replay")
@organization_option
@agent_option
@click.option("--all", "everything", is_flag=True, help="Everybody's, and the erasures, which name nobody.")
@as_json_option
def replay(organization: str, agent: str, *, everything: bool, as_json: bool) -> None:
    """Let what was given up be sent again, in its order; a running worker does it."""
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
    """Make a secret for CALENDAR_WEBHOOK_SECRET. Put it beside the one in force until the backend holds it."""
    secret = new_keys.new_webhook_secret().reveal()
    if as_json:
        print_json({"secret": secret})
    else:
        click.echo(secret)


@contextmanager
def _outbox(organization: str, agent: str) -> Iterator[Outbox]:
    if agent and not organization:
        raise click.UsageError("--agent needs --organization.")
    with told():
        yield service().webhook_delivery.outbox


def _concerns(one: Waiting, organization: str, agent: str) -> bool:
    if not organization:
        return True
    return one.agent is not None and one.agent.organization == organization and agent in {"", one.agent.agent}


def _shown(one: Waiting) -> dict[str, str | int]:
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
