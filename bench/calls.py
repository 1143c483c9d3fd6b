"""Function calls, round trips and Google calls of one request, by kind of request and by package.

    python bench/calls.py [--packages] [--json]      # --packages: also where a reschedule's calls are made

Counts, not times: they are the same on a busy machine. A call is one of a Python function or of a C function from
Python, as cProfile counts them, in the thread that serves the request. Application and counting share one process;
Valkey and the local Google are real, in processes of their own. The service's own limits are lifted.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from cProfile import Profile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from pstats import Stats
from typing import Any

from werkzeug.test import EnvironBuilder

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from trips import Caller, require  # noqa: E402

from calendar_service import config as configuration  # noqa: E402
from calendar_service.development.valkey import EmbeddedValkey  # noqa: E402
from calendar_service.domain.names import Agent  # noqa: E402
from calendar_service.wiring import build  # noqa: E402
from tests.conftest import MovableClock  # noqa: E402
from tests.support.local_google import LocalGoogle  # noqa: E402
from tests.support.service import BACKEND_KEY, CLIENTS, PUBLIC_URL, TestService, environment  # noqa: E402

REQUESTS = 20
SESSIONS = "/v1/organizations/acme/agents/ana/sessions"


@dataclass(frozen=True)
class Counts:
    """What one request of a kind takes."""

    kind: str
    calls: float
    round_trips: float
    google_calls: float
    packages: Counter[str]


def request(method: str, number: int, minutes: int) -> dict[str, Any]:
    """Return a backend's request on the session of this number, as a WSGI environment."""
    start = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=3, minutes=minutes)
    body = {
        "start": start.isoformat(),
        "end": (start + timedelta(hours=1)).isoformat(),
        "time_zone": "America/Santiago",
        "title": "Sesión de video",
        "description": "What was agreed. " * 6,
        "by": "agent",
    }
    headers = {"Authorization": f"Bearer {BACKEND_KEY}"}
    more = {"data": json.dumps(body), "content_type": "application/json"} if method == "PUT" else {}
    path = f"{SESSIONS}/s{number}" + ("" if method == "PUT" else "?by=agent")
    return EnvironBuilder(path, PUBLIC_URL, method=method, headers=headers, **more).get_environ()


def counted(kind: str, service: TestService, app: Any, requests: list[dict[str, Any]]) -> Counts:
    """Serve the requests, and count."""
    database, before, profile = service.parts.store.database, len(service.calls()), Profile()
    trips = database.round_trips
    for environ in requests:
        started: list[str] = []
        profile.enable()
        body = b"".join(app(environ, lambda status, _headers, begun=started: begun.append(status)))
        profile.disable()
        require(started[0][:3] in {"200", "201"}, f"{kind}: {started[0]} {body.decode()}")
    many = len(requests)
    stats = Stats(profile)
    google = len(service.calls(since=before))
    trips = database.round_trips - trips
    return Counts(kind, stats.total_calls / many, trips / many, google / many, _by_package(stats, many))  # type: ignore[attr-defined]


def _by_package(stats: Stats, many: int) -> Counter[str]:
    """Return the calls of each package's functions, and of the C functions that they call."""
    packages: Counter[str] = Counter()
    for (file, _, _), (_, _, _, _, callers) in stats.stats.items():  # type: ignore[attr-defined]
        for (caller, _, _), counts in callers.items():
            packages[_package(caller if file in {"~", "<string>"} else file)] += counts[0] / many
    return packages


def _package(file: str) -> str:
    if installed := re.search(r"site-packages/([^/]+)", file):
        return installed[1]
    if own := re.search(r"calendar_service/(\w+)", file):
        return f"calendar_service/{own[1]}"
    return "standard library"


def measured() -> list[Counts]:
    """Serve each kind of request over servers of their own, after a first round that imports and connects."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clock = MovableClock(home / "clock")
        clock.path.write_text("0", "ascii")
        valkey = stack.enter_context(EmbeddedValkey(home))
        google = stack.enter_context(LocalGoogle.start(clients=CLIENTS, clock_file=clock.path))
        # No test clock in the service: reading its file would be counted.
        variables = environment(valkey.url, google) | {"CALENDAR_TEST_LIMITS": "off"}
        service = TestService(build(configuration.load(variables)), google, clock, variables)
        service.parts.store.ownership.begin()
        stack.callback(service.close)
        caller = Caller(service)
        caller.connect(Agent("acme", "ana"))
        caller.work()
        kinds: dict[str, Callable[[int], dict[str, Any]]] = {
            "create": lambda number: request("PUT", number, number),
            "reschedule": lambda number: request("PUT", number, number + 5),
            "equal PUT": lambda number: request("PUT", number, number + 5),
            "cancel": lambda number: request("DELETE", number, 0),
        }
        for kind, of in kinds.items():
            counted(kind, service, caller.app, [of(0)])
        return [
            counted(kind, service, caller.app, [of(number) for number in range(1, REQUESTS + 1)])
            for kind, of in kinds.items()
        ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packages", action="store_true", help="also where a reschedule's calls are made")
    parser.add_argument("--json", action="store_true", help="print an object instead of the tables")
    options = parser.parse_args()
    log, sys.stderr = sys.stderr, open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - the service logs there
    try:
        rows = measured()
    finally:
        sys.stderr.close()
        sys.stderr = log
    if options.json:
        print(json.dumps({"requests": [asdict(row) for row in rows]}))
        return
    print("| request | function calls | round trips | calls at Google |")
    print("|---|---|---|---|")
    for row in rows:
        print(f"| {row.kind} | {row.calls:,.0f} | {row.round_trips:g} | {row.google_calls:g} |")
    if options.packages:
        print("\n| package | function calls of a reschedule |")
        print("|---|---|")
        for package, count in rows[1].packages.most_common(20):
            print(f"| {package} | {count:,.0f} |")


if __name__ == "__main__":
    main()
