"""The web process as the server starts it."""

import os
import subprocess
import sys

from tests.support.local_google import LocalGoogle
from tests.support.service import environment

STARTED = """
import gc, os
from calendar_service.web import server

server._application()
print(len(gc.get_objects()), gc.get_freeze_count(), flush=True)
os._exit(0)
"""


def test_garbage_collections_leave_out_what_stands_since_the_start(
    clean_store: str, google_process: LocalGoogle
) -> None:
    """Each full one would look at some 100,000 objects, and all threads would wait for it."""
    variables = environment(clean_store, google_process)
    started = subprocess.run(
        [sys.executable, "-c", STARTED],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    seen, left_out = map(int, started.stdout.split())
    assert left_out > 50_000
    assert seen < left_out / 10
