"""What reads all agents, at a growing number of connections: seconds, CPU, peak memory and commands of the database.

    python bench/growth.py [--connections 1000 10000] [--json]

One agent connects through the service. The others are connected by the same scripts, many in one pipeline, all in one
organization and each with a Google account of its own, so each record has the form that the product gives it. Then each
command runs in a process of its own, as an operator types it, and so does each walk of the worker. Valkey and the local
Google are real.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calendar_service import config, wiring  # noqa: E402
from calendar_service.domain.clock import DAY  # noqa: E402
from calendar_service.domain.names import Agent  # noqa: E402
from calendar_service.store import keys  # noqa: E402
from calendar_service.store.audit_log import Actor, EntryKind, entry  # noqa: E402
from calendar_service.store.database import Command, Database  # noqa: E402
from calendar_service.store.script_loader import Value, load  # noqa: E402
from calendar_service.wiring import Service  # noqa: E402
from tests.support.own_service import own_service  # noqa: E402
from tests.support.service import TestService  # noqa: E402

STEP = 200
"""Agents in one pipeline of the filling."""
ORGANIZATION = "acme"
COMMANDS = {
    "doctor": ["doctor"],
    "report": ["report", "--output", os.devnull],
    "connections list": ["connections", "list"],
    "connections list --json": ["connections", "list", "--json"],
}
WALKS: dict[str, Callable[[Service], object]] = {
    "GET organization": lambda service: service.operations.organizations.progress(ORGANIZATION),
    "totals": lambda service: service.operations.totals.refresh(),
    "account references": lambda service: service.operations.shared_account_repair.repair(),
    "far timers": lambda service: service.operations.far_timers.reset(),
}


@dataclass
class Run:
    """What one command or walk took."""

    connections: int
    name: str
    seconds: float
    """By the clock: on a shared machine it says little."""
    cpu: float
    """Seconds of CPU of its process, some 1 of it for the start."""
    database_cpu: float
    """Seconds of CPU of the database meanwhile."""
    peak_mb: float
    """The greatest memory of its process, with Python and the whole service: some 65 MB of it without any agent."""
    commands: int
    """Commands that the database carried out for it."""


def fill(service: TestService, count: int) -> None:
    """Connect so many agents by the scripts of a connect."""
    slot = service.parts.store.slots.read(service.agent)
    consent = slot.facts.consent
    facts = json.dumps(
        {"consent_scope": consent.scope, "consent_policy": consent.policy, "locale": slot.facts.locale}
    )
    database = service.parts.store.database
    for name in ("begin_consent", "connect_agent", "set_calendar", "account_ref_join"):
        database.client.script_load(load(name).text)
    due = service.parts.clock.now() + DAY
    names: Iterator[Agent] = (Agent(ORGANIZATION, f"agent-{number:06}") for number in range(count))
    while step := list(islice(names, STEP)):
        database.read(call for agent in step for call in calls(database, agent, slot.grant, facts, due))


def calls(database: Database, agent: Agent, grant: str, facts: str, due: int) -> Iterator[Command]:
    """Yield the scripts that connect an agent."""
    digest = sha256(agent.member.encode()).hexdigest()
    connection_id, account_ref = digest[:22], digest[22:54]
    yield call(database, "begin_consent", agent, entry(EntryKind.CONSENT_BEGUN, Actor.AGENT), state=digest)
    join = load("account_ref_join")
    yield (
        "EVALSHA", join.digest, 1, keys.account_ref(account_ref), database.clock.offset(), connection_id, "1",
    )  # fmt: skip
    yield call(
        database, "connect_agent", agent, entry(EntryKind.CONNECTED, Actor.AGENT),
        state=digest, expected_connection_id="", connection_id=connection_id, grant=grant, reconsent="0",
        account_ref=account_ref, facts=facts, probe_due=due,
    )  # fmt: skip
    yield call(
        database, "set_calendar", agent, entry(EntryKind.CALENDAR_READY, Actor.SERVICE),
        connection_id=connection_id, calendar=f"{digest}@group.calendar.google.com", adopted="0",
        account_ref=account_ref,
    )  # fmt: skip


def call(
    database: Database, name: str, agent: Agent, audit_entry: dict[str, Any], **arguments: Value
) -> Command:
    """Return the command that runs a script of the agent's slot, as `Database.step` does."""
    script, slot = load(name), database.slot_keys(agent)
    listed = script.key_list(slot.declared())
    head = (database.clock.offset(), slot.member, json.dumps(audit_entry), "0")
    return ("EVALSHA", script.digest, len(listed), *listed, *head, *script.argument_list(arguments))


def measured(service: TestService, connections: int, name: str, words: list[str]) -> Run:
    """Run a process of these words, and return what it took."""
    client = service.parts.store.database.client
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **service.variables}
    before, began = used(client), time.monotonic()
    process = subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.DEVNULL)
    peak = 0.0
    while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
        peak = (
            peak_of(process.pid) or peak
        )  # the last: until it runs its own program it has the memory of this one
        time.sleep(0.01)
    seconds, after, usage = time.monotonic() - began, used(client), ended[2]
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    if process.returncode not in {0, 1}:  # 1: a development service lacks what a fault or a clause is about
        raise SystemExit(f"{name} ended with {process.returncode}")
    return Run(
        connections,
        name,
        seconds,
        usage.ru_utime + usage.ru_stime,
        after[1] - before[1],
        peak,
        int(after[0] - before[0]),
    )


def used(client: Any) -> tuple[float, float]:
    """Return how many commands the database has carried out, and its seconds of CPU."""
    info = client.info()
    return info["total_commands_processed"], info["used_cpu_user"] + info["used_cpu_sys"]


def peak_of(pid: int) -> float:
    """Return the greatest memory of a running process so far, in MB; `wait4` would count that of its parent in."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def runs(connections: int) -> Iterator[Run]:
    """Fill a new database, and run everything over it."""
    with own_service(CALENDAR_TEST_LIMITS="off") as service:
        service.connect()
        fill(service, connections - 1)
        for name, words in COMMANDS.items():
            yield measured(service, connections, name, ["-m", "calendar_service", *words])
        for name in WALKS:
            yield measured(service, connections, name, [__file__, "--walk", name])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--walk", choices=list(WALKS), help="do this one over the database of the variables")
    arguments = parser.parse_args()
    if arguments.walk:
        with contextlib.closing(wiring.build(config.load(os.environ), "bench")) as service:
            WALKS[arguments.walk](service)
        return
    for connections in arguments.connections:
        for run in runs(connections):
            print(
                json.dumps(asdict(run))
                if arguments.json
                else f"{run.connections:>9,}  {run.name:<24} {run.seconds:7.1f} s, {run.cpu:6.1f} + "
                f"{run.database_cpu:.1f} s of CPU  {run.peak_mb:5.0f} MB  {run.commands:>10,} commands",
                flush=True,
            )


if __name__ == "__main__":
    main()
