"""One act of a campaign: a town, a driver, background load, and the way back to rest. Must not judge."""

import contextlib
import json
import random
import tempfile
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import redis

from faults.driver import Driver
from faults.oracle import Evidence
from faults.town import ROOT, Town

FAR_AWAY = 3600.0
"""A timer further ahead than this is no sign of unfinished work."""
CONVERGENCE = 90.0


class NotConvergedError(Exception):
    """Work was left after the faults had ended; the oracle says which."""


class Act:
    """What the kinds of faults work with."""

    def __init__(self, town: Town, seed: int, *, load: int = 2, patience: float = CONVERGENCE) -> None:
        self.patience = patience
        self.town, self.seed = town, seed
        self.driver = Driver(town, seed)
        self.chance = random.Random(seed * 7919 + 1)
        self.counted: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        """Failpoints at which a process ended, by name."""
        self.numbers: Counter[str] = Counter()
        self.stayers = [f"stay-{number}" for number in range(3)]
        self._movers = [f"move-{number}" for number in range(4)]
        self._fresh = 0
        self._named = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="driver")
        self._futures: list[Future[Any]] = []
        self._stop, self._pause = threading.Event(), threading.Event()
        self._load = load
        self._busy: dict[int, bool] = {}
        self._threads: list[threading.Thread] = []
        self.trouble: list[str] = []

    # --- people ---

    def begin(self) -> None:
        """Connect those who stay, and let the load begin."""
        for agent in self.stayers:
            self.driver.surely_connect(agent)
        for number in range(self._load):
            thread = threading.Thread(target=self._work, args=(number,), name=f"load-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stayer(self) -> str:
        """An agent whose connection no fault ends."""
        return self.chance.choice(self.stayers)

    def mover(self) -> str:
        """An agent whose connection may be ended; connected, with one session that stands."""
        agent = self._movers.pop(0)
        self._movers.append(agent)
        self.driver.surely_connect(agent)
        self.driver.surely("put", agent, self.name("before"))
        return agent

    def fresh(self) -> str:
        """An agent who was never here."""
        self._fresh += 1
        return f"fresh-{self._fresh}"

    def name(self, prefix: str = "s") -> str:
        """A session's name that was never used."""
        with self._lock:
            self._named += 1
            return f"{prefix}-{self._named}"

    def standing(self, agent: str | None = None) -> tuple[str, str]:
        """A session that has its event."""
        agent, session = agent or self.stayer(), self.name()
        self.driver.surely("put", agent, session)
        return agent, session

    # --- doing several things at once ---

    def at_once(self, job: Callable[..., Any], *arguments: Any, **named: Any) -> "Future[Any]":
        """Start it beside what goes on."""
        future = self._pool.submit(job, *arguments, **named)
        self._futures.append(future)
        return future

    def gather(self) -> None:
        """Wait for what was started beside."""
        for future in self._futures:
            future.result()
        self._futures.clear()

    def _work(self, number: int) -> None:
        chance = random.Random(self.seed * 31 + number)
        while not self._stop.is_set():
            if self._pause.is_set():
                time.sleep(0.02)
                continue
            self._busy[number] = True
            try:
                self._script(chance)
            except Exception as error:
                self.trouble.append(repr(error))
            self._busy.pop(number)
            self._stop.wait(chance.uniform(0.05, 0.2))

    def _script(self, chance: random.Random) -> None:
        """One session's small life, some answers repeated as a backend repeats them."""
        agent, session = chance.choice(self.stayers), self.name("load")
        for step in chance.choice(
            (["put"], ["put", "put"], ["put", "cancel"], ["put", "put", "cancel"], ["put", "cancel", "put"])
        ):
            version = self.driver.next_version(agent, session)
            for _ in range(chance.choice((1, 3))):
                answer = getattr(self.driver, step)(agent, session, version=version)
                if answer.status not in {0, 500, 503}:
                    break

    # --- the way back ---

    def heal(self) -> None:
        """End every fault; what waits is due a little later."""
        try:
            self.town.all_well()
        except redis.RedisError as error:
            raise RuntimeError("the store does not come back") from error
        self.gather()

    def rest(self) -> float:
        """End faults and load, wait until nothing is left to do; return the seconds that took."""
        self._pause.set()
        self.heal()
        self.town.google.switch(undetected_collisions=False, rotate_refresh_tokens=False)
        began = time.monotonic()
        while time.monotonic() - began < self.patience:
            if not self.unfinished():
                return time.monotonic() - began
            self.town.advance(35)
            time.sleep(0.25)
        raise NotConvergedError("; ".join(self.unfinished()[:5]))

    def unfinished(self) -> list[str]:
        """What still waits, read from the store itself."""
        found = []
        now = self.town.now() * 1000
        client = self.town.store.client
        with contextlib.closing(client):
            for key in client.scan_iter("*", count=1000):
                if key.endswith(":waiting"):
                    found.append(f"{key}: content")
                elif key.endswith((":letters", ":erased")):
                    found.append(f"{key}: not told yet")
                elif key.endswith(":errands"):
                    found.append(f"{key}: errand")
                elif key.endswith(":sessions"):
                    records = {name: json.loads(text) for name, text in client.hgetall(key).items()}
                    found += [
                        f"{key} {name}: {record['status']}"
                        for name, record in records.items()
                        if record["status"] in {"pending", "waiting"} or record["leased"]
                    ]
                elif key.endswith(":timers"):
                    due = client.zrangebyscore(key, "-inf", now, withscores=True)
                    found += [
                        f"{member} due since {now - at:.0f} ms" for member, at in due if now - at > 3000
                    ]
                elif key == "rewrite":
                    found.append("a rewrite is wanted")
        return found

    @contextlib.contextmanager
    def quiet(self) -> Iterator[None]:
        """Let the load rest: the scenario alone is at work."""
        self._pause.set()
        end = time.monotonic() + 15
        while self._busy and time.monotonic() < end:
            time.sleep(0.02)
        try:
            yield
        finally:
            self._pause.clear()

    def end(self) -> None:
        """No more load."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        self._pool.shutdown(wait=True)

    def evidence(self) -> Evidence:
        """Gather what the oracle may look at."""
        lines = [json.loads(line) for line in self.driver.journal.path.read_text("utf-8").splitlines()]
        with contextlib.closing(self.town.store.client) as client:
            dump = {key: _value(client, key) for key in client.scan_iter("*", count=1000)}
            settings = client.config_get("append*", "maxmemory-policy")
        files = b"".join(
            file.read_bytes() for file in sorted((self.town.store.home / "appendonlydir").glob("*.aof"))
        )
        return Evidence(lines, list(self.driver.calls()), self.driver.google_state(), dump, files, settings)


def _value(client: "redis.Redis", key: str) -> Any:
    kind = client.type(key)
    if kind == "string":
        return client.get(key)
    if kind == "hash":
        return client.hgetall(key)
    if kind == "set":
        return client.smembers(key)
    if kind == "zset":
        return dict(client.zrange(key, 0, -1, withscores=True))
    return [entry for _, entry in client.xrange(key)] if kind == "stream" else None


@contextlib.contextmanager
def staged(
    seed: int,
    package_root: Path = ROOT,
    *,
    load: int = 2,
    keep: Path | None = None,
    patience: float = CONVERGENCE,
) -> Any:
    """Yield an act that has begun, in a directory of its own."""
    with contextlib.ExitStack() as stack:
        home = keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True))
        )
        town = stack.enter_context(Town(home, package_root, seed))
        act = Act(town, seed, load=load, patience=patience)
        stack.callback(act.driver.journal.close)
        stack.callback(act.end)
        act.begin()
        yield act


GOOGLE_TROUBLE = (OSError, urllib.error.URLError)
