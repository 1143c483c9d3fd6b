"""What each part of the throttle is good for: the same load with it and without it, in counts.

    python bench/throttle.py [--case NAME] [--seconds 60] [--seed 1] [--json]

The throttle, its scripts and Valkey are real. Google is a counter of units in a sliding minute, a session is a place in
a list, and time is simulated: the figures depend on the seed alone. Ten organizations schedule a session a second each,
over four web processes and two workers; every fifth is a change, which costs three units. The cases:

    usual     nothing else
    flood     one organization schedules a hundred a second
    busy      all organizations together want more than the rate budget, and one of them floods
    account   one Google account gets twenty sessions a second
    refusal   Google allows a fifth of the rate budget, and one organization schedules forty a second
    away      Google does not answer for a minute

`late` is how long after its acceptance a session stands at Google, for the median and for 99 of 100; `left` is how many
still wait at the end. `trips` are round trips to Valkey besides the three of a PUT: those of requests for each accepted
session, and all of them for each call at Google.
"""

import argparse
import heapq
import json
import math
import os
import random
import sys
import tempfile
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from hashlib import sha1
from pathlib import Path
from statistics import quantiles
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from calendar_service.config.database import database  # noqa: E402
from calendar_service.development.valkey import EmbeddedValkey  # noqa: E402
from calendar_service.domain.clock import MINUTE, SECOND, Clock, Millis  # noqa: E402
from calendar_service.domain.errors import (  # noqa: E402
    AccountRateLimited,
    GoogleError,
    GoogleUnavailable,
    RateLimited,
)
from calendar_service.domain.names import Agent  # noqa: E402
from calendar_service.google.transport import Transport  # noqa: E402
from calendar_service.journeys.sessions.queue import DueSession, fair_order  # noqa: E402
from calendar_service.journeys.throttle.admission import Throttle  # noqa: E402
from calendar_service.journeys.throttle.tokens import ProjectTokens  # noqa: E402
from calendar_service.log import Log  # noqa: E402
from calendar_service.store import keys  # noqa: E402
from calendar_service.store.database import Database  # noqa: E402
from calendar_service.store.deployment import deployment  # noqa: E402
from calendar_service.store.ownership import Ownership  # noqa: E402
from calendar_service.store.rate_budget import LeasedTokens, RateBudgetStore  # noqa: E402
from calendar_service.store.script_loader import Value, load  # noqa: E402
from calendar_service.store.throttle import Limits  # noqa: E402
from calendar_service.wiring import throttle_of  # noqa: E402

WEB, WORKERS = 4, 2
ROUND: Millis = SECOND // 2
RETRY: Millis = 2 * SECOND
HANGING: Millis = 5 * SECOND
BEGIN: Millis = 1_900_000_000_000
FLOODING = "flooding"
OTHERS = tuple(f"organization-{number}" for number in range(9))


# --- the cases ---


@dataclass(frozen=True)
class Case:
    flood: float = 1.0
    """Sessions a second of the one organization."""
    others: float = 1.0
    """The same of each of the others."""
    agents: int = 400
    """Of the one organization, each with an account of its own."""
    call: Millis = 200
    quota: int = 10_000
    away: tuple[Millis, Millis] = (0, 0)


CASES = {
    "usual": Case(),
    "flood": Case(flood=100.0),
    "busy": Case(flood=100.0, others=9.0, call=50),
    "account": Case(flood=20.0, agents=1),
    "refusal": Case(flood=40.0, quota=1_500),
    "away": Case(away=(10 * SECOND, 70 * SECOND)),
}


# --- the throttle without one of its parts ---


class WithoutShares(ProjectTokens):
    def _is_over_its_share(self, *_: Any) -> bool:
        return False


class WithoutEmptyPause(ProjectTokens):
    def fill(self, leased: LeasedTokens, now: Millis) -> None:
        if leased.units:
            super().fill(leased, now)


class WithoutBudget(ProjectTokens):
    def spend(self, *_: Any) -> Any:
        return "ok"


class WithoutHalving(RateBudgetStore):
    def count_refusal(self) -> bool:
        return False


class LeaseForEachCall(RateBudgetStore):
    def lease(self, least: int, accepted: int) -> LeasedTokens:
        limits = self._limits
        units, low = self._database.script(
            "throttle_lease_tokens",
            {"throttle": keys.THROTTLE},
            rate=limits.inline,
            burst=limits.inline // 6,
            least=least,
            most=least,
            accepted=accepted,
        )
        return LeasedTokens(int(units), bool(int(low)))


class LeaseAccountForEachCall(RateBudgetStore):
    def lease_account(self, account_ref: str, least: int) -> int:
        account = {"throttle": keys.throttle_account(account_ref)}
        rate = self._limits.account
        (units,) = self._database.script(
            "throttle_lease_account_tokens", account, rate=rate, least=least, most=least
        )
        return int(units)


def soonest_first(sessions: Iterable[DueSession]) -> list[DueSession]:
    return sorted(sessions, key=lambda session: (session.start, session.session))


