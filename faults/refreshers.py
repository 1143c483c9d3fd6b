"""One process of many that want a fresh token at once. Counts nothing: the local Google's journal does."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from calendar_service import config, wiring
from calendar_service.domain.names import Agent


def main() -> None:
    """At each line on standard input, let so many callers ask for a usable token; answer with a line."""
    callers = int(sys.argv[1])
    agent = Agent("acme", sys.argv[2])
    service = wiring.build(config.load(os.environ), "caller")
    grants = service.schedule.grants

    def ask(_: int) -> bool:
        slot = service.slots.read(agent)
        grant = grants.open(agent, slot.facts.connection_id, slot.grant)
        return bool(service.access.usable(agent, grant).access_token)

    with ThreadPoolExecutor(callers) as pool:
        print("ready", flush=True)
        for _ in sys.stdin:
            try:
                print(sum(pool.map(ask, range(callers))), flush=True)
            except Exception as error:
                print(f"0 {error!r}", flush=True)


if __name__ == "__main__":
    main()
