"""A measurement: many erasures fall due while clocks are moved, and none may be early or late.

The slots are copies of one that was connected, used and disconnected for real.
"""

import hmac
import json
import random
import secrets
import time
from base64 import b64decode
from typing import Any

from faults.checker import LATENESS
from faults.episode import Episode
from faults.measured_episode import quiet_episode
from faults.scenarios.times import DAY, HOUR
from faults.service_processes import WORKERS

SOURCE = "acme/agent-1"
REFUSAL_MS = 600_000.0
"""Milliseconds after which a worker tries again that refused to erase because its clock and the store's differ."""


def run(count: int, seed: int) -> int:
    """Print how many erasures were early or late; return the exit status, 0 if none was."""
    with quiet_episode(seed) as episode:
        episode.browser.ensure_connected("agent-1")
        episode.backend.send_until_answered("put", "agent-1", "s-1")
        episode.administrator.disconnect_until_acknowledged("agent-1")
        episode.converge()
        with episode.store.client() as client:
            measurement = _Measurement(episode, client, random.Random(seed), count)
            measurement.run()
            logged, left = measurement.logged_erasures(), measurement.left()
    print(
        f"{count} erasures under {measurement.steps} clock steps: {measurement.early} early, "
        f"{measurement.late} late, {logged} entries in the audit log, left: {left}"
    )
    is_good = not measurement.early and not measurement.late and logged == count and not left
    return 0 if is_good else 1


class _Measurement:
    """The erasures that are due, step by step of the clocks."""

    def __init__(self, episode: Episode, client: Any, rng: random.Random, count: int) -> None:
        self._episode, self._client, self._rng, self._count = episode, client, rng, count
        self._places = _Places(episode.cluster.identity_key)
        self._due = _copy_slots(client, self._places, count, rng, self._now_ms())
        self._logged_before = _logged_erasures(client)
        self._refused_until = 0.0
        self.steps = self.early = self.late = 0

    def run(self) -> None:
        """Move the clocks until every slot is erased or late."""
        while self._due:
            self.steps += 1
            clocks_agree = _move_clocks(self._episode, self._rng, self.steps)
            overdue = self._await_erasures(clocks_agree=clocks_agree)
            self.late += overdue if clocks_agree else 0
            gone = f"{self._count - len(self._due)}/{self._count} erased"
            print(f"step {self.steps}: {gone}, {self.early} early, {self.late} late", flush=True)

    def _await_erasures(self, *, clocks_agree: bool) -> int:
        """Wait until nothing is overdue, 20 s at most, 1 s while clocks differ; return what is overdue."""
        end = time.monotonic() + (20 if clocks_agree else 1.0)
        while True:
            erased = [
                member for member in self._due if not self._client.exists(self._places.key(member, "facts"))
            ]
            now = self._now_ms()
            self.early += sum(self._due.pop(member) > now for member in erased)
            if not clocks_agree:
                self._refused_until = max(self._refused_until, now + REFUSAL_MS)
            latest = LATENESS * 1000
            overdue = sum(max(at, self._refused_until) + latest < now for at in self._due.values())
            if not overdue or time.monotonic() > end:
                return overdue
            time.sleep(0.1)

    def _now_ms(self) -> float:
        return self._episode.clock.now() * 1000

    def logged_erasures(self) -> int:
        """Return the copies' erasures in the audit log; the source may have been erased too."""
        source_erased = not self._client.exists(self._places.key(SOURCE, "facts"))
        return _logged_erasures(self._client) - self._logged_before - source_erased

    def left(self) -> list[str]:
        """Return the copies' keys that are left."""
        return list(self._client.scan_iter("*clone-*", count=1000))


def _move_clocks(episode: Episode, rng: random.Random, number: int) -> bool:
    """Move the clocks once; false while the workers' clocks and the store's differ too much for an erasure."""
    if number % 6 == 0:
        for worker in WORKERS:
            _restart_with_clock_error(episode, worker, rng.choice((31, -31)))
        episode.clock.advance(rng.choice((HOUR, 6 * HOUR)))
        return False
    if number % 6 == 3:
        _restart_with_clock_error(episode, "worker0", rng.choice((31, -31, 0.003, -0.003)))
        episode.processes.restart("worker1")
    else:
        episode.cluster.restore()
    episode.clock.advance(rng.choice((HOUR, 6 * HOUR, 12 * HOUR, DAY, -1800, -300)))
    return True


def _restart_with_clock_error(episode: Episode, worker: str, days: float) -> None:
    episode.processes.restart(worker, extra_env={"CALENDAR_TEST_SKEW": str(days * DAY)})


class _Places:
    """Where a member's keys lie: in the shard that a key derived from the identity key gives (RFC 5869, one block)."""

    def __init__(self, identity_key: str) -> None:
        self._key = hmac.digest(b64decode(identity_key), b"cs1 shard\x01", "sha256")

    def shard(self, member: str) -> str:
        number = hmac.digest(self._key, json.dumps(member.split("/")).encode(), "sha256")[0]
        return f"{{s{number}}}"

    def key(self, member: str, part: str) -> str:
        return f"{self.shard(member)}:a:{member}:{part}"


def _copy_slots(
    client: Any, places: _Places, count: int, rng: random.Random, now_ms: float
) -> dict[str, float]:
    """Copy the source's slot, each copy with a due instant of its own, two to seven days ahead; return the instants."""
    facts = client.hgetall(places.key(SOURCE, "facts"))
    sessions = client.hgetall(places.key(SOURCE, "sessions"))
    due: dict[str, float] = {}
    for number in range(count):
        member = f"acme/clone-{number}"
        at = int(now_ms + 2 * DAY * 1000 + rng.random() * 5 * DAY * 1000)
        own = {"connection_id": secrets.token_hex(16), "end_erase_due": str(at)}
        client.hset(places.key(member, "facts"), mapping=facts | own)
        client.hset(places.key(member, "sessions"), mapping=sessions)
        client.zadd(places.key(member, "due"), {"erase": at})
        client.zadd(f"{places.shard(member)}:timers", {member: at})
        client.sadd(f"{places.shard(member)}:org:acme", member)
        due[member] = at
    return due


def _logged_erasures(client: Any) -> int:
    return sum(
        json.loads(fields["entry"])["kind"] == "connection.erased"
        for shard in range(256)
        for _, fields in client.xrange(f"{{s{shard}}}:audit-log")
    )