@dataclass(frozen=True)
class Variant:
    cases: tuple[str, ...]
    """Where the part that is left out could matter."""
    limits: dict[str, int] = field(default_factory=dict)
    tokens: type[ProjectTokens] = ProjectTokens
    store: type[RateBudgetStore] = RateBudgetStore
    order: Callable[[Iterable[DueSession]], list[DueSession]] = fair_order
    knows_accounts: bool = True


VARIANTS = {
    "all of it": Variant(tuple(CASES)),
    "no share": Variant(("flood", "busy"), tokens=WithoutShares),
    "no fair order": Variant(("flood", "busy"), order=soonest_first),
    "no budget for requests": Variant(("flood", "busy"), tokens=WithoutBudget),
    "no pause after an empty lease": Variant(("flood", "busy"), tokens=WithoutEmptyPause),
    "a lease for each call": Variant(("usual", "flood", "busy"), store=LeaseForEachCall),
    "an account's lease for each call": Variant(
        ("usual", "account"), store=LeaseAccountForEachCall, limits={"own": 0}
    ),
    "no limit of accounts": Variant(("account",), knows_accounts=False),
    "no halving": Variant(("refusal",), store=WithoutHalving),
    "no breaker": Variant(("away",), limits={"tolerated": 1_000_000}),
    "a backlog drains at once": Variant(("flood", "away"), limits={"least_drain": 2_500}),
}


# --- the simulation ---


class SimulatedClock(Clock):
    """Stands still between two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.at = BEGIN

    def now(self) -> Millis:
        return self.at

    def offset(self) -> Millis:
        return self.at


class SimulatedTransport(Transport):
    """Has no deadline: it would run by real time, and the requests of a process share one thread here."""

    def time_left(self) -> float:
        return math.inf


class SimulatedDatabase(Database):
    """Runs the scripts by the simulated clock alone: the server's own time is left out of them."""

    def script(self, name: str, named_keys: Mapping[str, str], /, **arguments: Value) -> list[Any]:
        script = load(name)
        text = script.text.replace("redis.call('TIME')", "{0, 0}")
        timeless = replace(script, text=text, digest=sha1(text.encode(), usedforsecurity=False).hexdigest())
        values = (self.clock.offset(), *script.argument_list(arguments))
        return self._run(timeless, script.key_list(named_keys), values)


