"""Defects in the store's durability, its replicas, and in work that only a later version knows."""

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="append-only file synchronized every second",
        law="durability",
        file="development/valkey.py",
        search='"appendfsync": "always"',
        replace='"appendfsync": "everysec"',
        scenarios=("F2 power lost",) * 4,
    ),
    Defect(
        name="no write waits for a replica",
        law="lost",
        file="store/database.py",
        search="        copies = primary.copies\n",
        replace="        copies = 0\n",
        scenarios=("F3 failover to a stale replica",) * 2,
    ),
    Defect(
        name="one replica of two suffices",
        law="lost",
        file="store/replication.py",
        search="    return max(least, counted, 1 if has_replicas else 0)\n",
        replace="    return max(least, 1 if has_replicas else 0)\n",
        scenarios=("F38 planned failover",) * 8,
    ),
    Defect(
        name="a repeat is acknowledged on what was only read",
        law="lost",
        file="store/database.py",
        search="        if primary.copies:\n",
        replace="        if False:\n",
        scenarios=("F4 two primaries",) * 4,
    ),
    Defect(
        name="a due item nobody knows is dropped",
        law="lost",
        file="worker/items.py",
        search="reschedule(agent, item, _SOON, due_at)",
        replace="reschedule(agent, item, None, due_at)",
        scenarios=("F35 two versions at once",) * 2,
    ),
    Defect(
        name="a moment's trouble puts off by minutes",
        law="late_write",
        file="worker/items.py",
        search="                return _AT_ONCE\n",
        replace="                return _LATER\n",
        scenarios=("F40 store away while sessions are under way",) * 4,
    ),
    Defect(
        name="the store's trouble taken for a record's",
        law="unnoticed",
        file="worker/items.py",
        search="if isinstance(trouble, StoreUnavailable) and not isinstance(trouble, RecordUnreadable):",
        replace="if False:",
        scenarios=("F40 store away while sessions are under way",) * 4,
    ),
)
