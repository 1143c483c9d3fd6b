"""Two measurements in large numbers: one refresh an expiry, erasures under clock steps. Must not use product code."""

import contextlib
import hmac
import json
import random
import secrets
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import redis

from faults.act import Act
from faults.campaign import snapshot
from faults.kinds import DAY, HOUR, end_connection
from faults.oracle import LATENESS
from faults.town import ROOT, Town

LOOKED_AGAIN = 600_000.0
"""Milliseconds after which a worker that refused to erase, because clocks differ, looks again."""


@contextlib.contextmanager
def _small_town(seed: int) -> Any:
    with contextlib.ExitStack() as stack:
        package = stack.enter_context(snapshot())
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True))
        town = stack.enter_context(Town(Path(home), package, seed))
        act = Act(town, seed, load=0)
        stack.callback(act.driver.journal.close)
        stack.callback(act.end)
        yield act


def refreshes(expiries: int, processes: int = 8, callers: int = 20) -> int:
    """Let many want a token at each expiry; print the number of refresh calls; return an exit status."""
    with _small_town(1) as act:
        act.driver.surely_connect("agent-1")
        for worker in ("worker0", "worker1"):
            act.town.kill(worker)  # their probes refresh too
        env = act.town.processes["worker0"].env | {"PYTHONPATH": f"{act.town.package_root}:{ROOT}"}
        command = [sys.executable, "-m", "faults.refreshers", str(callers), "agent-1"]
        crowd = [
            subprocess.Popen(
                command,
                env=env,
                text=True,
                cwd=act.town.home,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(processes)
        ]
        served = 0
        try:
            for each in crowd:
                _line(each)
            since = len(act.driver.calls())
            for done in range(expiries):
                act.town.advance(HOUR)
                for each in crowd:
                    assert each.stdin is not None
                    each.stdin.write("go\n")
                    each.stdin.flush()
                served += sum(int(_line(each).split()[0]) for each in crowd)
                if done % 10 == 9:
                    print(f"{done + 1}/{expiries} expiries", flush=True)
        finally:
            for each in crowd:
                each.kill()
                each.communicate()
        calls = [call for call in act.driver.calls()[since:] if call["api_method"] == "oauth2.token"]
    asked = processes * callers * expiries
    print(f"{processes} processes x {callers} callers x {expiries} expiries: {len(calls)} refresh calls")
    print(f"{served} of {asked} callers got a usable token")
    return 0 if len(calls) == expiries and served == asked else 1


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def erasures(count: int, seed: int) -> int:
    """Let many erasures fall due while clocks step; print what was early or late; return an exit status.

    The slots are copies of one that was connected, used and disconnected for real.
    """
    chance = random.Random(seed)
    with _small_town(seed) as act:
        act.driver.surely_connect("agent-1")
        act.driver.surely("put", "agent-1", "s-1")
        end_connection(act, "agent-1")
        act.rest()
        client = act.town.store.client
        places = _Places(act.town.identity_key)
        due = _copies(client, places, count, chance, act.town.now() * 1000)
        erased_before = _erased(client)
        early = late = steps = 0
        disagreed = 0.0
        while due:
            steps += 1
            agree = _step_clocks(act, chance, steps)
            end = time.monotonic() + (20 if agree else 1.0)
            while True:
                gone = [name for name in due if not client.exists(places.key(name, "facts"))]
                now = act.town.now() * 1000
                early += sum(due.pop(name) > now for name in gone)
                if not agree:
                    disagreed = max(disagreed, now + LOOKED_AGAIN)
                over = [name for name, at in due.items() if max(at, disagreed) + LATENESS * 1000 < now]
                if not over or time.monotonic() > end:
                    break
                time.sleep(0.1)
            late += len(over) if agree else 0
            print(f"step {steps}: {count - len(due)}/{count} erased, {early} early, {late} late", flush=True)
        own = not client.exists(places.key("acme/agent-1", "facts"))  # its term came too
        told = _erased(client) - erased_before - own
        left = list(client.scan_iter("*clone-*", count=1000))
        client.close()
    print(
        f"{count} erasures under {steps} clock steps: {early} early, {late} late, {told} journal entries, left: {left}"
    )
    return 0 if not early and not late and told == count and not left else 1


def _step_clocks(act: Act, chance: random.Random, number: int) -> bool:
    """Take one step; false while the workers' clocks and the store's do not agree."""
    if number % 6 == 0:
        for worker in ("worker0", "worker1"):
            act.town.restart(worker, CALENDAR_TEST_SKEW=str(chance.choice((31, -31)) * DAY))
        act.town.advance(chance.choice((HOUR, 6 * HOUR)))
        return False
    if number % 6 == 3:
        act.town.restart("worker0", CALENDAR_TEST_SKEW=str(chance.choice((31, -31, 0.003, -0.003)) * DAY))
        act.town.restart("worker1")
    else:
        act.town.all_well()
    act.town.advance(chance.choice((HOUR, 6 * HOUR, 12 * HOUR, DAY, -1800, -300)))
    return True


class _Places:
    """Where a member's keys lie: in the shard that a key derived from the identity key gives (RFC 5869, one block)."""

    def __init__(self, identity_key: str) -> None:
        self._key = hmac.digest(b64decode(identity_key), b"cs1 shard\x01", "sha256")

    def shard(self, member: str) -> int:
        return hmac.digest(self._key, json.dumps(member.split("/")).encode(), "sha256")[0]

    def key(self, member: str, part: str) -> str:
        return f"{{s{self.shard(member)}}}:a:{member}:{part}"


def _copies(
    client: "redis.Redis", places: _Places, count: int, chance: random.Random, now: float
) -> dict[str, float]:
    source = "acme/agent-1"
    facts: dict[str, str] = client.hgetall(places.key(source, "facts"))
    sessions: dict[str, str] = client.hgetall(places.key(source, "sessions"))
    due: dict[str, float] = {}
    for number in range(count):
        member = f"acme/clone-{number}"
        at = int(now + 2 * DAY * 1000 + chance.random() * 5 * DAY * 1000)
        shard = places.shard(member)
        client.hset(
            places.key(member, "facts"),
            mapping=facts | {"connection_id": secrets.token_hex(16), "erase_due": str(at)},
        )
        client.hset(places.key(member, "sessions"), mapping=sessions)
        client.zadd(places.key(member, "due"), {"erase": at})
        client.zadd(f"{{s{shard}}}:timers", {member: at})
        client.sadd(f"{{s{shard}}}:org:acme", member)
        due[member] = at
    return due


def _erased(client: "redis.Redis") -> int:
    return sum(
        json.loads(fields["entry"])["kind"] == "connection.erased"
        for shard in range(256)
        for _, fields in client.xrange(f"{{s{shard}}}:journal")
    )
