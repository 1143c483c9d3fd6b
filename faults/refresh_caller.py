"""A program: one process whose threads all want a usable access token at once.

Arguments: number of threads, agent. At each line of its input every thread asks the service's own code for a token;
the answer is a line with the number of threads that got one. The local Google's journal shows the refresh calls.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from calendar_service import config, wiring
from calendar_service.domain.names import Agent


def main() -> None:
    """Serve until standard input ends."""
    threads = int(sys.argv[1])
    agent = Agent("acme", sys.argv[2])
    service = wiring.build(config.load(os.environ), "caller")

    def has_token(_: int) -> bool:
        slot = service.store.slots.read(agent)
        grant = service.connection.access.open(slot)
        return bool(service.connection.access.usable(agent, grant).access_token)

    with ThreadPoolExecutor(threads) as pool:
        print("ready", flush=True)
        for _ in sys.stdin:
            try:
                print(sum(pool.map(has_token, range(threads))), flush=True)
            except Exception as error:
                print(f"0 {error!r}", flush=True)


if __name__ == "__main__":
    main()
