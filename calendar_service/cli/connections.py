"""`calendar-service connections`: shows, ends and erases connections. Touches no calendar."""

import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any, BinaryIO

import click

from calendar_service.cli.asking import agent as named
from calendar_service.cli.asking import (
    by_shard,
    confirm,
    counted,
    exit_on_error,
    refuse,
    service,
    table,
    with_progress,
    yes_option,
)
from calendar_service.cli.settings import as_json_option, print_json, print_json_list
from calendar_service.domain.clock import Millis, rfc3339
from calendar_service.domain.connection import Revocation, State
from calendar_service.domain.errors import NotConnected, ServiceError
from calendar_service.domain.names import Agent
from calendar_service.journeys.operations.all_connections import AllConnections, ConnectionEntry
from calendar_service.journeys.operations.calendar_check import UNKNOWN, CalendarCheck
from calendar_service.journeys.operations.restore import RestoreStep

_CALENDARS = {"there": "there", "missing": "missing", "never_made": "missing"}
_HEAD = ("organization", "agent", "state", "since", "erased on", "revocation", "key")
THREADS = 8
"""How many connections are ended at the same time."""


@click.group("connections")
def command() -> None:
    """Connections of all agents: states and ids, without content."""


@command.command("list")
@click.option("--organization", default="", help="Only connections of this organization.")
@click.option(
    "--state", type=click.Choice([state.value for state in State]), help="Only connections in this state."
)
@as_json_option
def show_all(organization: str, state: str | None, *, as_json: bool) -> None:
    """List all connections with their states.

    Prints one line per agent, as they are read: state and since when, the day of the erasure, how the revocation
    ended, and the id of the key that seals its tokens.
    """
    with exit_on_error():
        entries = service().operations.all_connections.entries(organization, State(state) if state else None)
        if as_json:
            print_json_list(map(_entry, entries))
        else:
            table(chain([_HEAD], map(_row, entries)))


def _row(entry: ConnectionEntry) -> tuple[str, ...]:
    return (
        entry.agent.organization,
        entry.agent.agent,
        entry.view.state.value,
        _moment(entry.view.since),
        _moment(entry.view.erase_due),
        entry.view.revocation or "-",
        entry.key_id or "-",
    )


@command.command("show")
@click.argument("organization")
@click.argument("agent")
@as_json_option
def show(organization: str, agent: str, *, as_json: bool) -> None:
    """Show one connection.

    Prints its state and timers, and how many of its sessions are in which status. --json also lists the sessions. No
    identifier of Google's is printed: only whether the calendar is there or missing, and how many former calendars a
    legal hold keeps.
    """
    with exit_on_error():
        entry, slot, records = service().operations.all_connections.details(named(organization, agent))
    facts = slot.facts
    fields: dict[str, Any] = _entry(entry) | {
        "connection_id": entry.connection_id or None,
        "calendar": _CALENDARS[facts.calendar.status] if entry.connection_id else None,
        "held_calendars": len(facts.hold.calendars.split()),
        "last_proof_of_life": _moment_or_none(facts.grant.last_refresh_ok_at),
        "policy_version_consented": facts.consent.policy or None,
        "next": {what.partition(":")[0]: rfc3339(at) for what, at in slot.due.items()},
        "sessions": [
            {"session": one.session, "status": one.status.value, "revision": one.revision} for one in records
        ],
    }  # fmt: skip
    if as_json:
        print_json(fields)
        return
    sessions = Counter(record.status.value for record in records)
    fields["sessions"] = ", ".join(f"{count} {status}" for status, count in sessions.items()) or None
    fields["next"] = ", ".join(f"{what} {at}" for what, at in fields["next"].items()) or None
    table([("", ""), *((name, "-" if value in {None, ""} else str(value)) for name, value in fields.items())])


