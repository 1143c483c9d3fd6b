"""What the metrics cost: CPU of one recorded duration, and of making the text of /metrics without the database.

python bench/metrics.py [--json]
"""

import argparse
import json
import sys
from pathlib import Path
from time import thread_time

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from calendar_service.durations import REQUESTS, Durations, status_class  # noqa: E402

ROUTES, RECORDED = 60, 100_000


class _Alone:
    """A collector of one histogram."""

    def __init__(self, durations: Durations) -> None:
        self._durations = durations

    def collect(self):
        yield self._durations.family()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print an object instead of lines")
    options = parser.parse_args()
    durations = Durations(REQUESTS)
    routes = [f"/v1/organizations/<organization>/agents/<agent>/{number}" for number in range(ROUTES)]
    begin = thread_time()
    for number in range(RECORDED):
        durations.record(0.004, routes[number % ROUTES], "PUT", status_class(200))
    recorded = (thread_time() - begin) / RECORDED
    registry = CollectorRegistry()
    registry.register(_Alone(durations))
    begin = thread_time()
    text = generate_latest(registry)
    duration = thread_time() - begin
    if options.json:
        print(json.dumps({"duration_us": recorded * 1e6, "text_ms": duration * 1e3, "text_bytes": len(text)}))
        return
    print(f"one duration      {recorded * 1e6:6.1f} µs of CPU")
    print(f"text of {ROUTES} routes {duration * 1e3:6.1f} ms of CPU, {len(text) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
