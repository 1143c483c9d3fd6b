"""One episode: a new cluster, a driver, background load, and the way back to a healthy cluster.

Scenarios take an `Episode`. It does not judge; `faults.checker` does, from `Episode.evidence`.
"""

import contextlib
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import redis

from faults import http_checker
from faults.checker import EpisodeEvidence
from faults.cluster import BACKEND_KEY, ServiceCluster
from faults.driver.administrator import AdministratorDriver
from faults.driver.backend import ORGANIZATION, BackendDriver
from faults.driver.browser import BrowserDriver
from faults.driver.client import ServiceClient
from faults.driver.google import GoogleDriver
from faults.driver.journal import DriverJournal
from faults.driver.program import PersonProgram
from faults.errors import NotConvergedError
from faults.http_checker import Addresses, HttpEvidence
from faults.jobs import BackgroundJobs
from faults.load import BackgroundLoad
from faults.paths import ROOT
from faults.store_view import LEASED, StoreView

CONVERGENCE = 90.0
"""Seconds after the last fault within which all work has to be done."""
_IDLE, _IDLE_LEASED = 0.7, 2.5
"""Seconds without a change after which nobody is at work: a worker rests for half a second; a leased session may be at
Google for so long."""
_SHORTEST_STEP, _LONGEST_STEP = 35.0, 300.0
"""Seconds by which convergence moves the clock at a time: past every lease, or to what is due next."""