class Google:
    """Counts units as Google does: in a sliding minute, by project and by account (600)."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.project: deque[Millis] = deque()
        self.accounts: dict[str, deque[Millis]] = defaultdict(deque)
        self.calls, self.most = 0, 0
        self.failures: Counter[str] = Counter()

    def call(self, now: Millis, session: DueSession) -> None:
        self.calls += 1
        if self.is_away(now):
            self.failures["unanswered"] += 1
            raise GoogleUnavailable("away", ambiguous=True)
        account = self.accounts[session.account]
        for window in (self.project, account):
            while window and window[0] <= now - MINUTE:
                window.popleft()
        if len(self.project) + session.cost > self.case.quota:
            self.failures["refused"] += 1
            raise RateLimited("project")
        if len(account) + session.cost > 600:
            self.failures["account refused"] += 1
            raise AccountRateLimited("account")
        for window in (self.project, account):
            window.extend([now] * session.cost)
        self.most = max(self.most, len(self.project))

    def is_away(self, now: Millis) -> bool:
        start, end = self.case.away
        return start <= now - BEGIN < end


@dataclass
class Waiting:
    session: DueSession
    since: Millis
    retry_at: Millis = 0


class Simulation:
    """One case with one variant."""

    def __init__(self, url: str, case: Case, variant: Variant, seed: int, log: Log) -> None:
        self.case, self.variant, self.random = case, variant, random.Random(seed)
        self.clock = SimulatedClock()
        self.database = SimulatedDatabase(deployment(database(url)), self.clock, lambda _: 0)
        self.database.client.flushdb()
        self.google = Google(case)
        limits, ownership = Limits(**variant.limits), Ownership(self.database, "", "")
        self.throttles = [
            throttle_of(self.database, ownership, SimulatedTransport(), limits, log, self.clock)
            for _ in range(WEB + WORKERS)
        ]
        for throttle in self.throttles:
            throttle.budget._project = variant.tokens()  # noqa: SLF001 - the part that is left out
            throttle.budget._store = variant.store(self.database, limits)  # noqa: SLF001
        self.under_way: list[tuple[Millis, int, ExitStack, Throttle, Waiting]] = []
        self.waiting: dict[str, Waiting] = {}
        self.late: dict[bool, list[Millis]] = {True: [], False: []}
        self.accepted: Counter[bool] = Counter()
        self.inline: Counter[bool] = Counter()
        self.trips_of_requests = 0

    @property
    def now(self) -> Millis:
        return self.clock.at

    def run(self, seconds: int) -> None:
        steps: list[tuple[Millis, Callable[[], None]]] = []
        for organization in (*OTHERS, FLOODING):
            at, rate = 0.0, self.case.flood if organization == FLOODING else self.case.others
            while (at := at + self.random.expovariate(rate)) < seconds:
                steps.append((BEGIN + int(at * SECOND), lambda name=organization: self.accept(name)))
        for number in range(seconds * SECOND // ROUND):
            at_once = BEGIN + number * ROUND
            steps += [(at_once, lambda worker=worker: self.work(worker)) for worker in range(WORKERS)]
        for at, step in sorted(steps, key=lambda entry: entry[0]):
            self.finish_until(at)
            self.clock.at = at
            step()
        self.finish_until(BEGIN + seconds * SECOND)

    def accept(self, organization: str) -> None:
        number, is_flood = self.accepted.total(), organization == FLOODING
        agent = Agent(organization, str(self.random.randrange(self.case.agents if is_flood else 400)))
        start = BEGIN + self.random.randrange(30 * 24 * 60) * MINUTE
        cost = 3 if number % 5 == 4 else 1
        waiting = Waiting(
            DueSession(agent, f"{number:09}", start, cost, f"{organization}/{agent.agent}"), self.now
        )
        self.accepted[is_flood] += 1
        throttle = self.throttles[self.random.randrange(WEB)]
        state = throttle.breaker.state()  # comes with the session: no round trip of its own
        before, stack = self.database.round_trips, ExitStack()
        account = self.account(waiting.session)
        admission = stack.enter_context(throttle.inline_slot(state, organization, account, cost))
        self.trips_of_requests += self.database.round_trips - before
        if admission == "go":
            self.inline[is_flood] += 1
            end = self.now + (HANGING if self.google.is_away(self.now) else self.case.call)
            heapq.heappush(self.under_way, (end, number, stack, throttle, waiting))
        else:
            stack.close()
            self.waiting[waiting.session.session] = waiting

    def finish_until(self, at: Millis) -> None:
        """Let the calls of requests end that end until then."""
        while self.under_way and self.under_way[0][0] <= at:
            end, _, stack, throttle, waiting = heapq.heappop(self.under_way)
            self.clock.at = end
            self.call(throttle, waiting)
            stack.close()

    def work(self, worker: int) -> None:
        """Let a worker make one round over its half of the agents."""
        throttle = self.throttles[WEB + worker]
        due = [
            one.session
            for one in self.waiting.values()
            if int(one.session.agent.agent) % WORKERS == worker and one.retry_at <= self.now
        ]
        for session in self.variant.order(due):
            answer = throttle.admit(self.account(session), session.cost)
            if answer == "wait":
                break
            if answer == "go":
                self.call(throttle, self.waiting[session.session])

    def call(self, throttle: Throttle, waiting: Waiting) -> None:
        session = waiting.session
        try:
            with throttle.calling(session.account):
                self.google.call(self.now, session)
        except GoogleError as trouble:
            if isinstance(trouble, RateLimited):
                throttle.account_limited(self.account(session))
            waiting.retry_at = self.now + RETRY
            self.waiting[session.session] = waiting
            return
        self.waiting.pop(session.session, None)
        self.late[session.agent.organization == FLOODING].append(self.now - waiting.since)

    def account(self, session: DueSession) -> str:
        return session.account if self.variant.knows_accounts else ""

    def figures(self, seconds: int) -> Iterator[str]:
        for is_flood in (False, True):
            left = [
                self.now - one.since
                for one in self.waiting.values()
                if (one.session.agent.organization == FLOODING) is is_flood
            ]
            cuts = quantiles([*self.late[is_flood], *left, 0, 0], n=100)
            yield f"{100 * self.inline[is_flood] / self.accepted[is_flood]:.0f} %"
            yield f"{cuts[49] / SECOND:.1f} / {cuts[98] / SECOND:.1f} s"
            yield str(len(left))
        yield f"{self.google.calls / seconds:.0f}"
        yield str(self.google.most)
        yield ", ".join(f"{count} {name}" for name, count in self.google.failures.items()) or "none"
        trips = self.database.round_trips - self.accepted.total()
        yield f"{self.trips_of_requests / self.accepted.total():.2f} / {trips / self.google.calls:.2f}"


HEAD = (
    "without", "others: inline", "others: late 50 / 99 %", "others: left", "the one: inline",
    "the one: late 50 / 99 %", "the one: left",
    "calls/s", "most units/min", "failed calls", "trips: session / call",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", choices=CASES, help="one case instead of all")
    parser.add_argument("--seconds", type=int, default=60, help="simulated seconds (the case `away`: 120)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print an object instead of the tables")
    options, rows = parser.parse_args(), list[dict[str, str]]()
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        valkey = stack.enter_context(EmbeddedValkey(Path(home)))
        log = Log("bench", stack.enter_context(Path(os.devnull).open("w", encoding="utf-8")))
        for name in [options.case] if options.case else CASES:
            seconds = max(options.seconds, 120) if name == "away" else options.seconds
            if not options.json:
                print(f"\n## {name}, {seconds} s\n\n| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
            for part, variant in VARIANTS.items():
                if name in variant.cases:
                    simulation = Simulation(valkey.url, CASES[name], variant, options.seed, log)
                    simulation.run(seconds)
                    row = (part, *simulation.figures(seconds))
                    rows.append({"case": name} | dict(zip(HEAD, row, strict=True)))
                    if not options.json:
                        print(f"| {' | '.join(row)} |", flush=True)
    if options.json:
        print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
