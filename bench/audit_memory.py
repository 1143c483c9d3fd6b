"""Memory that the audit log takes for one operation: entries of their own, and compressed in batches.

    python bench/audit_memory.py [--days 12] [--agents 10000] [--operations 10] [--json]

An agent reschedules a session through the service; its two entries are then written again, day by day, into one shard
in the name of as many agents as a shard has of `--agents`, at random times of day. They are sealed, and the day's
checkpoint is made, by the product's own code. The bytes are those of MEMORY USAGE. The entries' texts, numbers and
random ids are those that the scripts write; the seed is fixed.
"""

import argparse
import json
import random
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calendar_service.domain.clock import DAY, SECOND  # noqa: E402
from calendar_service.domain.session import By  # noqa: E402
from calendar_service.store import keys  # noqa: E402
from tests.support.own_service import own_service  # noqa: E402
from tests.support.service import TestService  # noqa: E402


@dataclass
class Memory:
    """What one shard's audit log takes, in bytes."""

    operations: int = 0
    separate: float = 0
    """For an operation whose entries and MACs have places of their own."""
    compacted: float = 0
    """For an operation whose entries are in batches."""
    batches: int = 0
    exported: float = 0
    """Lines of an operation in `audit export`, in bytes."""


def entry_texts(service: TestService, shard: int) -> list[dict[str, object]]:
    """Return the entries that one reschedule leaves."""
    client, schedule = service.parts.store.database.client, service.parts.sessions.schedule
    schedule.put(service.agent, "s1", service.content(), By.AGENT, None)
    before = client.xlen(keys.audit_log(shard))
    later = service.content(days=4)
    schedule.put(service.agent, "s1", later, By.AGENT, None)
    return [json.loads(fields["entry"]) for _, fields in client.xrange(keys.audit_log(shard))[before:]]


def write_day(
    service: TestService,
    shard: int,
    texts: list[dict[str, object]],
    connections: list[str],
    day: int,
    count: int,
) -> None:
    """Write a day's entries of so many operations, at random times in their order."""
    pipeline = service.parts.store.database.client.pipeline(transaction=False)
    for start in sorted(random.sample(range(DAY // 2), count)):
        connection = random.choice(connections)
        for at, text in zip((day + 2 * start, day + 2 * start + 1), texts, strict=False):
            changed = text | {"connection": connection}
            if "revision" in text:
                changed["revision"] = random.randrange(1, 4_000)
            written = json.dumps(changed, separators=(",", ":"))
            pipeline.xadd(keys.audit_log(shard), {"at": at, "entry": written}, id=f"{at}-0")
    pipeline.execute()


def usage(service: TestService, shard: int) -> int:
    """Return the bytes of the shard's entries, MACs and batches."""
    client = service.parts.store.database.client
    names = (keys.audit_log(shard), keys.audit_macs(shard), keys.audit_batches(shard))
    return sum(client.memory_usage(name, samples=0) or 0 for name in names)


def measured(days: int, agents: int, operations: int) -> Memory:
    """Fill one shard day by day; measure when the last checkpoint compacts nothing yet of it, and days later."""
    random.seed(1)
    per_day = max(1, round(agents * operations / len(keys.all_shards())))
    result = Memory(operations=per_day * days)
    with own_service() as service:
        clock_file = service.clock.path
        service.connect()
        texts = entry_texts(service, service.shard_of())
        shard = (service.shard_of() + 1) % 255 + 1  # neither the agent's nor that of the checkpoints' entries
        connections = [random.randbytes(16).hex() for _ in range(max(1, agents // len(keys.all_shards())))]
        today = service.parts.clock.now() // DAY * DAY
        for number in range(days):
            day = today - (days - number) * DAY
            clock_file.write_text(str((day - today) / SECOND), "ascii")
            before = usage(service, shard)
            write_day(service, shard, texts, connections, day, per_day)
            while service.parts.audit.sealer.seal():
                pass
            if not number:
                result.separate = (usage(service, shard) - before) / per_day
            clock_file.write_text(str((day + DAY - today) / SECOND), "ascii")
            service.parts.audit.sealer.checkpoint()
        for more in range(1, 4):  # until the last day's checkpoint is two days old
            clock_file.write_text(str(more * DAY / SECOND), "ascii")
            service.parts.audit.sealer.checkpoint()
        verdict = service.parts.audit.audit_export.verify()
        if verdict.faults:
            raise SystemExit(f"The log does not verify: {verdict.faults[0]}")
        client = service.parts.store.database.client
        left = client.xlen(keys.audit_log(shard))
        if left:
            raise SystemExit(f"{left} entries were not compacted.")
        lines = [
            line
            for line in service.parts.audit.audit_export.export()
            if f'"shard":{shard},"id"'.encode() in line
        ]
        result.exported = sum(map(len, lines)) / result.operations
        result.batches = client.xlen(keys.audit_batches(shard))
        result.compacted = usage(service, shard) / result.operations
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=12, help="of entries (12)")
    parser.add_argument("--agents", type=int, default=10_000, help="of the whole service (10000)")
    parser.add_argument("--operations", type=int, default=10, help="of an agent in a day (10)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = measured(arguments.days, arguments.agents, arguments.operations)
    if arguments.json:
        print(json.dumps(asdict(result)))
        return
    year = arguments.agents * arguments.operations * 400 / 1e9
    print(f"{result.operations} operations of one shard in {result.batches} batches, in bytes an operation:")
    print(f"  entries of their own  {result.separate:6.1f}  {year * result.separate:5.1f} GB in 400 days")
    print(f"  compacted             {result.compacted:6.1f}  {year * result.compacted:5.1f} GB in 400 days")
    print(f"  lines of an export    {result.exported:6.1f}")


if __name__ == "__main__":
    main()
