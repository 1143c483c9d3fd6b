"""`calendar-service connections`: states and ids, and ends. Must not show content, nor touch an agent's calendar."""

import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import click

from calendar_service.cli.asking import agent as named
from calendar_service.cli.asking import (
    agree,
    by_shard,
    counted,
    refuse,
    service,
    table,
    told,
    walked,
    yes_option,
)
from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.connection import Revocation, State
from calendar_service.domain.errors import ServiceError
from calendar_service.domain.names import Agent
from calendar_service.journeys.operations.all_connections import AllConnections, ConnectionEntry
from calendar_service.journeys.operations.restore import RestoreStep

THREADS = 8
"""Connections that are ended side by side."""


@click.group("connections")
def command() -> None:
    """Connections of all agents: states and ids, never content."""


@command.command("list")
@click.option("--organization", default="", help="Only of this organization.")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only in this state.")
@as_json_option
def show_all(organization: str, state: str | None, *, as_json: bool) -> None:
    """List every connection with its state."""
    with told():
        entries = list(
            service().operations.all_connections.entries(organization, State(state) if state else None)
        )
    if as_json:
        print_json([_entry(entry) for entry in entries])
        return
    rows = [("organization", "agent", "state", "since", "erased on", "revocation", "key")]
    rows += [
        (
            entry.agent.organization,
            entry.agent.agent,
            entry.view.state.value,
            _moment(entry.view.since),
            _moment(entry.view.erase_due),
            entry.view.revocation or "-",
            entry.key_id or "-",
        )
        for entry in entries
    ]
    table(rows)


@command.command("show")
@click.argument("organization")
@click.argument("agent")
@as_json_option
def show(organization: str, agent: str, *, as_json: bool) -> None:
    """Show one connection: its facts, and its sessions' states and ids."""
    with told():
        entry, slot, records = service().operations.all_connections.details(named(organization, agent))
    facts = slot.facts
    shown: dict[str, Any] = _entry(entry) | {
        "connection_id": entry.connection_id or None,
        "calendar_id": facts.calendar.id or None,
        "held_calendars": facts.hold.calendars.split(),
        "last_proof_of_life": _moment_or_none(facts.grant.last_refresh_ok_at),
        "policy_version_consented": facts.consent.policy or None,
        "next": {what.partition(":")[0]: rfc3339(at) for what, at in slot.due.items()},
        "sessions": [
            {"session": one.session, "status": one.status.value, "event_id": one.copy.id, "revision": one.revision}
            for one in records
        ],
    }  # fmt: skip
    if as_json:
        print_json(shown)
        return
    shown["held_calendars"] = ", ".join(shown["held_calendars"]) or None
    sessions = Counter(record.status.value for record in records)
    shown["sessions"] = ", ".join(f"{count} {status}" for status, count in sessions.items()) or None
    shown["next"] = ", ".join(f"{what} {at}" for what, at in shown["next"].items()) or None
    table([("", ""), *((name, "-" if value in {None, ""} else str(value)) for name, value in shown.items())])