@command.command("erase")
@click.argument("organization", required=False)
@click.argument("agent", required=False)
@click.option("--replay", type=click.File("rb"), help="An audit export: repeat what it records.")
@click.option(
    "--public-key",
    "former",
    multiple=True,
    help="With --replay: the public key of a former signing key; may be repeated.",
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
    """Erase one ended connection for good.

    Erases everything that is stored of it now, instead of at the end of its retention period, and prints the number of
    the receipt.

    --json prints the whole receipt, for `receipt verify`. It is the only copy that shows whom the receipt concerns.

    --replay is for use after an old back-up was restored, before `serve` and `work` start. Connections that were ended
    or erased after the back-up are ended or erased again; pauses and chosen retention periods are set as the export
    records them. The revisions of sessions are raised, so that the next change of each reaches Google, whatever stands
    there. Legal holds that are missing, or that end at another time, are printed on standard error. Run `connections
    reconcile` when `work` and `serve` run again.

    Exit status: 0 done, 1 refused, failed or holds missing, 2 unusable configuration or argument.
    """
    if bool(organization and agent) + bool(replay) != 1 or bool(organization) != bool(agent):
        raise click.UsageError("Name one connection (ORGANIZATION AGENT), or --replay with an audit export.")
    if replay:
        _replay(replay, former, yes=yes, as_json=as_json)
        return
    target = named(str(organization), str(agent))
    confirm(f"Erase everything that is stored of {target.member} for good?", yes=yes)
    with exit_on_error():
        receipt = service().operations.all_connections.erase(target)
    if as_json:
        print_json(receipt)
    else:
        click.echo(
            f"Erased; receipt {receipt['number']}, revocation {receipt['revocation'] or 'not needed'}."
        )


def _replay(file: BinaryIO, former: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    operations = service().operations
    plan, replay = operations.restore_plan, operations.restore_replay
    with exit_on_error():
        steps = list(plan.steps(plan.history(by_shard(file, "Verifying"), former)))
        counts = {
            "ended": sum(step.ends and not step.erase for step in steps),
            "erased": sum(step.erase for step in steps),
            "holds_lifted": sum(step.release for step in steps),
            "paused_or_resumed": sum(bool(step.pauses) for step in steps),
            "terms_chosen": sum(step.retention is not None for step in steps),
            "revisions_raised": sum(bool(step.revision) for step in steps),
        }
        if any(counts.values()):
            confirm(f"{_question(counts)}?", yes=yes)
            for step in with_progress("Replaying", steps):
                replay.take(step)
            replay.note(counts["ended"], counts["erased"])
    missing = [step for step in steps if step.missing_hold]
    if as_json:
        print_json(counts | {"holds_missing": [_missing(step) for step in missing]})
    else:
        click.echo("\n".join(f"{count:6} {what.replace('_', ' ')}" for what, count in counts.items()))
    for step in missing:
        until = rfc3339(step.missing_hold)
        click.echo(
            f"{step.agent.member}: a hold until {until} is missing; place it (with --replace if another stands) "
            "before a worker runs.",
            err=True,
        )
    sys.exit(bool(missing))


def _question(counts: Mapping[str, int]) -> str:
    others = counts["holds_lifted"] + counts["paused_or_resumed"] + counts["terms_chosen"]
    question = f"End {counted(counts['ended'], 'connection')} again, and erase {counts['erased']}"
    if counts["revisions_raised"]:
        question += f"; raise the revisions of {counted(counts['revisions_raised'], 'connection')}"
    return (
        f"{question}; set {counted(others, 'hold, pause or retention', 'holds, pauses and terms')} right"
        if others
        else question
    )


def _missing(step: RestoreStep) -> dict[str, str]:
    return {
        "organization": step.agent.organization,
        "agent": step.agent.agent,
        "until": rfc3339(step.missing_hold),
    }


@command.command("revoke")
@click.argument("organization", required=False)
@click.argument("agent", required=False)
@click.option("--all", "everybody", is_flag=True, help="End every connection.")
@click.option("--key-id", default="", help="End every connection whose tokens this key seals.")
@yes_option
@as_json_option
def revoke(
    organization: str | None, agent: str | None, *, everybody: bool, key_id: str, yes: bool, as_json: bool
) -> None:
    """End one connection, or many after a breach.

    Takes the access away here at once, and revokes it at Google.

    Calendars stay as they are. Agents have to connect again. Where Google does not confirm the revocation now, the
    worker repeats it for up to 7 days.

    Prints how many connections ended, how many revocations are pending, and how many connections failed.

    Exit status: 0 done, 1 if one failed or there is none, 2 unusable configuration or argument.
    """
    if bool(organization and agent) + everybody + bool(key_id) != 1 or bool(organization) != bool(agent):
        raise click.UsageError("Name one connection (ORGANIZATION AGENT), or --all, or --key-id.")
    all_connections = service().operations.all_connections
    with exit_on_error():
        one = [named(organization, agent)] if organization and agent else []
        targets = one or all_connections.living(key_id)
    if not targets:
        refuse("There is no live connection to end. Nothing was done.")
    subject = targets[0].member if agent else counted(len(targets), "connection")
    confirm(f"End {subject}? Agents have to connect again.", yes=yes)
    outcomes = _revoke_all(all_connections, targets)
    if as_json:
        print_json(outcomes)
    else:
        click.echo("\n".join(f"{count:6} {outcome}" for outcome, count in outcomes.items()))
    sys.exit(bool(outcomes["failed"]))


def _revoke_all(all_connections: AllConnections, targets: list[Agent]) -> dict[str, int]:
    """End each connection and count the outcomes. A failure is printed and does not stop the others."""
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
        running = [pool.submit(end, agent) for agent in targets]
        for future in with_progress("Ending", running):
            outcomes[future.result()] += 1
    return {name: outcomes[name] for name in ("ended", "pending", "not_connected", "failed")}


@command.command("reconcile")
@click.argument("organization", required=False)
@click.argument("agent", required=False)
@click.option("--after", default="", metavar="ORGANIZATION/AGENT", help="Begin behind this connection.")
@as_json_option
def reconcile(organization: str | None, agent: str | None, after: str, *, as_json: bool) -> None:
    """Compare connected calendars with the sessions that are kept, for instance after a restore.

    Compares each connected calendar, or that of one connection, with its sessions of today and later. A session whose
    event differs or is missing is reported to the backend by a webhook (`session.changed_in_google`,
    `session.deleted_in_google`), once: times and texts are not kept, so only the backend can write them again (by a
    PUT, or by the call `reconcile` with `apply=true`). Changes nothing in Google.

    Prints how many connections were compared, how many sessions were reported, how many events with the service's
    marker nobody wants, by kind, and how many connections were not connected or failed.

    Connections are taken in the order of their names. Running it again does no harm; --after goes on where a run was
    stopped.

    Exit status: 0 done, 1 if one failed, 2 unusable configuration or argument.
    """
    if bool(organization) != bool(agent):
        raise click.UsageError("Name one connection (ORGANIZATION AGENT), or none for all.")
    check = service().operations.calendar_check
    one = [named(organization, agent)] if organization and agent else []
    outcomes = Counter[str]()
    with exit_on_error(), ThreadPoolExecutor(THREADS) as pool:
        targets = one or [target for target in check.agents() if target.member > after]
        for counted_of_one in with_progress(
            "Comparing", pool.map(partial(_compared, check), targets), len(targets)
        ):
            outcomes.update(counted_of_one)
    counts = {name: outcomes[name] for name in ("compared", "reported", *UNKNOWN, "not_connected", "failed")}
    if as_json:
        print_json(counts)
    else:
        click.echo("\n".join(f"{count:6} {what.replace('_', ' ')}" for what, count in counts.items()))
    sys.exit(bool(counts["failed"]))


def _compared(check: CalendarCheck, agent: Agent) -> Mapping[str, int]:
    """Compare one calendar and return what was counted. A failure is printed and does not stop the others."""
    try:
        return check.compare(agent)
    except NotConnected:
        return {"not_connected": 1}
    except ServiceError as error:
        click.echo(f"{agent.member}: {error.detail}", err=True)
        return {"failed": 1}


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