class Measurements:
    """What scenarios count beside the faults."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self.step_exits: Counter[str] = Counter()
        """How often a process ended at each named step of the service."""
        self.maxima: Counter[str] = Counter()

    def record_maximum(self, name: str, value: int) -> None:
        """Keep the largest of the values."""
        self.maxima[name] = max(self.maxima[name], value)


class Episode:
    """What a scenario works with: the cluster's parts, the driver's parts, agents and sessions."""

    def __init__(
        self, cluster: ServiceCluster, seed: int, *, load: int = 2, patience: float = CONVERGENCE
    ) -> None:
        self.cluster, self.seed, self.patience = cluster, seed, patience
        self.clock, self.keyring = cluster.clock, cluster.keyring
        self.processes, self.proxy, self.stores = cluster.processes, cluster.proxy, cluster.stores
        self.webhooks = cluster.webhooks
        self.store = StoreView(cluster.stores.client)
        self.journal = DriverJournal(cluster.home / "driver.jsonl", cluster.clock)
        driver_rng = random.Random(seed)
        self.client = ServiceClient(cluster.processes.ports, driver_rng)
        self.backend = BackendDriver(self.client, self.journal)
        self.administrator = AdministratorDriver(self.client, self.journal)
        self.google = GoogleDriver(cluster.google, self.journal)
        self.program = PersonProgram(self.google, self.journal)
        self.browser = BrowserDriver(
            self.client, self.journal, self.backend, self.administrator, self.google, cluster.clock, driver_rng
        )  # fmt: skip
        self.rng = random.Random(seed * 7919 + 1)
        """Makes every choice of a scenario."""
        self.measurements = Measurements()
        self.stable_agents = [f"stable-{number}" for number in range(3)]
        self._churning_agents = [f"churning-{number}" for number in range(4)]
        self._new_agents = self._sessions = 0
        self._lock = threading.Lock()
        self.jobs = BackgroundJobs()
        self._load_threads = load
        self.load = BackgroundLoad(self.backend, self.stable_agents, self.new_session)

    def begin(self) -> None:
        """Connect the stable agents and start the load."""
        for agent in self.stable_agents:
            self.browser.ensure_connected(agent)
        self.load.start(self.seed, self._load_threads)

    # --- agents and sessions ---

    def stable_agent(self) -> str:
        """Return an agent whose connection no scenario ends."""
        return self.rng.choice(self.stable_agents)

    def churning_agent(self) -> str:
        """Return an agent whose connection a scenario may end; it is connected and has one scheduled session."""
        agent = self._churning_agents.pop(0)
        self._churning_agents.append(agent)
        self.browser.ensure_connected(agent)
        self.backend.send_until_answered("put", agent, self.new_session("before"))
        return agent

    def new_agent(self) -> str:
        """Return an agent who was never connected."""
        self._new_agents += 1
        return f"new-{self._new_agents}"

    def new_session(self, prefix: str = "s") -> str:
        """Return a session's name that was never used."""
        with self._lock:
            self._sessions += 1
            return f"{prefix}-{self._sessions}"

    def scheduled_session(self) -> tuple[str, str]:
        """Return a stable agent and a session of it that has its event."""
        agent, session = self.stable_agent(), self.new_session()
        self.backend.send_until_answered("put", agent, session)
        return agent, session

    def agent_beside_the_load(self) -> tuple[str, str] | None:
        """Return a connected agent whom the load leaves alone, and its calendar's id; None if it does not come."""
        agent, session = self.churning_agent(), self.new_session()
        self.backend.send_until_answered("put", agent, session)
        event = self.google.event_of(agent, session)
        return (agent, event[0]) if event else None

    def await_statuses(
        self, agent: str, sessions: Sequence[str], wanted: Sequence[str], *, step: float, steps: int
    ) -> list[str]:
        """Wait until these sessions have these statuses, moving the clock so many times; return the last statuses."""
        for _ in range(steps):
            statuses = [self.backend.status_and_reason(agent, session)[0] for session in sessions]
            if statuses == list(wanted):
                break
            self.clock.advance(step)
            time.sleep(0.25)
        return statuses

    def await_settled(self) -> None:
        """Wait until nothing is left to do, 20 s at most, moving the clock."""
        end = time.monotonic() + 20
        while self.unfinished_work() and time.monotonic() < end:
            self.clock.advance(35)
            time.sleep(0.25)

    # --- several requests at once ---

    def put_in_background(self, count: int, **options: Any) -> None:
        """Start the creation of so many sessions of stable agents."""
        for _ in range(count):
            self.jobs.start(self.backend.put, self.stable_agent(), self.new_session(), **options)

    def put_at_once(self, count: int, **options: Any) -> None:
        """Create so many sessions at the same time, and wait for the responses."""
        self.put_in_background(count, **options)
        self.jobs.wait()

    # --- ends of faults ---

    def restore(self) -> None:
        """End every fault and wait for the background."""
        try:
            self.cluster.restore()
        except redis.RedisError as error:
            raise RuntimeError("the store does not come back") from error
        self.jobs.wait()

    def converge(self) -> float:
        """End faults and load, wait until nothing is left to do; return the seconds that this took.

        The clock is moved only while nothing goes on: past the lease of a process that is at work it would make a late
        write, which is looked for five minutes later, and a slow machine would not come to an end.
        """
        self.load.pause()
        self.restore()
        self.google.switch(undetected_collisions=False, rotate_refresh_tokens=False)
        began = last_change = time.monotonic()
        before: list[str] = []
        while time.monotonic() - began < self.patience:
            work = self.unfinished_work()
            if not work:
                return time.monotonic() - began
            if work != before:
                before, last_change = work, time.monotonic()
            elif time.monotonic() - last_change > (
                _IDLE_LEASED if any(LEASED in text for text in work) else _IDLE
            ):
                self.clock.advance(self._seconds_to_next_due())
                before = []
            time.sleep(0.1)
        raise NotConvergedError("; ".join(self.unfinished_work()[:5]))

    def _seconds_to_next_due(self) -> float:
        at = self.store.next_due()
        return min(max(_SHORTEST_STEP, at / 1000 - self.clock.now()), _LONGEST_STEP) if at else _LONGEST_STEP

    def unfinished_work(self) -> list[str]:
        """Describe what still waits to be done, as the store's records say."""
        return self.store.unfinished_work(self.clock.now() * 1000)

    def end(self) -> None:
        """End the load and close the journal."""
        self.load.stop()
        self.jobs.close()
        self.journal.close()

    def http_evidence(self, tries: int = 40) -> HttpEvidence:
        """Read what the second checker compares. `tries`: how often a read is sent that the service does not answer."""
        web = self.client.any_web()
        addresses = Addresses(
            service=self.client.address(web), host=self.client.host, key=BACKEND_KEY, organization=ORGANIZATION,
            google=self.google.server.url, tries=tries,
        )  # fmt: skip
        return http_checker.read(addresses, self.journal.lines(), self.webhooks.accepted)

    def evidence(self) -> EpisodeEvidence:
        """Collect what the checker may see."""
        return EpisodeEvidence(
            lines=self.journal.lines(),
            calls=list(self.google.calls()),
            google=self.google.state(),
            store=self.store.dump(),
            append_only_text=self.stores.append_only_text(),
            durability_settings=self.store.durability_settings(),
        )


@contextlib.contextmanager
def begun_episode(
    seed: int,
    package_root: Path = ROOT,
    *,
    load: int = 2,
    keep: Path | None = None,
    patience: float = CONVERGENCE,
    cluster_of: type[ServiceCluster] = ServiceCluster,
) -> Iterator[Episode]:
    """Yield an episode that has begun; its directory is `keep`, or one that is removed at the end."""
    with contextlib.ExitStack() as stack:
        home = keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True))
        )
        cluster = stack.enter_context(cluster_of(home, package_root, seed))
        episode = Episode(cluster, seed, load=load, patience=patience)
        stack.callback(episode.end)
        episode.begin()
        yield episode
