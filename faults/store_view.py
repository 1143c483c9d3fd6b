"""The service's records as the campaign reads and changes them, past the service: one page of keys and fields.

An agent's slot is a group of keys, `{shard}:a:{organization}/{agent}:{part}`; this page knows their parts.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from faults.driver.backend import ORGANIZATION

_CHECK_VALUES = "check-values"
LEASED = ", leased"
"""Ends the text of a session at which a process is at work, or has died."""
OVERDUE_MS = 3000
"""A timer that is due for no longer than this is no sign of unfinished work."""


class StoreView:
    """Reads and changes records of the present primaries."""

    def __init__(self, client: Callable[[], "contextlib.closing[Any]"]) -> None:
        self.client = client
        """Returns a client of all records, to be used in a `with` statement."""

    # --- one agent's slot ---

    def key(self, agent: str, part: str) -> str:
        """Return the key of one part of the agent's slot; empty if the part does not exist."""
        with self.client() as client:
            return next(iter(client.scan_iter(_pattern(agent, part), count=1000)), "")

    def facts(self, agent: str) -> dict[str, str]:
        """Return the fields of the agent's connection; empty if nothing of it exists."""
        key = self.key(agent, "facts")
        with self.client() as client:
            return dict(client.hgetall(key)) if key else {}

    def slot_exists(self, agent: str) -> bool:
        """Tell whether the agent's connection has a record."""
        return bool(self.key(agent, "facts"))

    def timer(self, agent: str, kind: str) -> float | None:
        """Return when this timer of the agent is due, in milliseconds since 1970; None if it is not set."""
        key = self.key(agent, "due")
        with self.client() as client:
            score = client.zscore(key, kind) if key else None
        return None if score is None else float(score)

    def timers(self, agent: str = "*") -> list[str]:
        """Return the kinds of timers that are set for one agent, or for all of them."""
        with self.client() as client:
            keys = list(client.scan_iter(_pattern(agent, "due"), count=1000))
            return [member for key in keys for member in client.zrange(key, 0, -1)]

    def has_teardowns(self) -> bool:
        """Tell whether any connection's end still has to be finished at Google."""
        with self.client() as client:
            return any(True for _ in client.scan_iter(_pattern("*", "teardowns"), count=1000))

    def make_channel_renewal_due(self, agent: str) -> None:
        """Set the instant at which the agent's notification channel is renewed to the past."""
        key = self.key(agent, "facts")
        if not key:
            return
        shard = key.partition(":")[0]
        with self.client() as client:
            client.hset(key, "channel_renew_at", "1")
            client.zadd(key.replace(":facts", ":due"), {"channel": 1})
            client.zadd(f"{shard}:timers", {f"{ORGANIZATION}/{agent}": 1})

    def await_leased(self, agent: str, session: str) -> bool:
        """Wait 3 s at most until a process has the lease of this session; tell whether one has."""
        end = time.monotonic() + 3
        while time.monotonic() < end:
            key = self.key(agent, "sessions")
            with self.client() as client:
                if key and json.loads(client.hget(key, session) or "{}").get("leased"):
                    return True
            time.sleep(0.02)
        return False

    # --- the whole store ---

    def check_values(self) -> str | None:
        """Return what the service keeps to recognize its database; None if it has nothing."""
        with self.client() as client:
            values: str | None = client.get(_CHECK_VALUES)
            return values

    @contextlib.contextmanager
    def without_check_values(self) -> Iterator[None]:
        """Take the check values away, and put them back whatever stands there then."""
        with self.client() as client:
            values = client.getdel(_CHECK_VALUES)
            try:
                yield
            finally:
                client.set(_CHECK_VALUES, values)

    @contextlib.contextmanager
    def no_memory(self) -> Iterator[Any]:
        """Let the store refuse every write that needs memory; yield a client."""
        with self.client() as client:
            client.config_set("maxmemory", "1")
            try:
                yield client
            finally:
                client.config_set("maxmemory", "0")

    def count_as_waiting(self, shard: int, sessions: int) -> None:
        """Count so many sessions as waiting in this shard, as one would be left whose records are gone."""
        with self.client() as client:
            client.hset(_waiting_load(shard), f"{ORGANIZATION}/sessions", sessions)

    def counted_as_waiting(self, shard: int) -> int:
        """Return how many sessions are counted as waiting in this shard."""
        with self.client() as client:
            return int(client.hget(_waiting_load(shard), f"{ORGANIZATION}/sessions") or 0)

    def empty_call_tokens(self, at_ms: float) -> int:
        """Let every caller's bucket of calls be empty at this instant; return how many there are."""
        with self.client() as client:
            buckets = list(client.scan_iter("call-tokens:*", count=1000))
            for bucket in buckets:
                client.set(bucket, f"{at_ms:.0f} 0.000", keepttl=True)
            return len(buckets)

    def expire_consents(self) -> None:
        """Remove consents that have begun."""
        self._expire("state:*")

    def expire_checkpoint_turns(self) -> None:
        """Let a worker make the checkpoint that another one has begun: it may have been killed."""
        self._expire("checkpoint-turn:*")

    def _expire(self, pattern: str) -> None:
        """Remove keys: the store's own expiry follows its real clock, not the test clock."""
        with self.client() as client:
            for key in client.scan_iter(pattern, count=1000):
                client.delete(key)

    def dump(self) -> dict[str, Any]:
        """Return every key with its value."""
        with self.client() as client:
            return {key: _value(client, key) for key in client.scan_iter("*", count=1000)}

    def durability_settings(self) -> dict[str, str]:
        """Return what the store's configuration says of durability."""
        with self.client() as client:
            return dict(client.config_get("append*", "maxmemory-policy"))

    def overdue(self, now_ms: float) -> list[str]:
        """Return the agents of whom something is due at this instant."""
        with self.client() as client:
            keys = list(client.scan_iter("*:timers", count=1000))
            return [member for key in keys for member in client.zrangebyscore(key, "-inf", now_ms)]

    def next_due(self) -> float | None:
        """Return when the first agent is due, in milliseconds since 1970; None if nobody is."""
        with self.client() as client:
            keys = list(client.scan_iter("*:timers", count=1000))
            return min(
                (at for key in keys for _, at in client.zrange(key, 0, 0, withscores=True)), default=None
            )

    def unfinished_work(self, now_ms: float) -> list[str]:
        """Describe everything that still waits to be done at this instant; a text changes when work goes on."""
        with self.client() as client:
            keys = client.scan_iter("*", count=1000)
            return sorted(text for key in keys for text in _work(client, key, now_ms))


