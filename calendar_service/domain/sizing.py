"""What a number of agents needs: processes, processor time, the database's memory, and projects at Google.

An estimate from single measurements on two cores: it tells one process from ten, and one gigabyte from ten.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

DAY_SECONDS: Final = 86_400

# --- measured by a bench that stands here ---

CONNECTION_BYTES: Final = 2_454
"""Of the database, at rest (python bench/memory.py)."""
SESSION_BYTES: Final = 554
"""Of the database, once Google has it (python bench/memory.py)."""
AUDIT_BYTES: Final = 399
"""Of one change, while its day is not compacted (python bench/audit_memory.py)."""
AUDIT_BYTES_COMPACTED: Final = 22
"""Of one change, afterwards, where a shard has some hundred in a day (python bench/audit_memory.py)."""
EXPORTED_BYTES: Final = 623
"""Lines of one change in an export (python bench/audit_memory.py)."""

# --- measured once, on an earlier version and a quiet machine; of a change, `python bench/operation.py` measures it ---

WEB_CPU: Final = 0.0026
"""Seconds of processor time that `serve` uses for one change of a session, Google's call included."""
WORKER_CPU_CHANGE: Final = 0.0001
"""Seconds that `work` uses for a change that a request has done."""
WORKER_CPU_CONNECTION: Final = 1.26 * (0.0033 + 0.0027)
"""Seconds a day for a connection's proof of life and its look at the calendar: 1.26 of each, counted in a day."""
DATABASE_CPU: Final = 0.0006
"""Seconds that the database uses for one change."""
DATABASE_CPU_CONNECTION: Final = 1.26 * (0.0011 + 0.0009)
"""Seconds a day for a connection's proof of life and its look."""
ADDED: Final = 0.005
"""Seconds that a change takes beside Google's own."""
PROCESS_BYTES: Final = 100_000_000
"""Resident memory of one `serve` or `work`, its parent included."""
EMPTY_DATABASE_BYTES: Final = 10_000_000

# --- numbers of this service ---

WORKER_CONNECTIONS: Final = 342_000
"""Connections of one worker: it proves at most 300 permissions a minute, and 1.26 a day of each connection."""
PLACES_AT_GOOGLE: Final = 8
"""Requests of one `serve` that wait for Google at a time (docs/limits.md)."""
AUDIT_DAYS: Final = 3
"""Days that are not compacted: two, and the one under way."""
KEPT_DAYS: Final = 30
"""Days that a session's record stays after the day of its end."""
MEMORY_SHARE: Final = 0.85
"""How much of `maxmemory` is filled: from there on long texts are refused (docs/limits.md)."""

# --- Google's, and what is planned for ---

PROJECT_UNITS: Final = 10_000
"""Units a minute of one project, Google's default (https://developers.google.com/workspace/calendar/api/guides/quota)."""
CHANGE_UNITS: Final = 3
"""A PATCH costs three units, and most changes are one."""
LOOK_UNITS: Final = 1
REST: Final = 0.5
"""How much of a processor, of Google's rate, or of a database's host is planned for; the rest is for bad days."""
LARGEST_DATABASE_BYTES: Final = 16_000_000_000
"""More in one server takes long to copy to a replica and to read at a start: then a cluster."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is expected."""

    agents: int
    """Agents with a connection."""
    sessions: float = 10
    """Sessions that one agent gets in a day."""
    changes: float = 2
    """Changes of one session: made, moved, cancelled."""
    ahead: float = 14
    """Days from the making of a session to its end."""
    busiest: float = 0.2
    """Share of a day's changes in its busiest hour."""
    google: float = 0.15
    """Seconds that Google takes for a call."""
    audit_days: int = 400
    """Days that the operator keeps the audit log."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What it takes."""

    changes_a_day: float
    changes_a_second: float
    """In the busiest hour."""
    serve: int
    """Web processes, two at least: one may be away."""
    serve_cores: float
    work: int
    """Workers, two at least."""
    work_cores: float
    process_bytes: int
    """Memory of these processes together."""
    connections_bytes: int
    sessions_bytes: int
    audit_bytes: int
    database_bytes: int
    """`maxmemory` of the database, all servers of a cluster together, without replicas."""
    host_bytes: int
    """Memory of the database's hosts: a rewrite of the file may need as much again."""
    database_cores: float
    shards: int
    """Primaries: 1 is a single server with its replicas, more is a cluster."""
    projects: int
    """Google Cloud projects, or so many times the default rate of one."""
    audit_export_bytes_a_day: int
    """Size of what a day adds to `audit export`, not compressed."""


def needs(load: Load) -> Needs:
    """Return what this load needs."""
    changes = load.agents * load.sessions * load.changes
    rate = changes * load.busiest / 3600
    serve_cores = rate * WEB_CPU
    serve = max(2, ceil(serve_cores / REST), ceil(rate * (load.google + ADDED) / (PLACES_AT_GOOGLE * REST)))
    work_cores = load.agents * WORKER_CPU_CONNECTION / DAY_SECONDS + rate * WORKER_CPU_CHANGE
    work = max(2, ceil(work_cores / REST), ceil(load.agents / WORKER_CONNECTIONS) + 1)
    connections = load.agents * CONNECTION_BYTES
    sessions = round(load.agents * load.sessions * (load.ahead + KEPT_DAYS) * SESSION_BYTES)
    separate = min(AUDIT_DAYS, load.audit_days)
    audit = round(
        changes * (separate * AUDIT_BYTES + max(load.audit_days - separate, 0) * AUDIT_BYTES_COMPACTED)
    )
    database = round((connections + sessions + audit) / MEMORY_SHARE) + EMPTY_DATABASE_BYTES
    database_cores = rate * DATABASE_CPU + load.agents * DATABASE_CPU_CONNECTION / DAY_SECONDS
    units = rate * CHANGE_UNITS * 60 + load.agents * LOOK_UNITS / (24 * 60)
    return Needs(
        changes_a_day=changes,
        changes_a_second=rate,
        serve=serve,
        serve_cores=serve_cores,
        work=work,
        work_cores=work_cores,
        process_bytes=(serve + work) * PROCESS_BYTES,
        connections_bytes=connections,
        sessions_bytes=sessions,
        audit_bytes=audit,
        database_bytes=database,
        host_bytes=round(database / REST),
        database_cores=database_cores,
        shards=_shards(database, database_cores),
        projects=max(1, ceil(units / (PROJECT_UNITS * REST))),
        audit_export_bytes_a_day=round(changes * EXPORTED_BYTES),
    )


def _shards(size: int, cores: float) -> int:
    """Return how many primaries hold so much and do so much; one server runs all scripts on one core."""
    least = max(ceil(size / LARGEST_DATABASE_BYTES), ceil(cores / REST))
    return 1 if least == 1 else max(3, least)
