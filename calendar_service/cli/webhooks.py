"""`calendar-service webhooks`: undelivered webhook events."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from calendar_service.cli.asking import exit_on_error, refuse, service
from calendar_service.cli.settings import as_json_option, configured, print_json
from calendar_service.config import new_keys
from calendar_service.development.webhook_listener import CannotListen, WebhookListener
from calendar_service.domain.clock import rfc3339
from calendar_service.store.outbox import Outbox, Waiting
from calendar_service.webhook_sender import TEST, DeliveryResult, WebhookMessage

organization_option = click.option("--organization", default="", help="Only events of this organization.")
agent_option = click.option("--agent", default="", help="With --organization: only events of this agent.")


@click.group("webhooks")
def command() -> None:
    """Webhook events: what was not delivered, a test, and a receiver for development."""


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
    _require_receiver()
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


@command.command("test")
@as_json_option
def send_test(*, as_json: bool) -> None:
    """Send one signed test event to the backend, now and once.

    Its type is `webhook.test` and its `data` is empty: a backend answers it with 2xx and does nothing. Prints what the
    backend answered. Exit status: 0 it answered 2xx, 1 it did not, 2 unusable configuration.
    """
    _require_receiver()
    built = service()
    sender = built.webhook_delivery.webhooks
    message = WebhookMessage(f"msg_test_{secrets.token_hex(16)}", TEST, built.clock.now(), {})
    if sender is None:
        raise click.UsageError(_NOBODY)
    result = sender.send(message)
    if as_json:
        fault = {"fault": result.fault} if result.fault else {}
        print_json({"delivered": result.delivered, "status": result.status, **fault})
    elif result.delivered:
        click.echo(f"Delivered: the backend answered {result.status}.")
    if not result.delivered:
        refuse(f"Not delivered: {_what_happened(result)}")


@command.command("listen")
@as_json_option
def listen(*, as_json: bool) -> None:
    """Receive webhook events on this machine and print them, for development.

    Listens where CALENDAR_WEBHOOK_URL points to, which has to be http on this machine; under `run` with that variable
    it needs nothing else. Verifies each signature, answers 204, and prints time, type, agent, session, status, reason
    and sequence number; with --json the whole event, one a line. Runs until Ctrl-C or SIGTERM. Exit status: 0 stopped,
    1 the port is taken, 2 unusable configuration.
    """
    _require_receiver()
    settings = configured()

    def show(event: dict[str, Any]) -> None:
        click.echo(json.dumps(event, ensure_ascii=False) if as_json else _line(event))

    try:
        listener = WebhookListener(
            settings.webhook_url, lambda: settings.webhook_secrets, show, _show_refusal
        )
    except CannotListen as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        refuse(f"Cannot listen at {settings.webhook_url} ({error.strerror}).")
    click.echo(f"Listening at {settings.webhook_url}. Ctrl-C stops it.", err=True)
    listener.run()


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


_NOBODY: Final = "CALENDAR_WEBHOOK_URL is not set: there is nobody to send anything to."
_FAULTS: Final = {
    "timeout": "the backend did not answer within five seconds. Let it answer before it does the work.",
    "refused": "nothing listens at CALENDAR_WEBHOOK_URL. Start the backend, or mend host and port.",
    "unreachable": "the host of CALENDAR_WEBHOOK_URL cannot be reached. Mend the name, or the network between.",
    "tls": "the backend's certificate is not trusted, or it speaks no TLS 1.2. Mend it, or the address.",
}


def _require_receiver() -> None:
    if not configured().webhook_url:
        raise click.UsageError(_NOBODY)


def _what_happened(result: DeliveryResult) -> str:
    if result.status is None:
        return _FAULTS.get(
            result.fault, f"the backend gave no whole answer ({result.fault}). Its log says more."
        )
    if result.status < 400:
        return f"the backend answered {result.status}. No redirect is followed: give the address that answers 2xx."
    if result.status < 500:
        return (
            f"the backend answered {result.status}. Compare its address and its secret with those configured."
        )
    return f"the backend answered {result.status}. Its log says more."


def _show_refusal(reason: str) -> None:
    click.echo(f"Refused: {reason}", err=True)


def _line(event: dict[str, Any]) -> str:
    data = event["data"]
    who = "/".join(data[name] for name in ("organization", "agent") if name in data)
    words = [
        event["timestamp"],
        event["type"],
        who,
        *(data.get(name, "") for name in ("session", "status", "reason")),
    ]
    number = f"#{data['sequence']}" if "sequence" in data else ""
    return "  ".join(word for word in (*words, number) if word)


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