def _pattern(agent: str, part: str) -> str:
    return f"*:a:{ORGANIZATION}/{agent}:{part}"


def _waiting_load(shard: int) -> str:
    return f"{{s{shard}}}:waiting-load"


def _work(client: Any, key: str, now_ms: float) -> list[str]:
    if key == "rewrite":  # the key stays, with the time of the last rewrite
        requested = client.hexists(key, "since")
        return ["a rewrite of the append-only file is requested"] if requested else []
    match key.rpartition(":")[2]:
        case "waiting":
            return [f"{key}: sealed content of {client.hlen(key)} sessions"]
        case "outbox" | "erased":
            return [f"{key}: {client.zcard(key)} webhooks not sent"]
        case "teardowns":
            return [f"{key}: teardown"]
        case "sessions":
            records = {name: json.loads(text) for name, text in client.hgetall(key).items()}
            return [
                f"{key} {name}: {record['status']}{LEASED if record['leased'] else ''}"
                for name, record in records.items()
                if record["status"] in {"pending", "waiting"} or record["leased"]
            ]
        case "due":  # also of a settled session, which is looked up once more
            return [f"{key} {item}" for item in client.zrange(key, 0, -1) if item.startswith("session:")]
        case "timers":
            due = client.zrangebyscore(key, "-inf", now_ms, withscores=True)
            return [f"{member} is overdue" for member, at in due if now_ms - at > OVERDUE_MS]
    return []


def _value(client: Any, key: str) -> Any:
    match client.type(key):
        case "string":
            return client.get(key)
        case "hash":
            return client.hgetall(key)
        case "set":
            return client.smembers(key)
        case "zset":
            return dict(client.zrange(key, 0, -1, withscores=True))
        case "stream":
            return [entry for _, entry in client.xrange(key)]
    return None