@command.command("erase")
@click.argument("organization", required=False)
@click.argument("agent", required=False)
@click.option("--replay", type=click.File("rb"), help="An audit export: do again what it says was done.")
@click.option(
    "--public-key", "former", multiple=True, help="With --replay: a former signing key's public half."
)
@yes_option
@as_json_option
def erase(
    organization: str | None,
    agent: str | None,
    replay: BinaryIO | None,
    former: tuple[str, ...],
    *,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase now what is kept of an ended connection, and print the receipt's number.

    With --json the whole receipt, as `receipt verify` takes it: its only copy that tells whom it concerns.

    With --replay, after an old back-up was put back and before anything serves: every connection that the export says
    was ended or erased since is ended or erased again; pauses and chosen terms are as it says; holds that are missing,
    or have another end, are named, exit status 1.
    """
    if bool(organization and agent) + bool(replay) != 1 or bool(organization) != bool(agent):
        raise click.UsageError("Name one connection (ORGANIZATION AGENT), or --replay with an audit export.")
    if replay:
        _replayed(replay, former, yes=yes, as_json=as_json)
        return
    whose = named(str(organization), str(agent))
    agree(f"Erase what is kept of {whose.member} for good?", yes=yes)
    with told():
        receipt = service().operations.all_connections.erase(whose)
    if as_json:
        print_json(receipt)
    else:
        click.echo(
            f"Erased; receipt {receipt['number']}, revocation {receipt['revocation'] or 'not needed'}."
        )


def _replayed(file: BinaryIO, former: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    operations = service().operations
    plan, replay = operations.restore_plan, operations.restore_replay
    with told():
        steps = list(plan.steps(plan.history(by_shard(file, "Verifying"), former)))
        done = {
            "ended": sum(step.ends and not step.erase for step in steps),
            "erased": sum(step.erase for step in steps),
            "holds_lifted": sum(step.release for step in steps),
            "paused_or_resumed": sum(bool(step.pauses) for step in steps),
            "terms_chosen": sum(step.retention is not None for step in steps),
        }
        if any(done.values()):
            agree(f"{_question(done)}?", yes=yes)
            for step in walked("Replaying", steps):
                replay.take(step)
            replay.note(done["ended"], done["erased"])
    missing = [step for step in steps if step.missing_hold]
    if as_json:
        print_json(done | {"holds_missing": [_missing(step) for step in missing]})
    else:
        click.echo("\n".join(f"{count:6} {what.replace('_', ' ')}" for what, count in done.items()))
    for step in missing:
        until = rfc3339(step.missing_hold)
        click.echo(
            f"{step.agent.member}: a hold until {until} is missing; place it (with --replace if another stands) "
            "before a worker runs.",
            err=True,
        )
    sys.exit(bool(missing))


def _question(done: Mapping[str, int]) -> str:
    more = done["holds_lifted"] + done["paused_or_resumed"] + done["terms_chosen"]
    words = f"End {counted(done['ended'], 'connection')} again, and erase {done['erased']}"
    return (
        f"{words}; set {counted(more, 'hold, pause or retention', 'holds, pauses and terms')} right"
        if more
        else words
    )


def _missing(step: RestoreStep) -> dict[str, str]:
    whose = {"organization": step.agent.organization, "agent": step.agent.agent}
    return whose | {"until": rfc3339(step.missing_hold)}


@command.command("revoke")
@click.argument("organization", required=False)
@click.argument("agent", required=False)
@click.option("--all", "everybody", is_flag=True, help="Every connection there is.")
@click.option("--key-id", default="", help="Every connection whose tokens this key seals.")
@yes_option
@as_json_option
def revoke(
    organization: str | None, agent: str | None, *, everybody: bool, key_id: str, yes: bool, as_json: bool
) -> None:
    """End a connection here at once and ask Google to end its permission; or all of them, after a breach.

    Calendars stay as they are. What Google does not confirm now, the worker asks again.
    """
    if bool(organization and agent) + everybody + bool(key_id) != 1 or bool(organization) != bool(agent):
        raise click.UsageError("Name one connection (ORGANIZATION AGENT), or --all, or --key-id.")
    all_connections = service().operations.all_connections
    with told():
        one = [named(organization, agent)] if organization and agent else []
        chosen = one or all_connections.living(key_id)
    if not chosen:
        refuse("There is no such connection that stands. Nothing was done.")
    whose = chosen[0].member if agent else counted(len(chosen), "connection")
    agree(f"End {whose}? Agents have to connect again.", yes=yes)
    ended = _revoked(all_connections, chosen)
    if as_json:
        print_json(ended)
    else:
        click.echo("\n".join(f"{count:6} {outcome}" for outcome, count in ended.items()))
    sys.exit(bool(ended["failed"]))


def _revoked(all_connections: AllConnections, chosen: list[Agent]) -> dict[str, int]:
    """End each; one that fails is told and leaves the others alone."""
    outcomes = Counter[str]()

    def end(agent: Agent) -> str:
        try:
            entry = all_connections.revoke(agent)
        except ServiceError as error:
            click.echo(f"{agent.member}: {error.detail}", err=True)
            return "failed"
        if entry.view.state is State.NOT_CONNECTED:
            return "not_connected"
        return "pending" if entry.view.revocation == Revocation.PENDING else "ended"

    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(end, agent) for agent in chosen]
        for future in walked("Ending", running):
            outcomes[future.result()] += 1
    return {name: outcomes[name] for name in ("ended", "pending", "not_connected", "failed")}


def _entry(entry: ConnectionEntry) -> dict[str, Any]:
    view = entry.view
    return {
        "organization": entry.agent.organization,
        "agent": entry.agent.agent,
        "state": view.state.value,
        "since": _moment_or_none(view.since),
        "erase_due": _moment_or_none(view.erase_due),
        "revocation": view.revocation or None,
        "teardowns": entry.teardowns,
        "key_id": entry.key_id or None,
    }


def _moment(at: Millis) -> str:
    return rfc3339(at) if at else "-"


def _moment_or_none(at: Millis) -> str | None:
    return rfc3339(at) if at else None
