"""Memory that a connection and a settled session take in the database, by kind of key.

    python bench/memory.py [--agents 90] [--sessions 10] [--json]

Agents connect, and sessions are scheduled and written, through the product's own code. The bytes are those of MEMORY
USAGE of every key, without what lasts for hours only (open pages) and the audit log, which `bench/audit_memory.py`
measures. More than 90 agents would pass the hundred permissions that Google keeps of one account.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calendar_service.domain.names import Agent  # noqa: E402
from calendar_service.domain.session import By  # noqa: E402
from tests.support.own_service import own_service  # noqa: E402
from tests.support.service import TestService  # noqa: E402

LEFT_OUT = ("audit-", "checkpoint", "browser", "open-pages")


def usage(service: TestService) -> Counter[str]:
    """Return the bytes of all keys by their kind."""
    client, bytes_of = service.parts.store.database.client, Counter[str]()
    for key in client.scan_iter("*"):
        kind = key.rsplit(":", 1)[1] if ":a:" in key else key.split("}:", 1)[-1].split(":")[0]
        if not kind.startswith(LEFT_OUT):
            bytes_of[kind] += client.memory_usage(key, samples=0)
    return bytes_of


def measured(agents: int, sessions: int) -> tuple[Counter[str], Counter[str]]:
    """Return the bytes of one connection, and of one session, by kind of key."""
    with own_service(CALENDAR_TEST_LIMITS="off") as service:
        names = [Agent("acme", f"agent-{number}") for number in range(agents)]
        empty = usage(service)
        for agent in names:
            service.connect(agent)
        connected = usage(service)
        for agent in names:
            for number in range(sessions):
                content = service.content()
                service.parts.sessions.schedule.put(agent, f"session-{number}", content, By.AGENT, None)
        booked = usage(service)
    if "waiting" in booked:
        raise SystemExit("Some sessions were not written at once: their content waits, and would be counted.")
    return each(connected, empty, agents), each(booked, connected, agents * sessions)


def each(after: Counter[str], before: Counter[str], count: int) -> Counter[str]:
    """Return what each of so many has added."""
    return Counter(
        {kind: round((after[kind] - before[kind]) / count) for kind in after if after[kind] != before[kind]}
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=90)
    parser.add_argument("--sessions", type=int, default=10, help="of each agent (10)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    connection, session = measured(arguments.agents, arguments.sessions)
    if arguments.json:
        print(json.dumps({"connection": connection, "session": session}))
        return
    for name, counts in (("connection", connection), ("session", session)):
        print(f"{name}: {counts.total()} bytes")
        for kind, size in counts.most_common():
            print(f"  {kind:<20} {size:>6}")


if __name__ == "__main__":
    main()
