"""The web process: the Granian server with its limits around the application."""

import gc
import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from calendar_service import wiring
from calendar_service.config import Config, load
from calendar_service.health.readiness import Readiness
from calendar_service.log import SILENT_GRANIAN, Log, capture_all
from calendar_service.processes import parent_death
from calendar_service.store.waiting_load import READ_EVERY
from calendar_service.web import background
from calendar_service.web.app import create_app
from calendar_service.web.callers import Callers
from calendar_service.web.fair_slots import FairSlots
from calendar_service.web.request_slots import PROBING, WAITING, RequestSlots

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HEADER_BYTES = 64 * 1024
"""The most bytes of a request's line and headers. The application limits the body."""
HEADER_MILLISECONDS = 10_000
"""How long a client may take to send its headers."""
TURN_SECONDS = 0.0005
"""For how long a thread keeps the interpreter while others want it. A request waits for it after each answer of the
database, so with Python's 5 ms one thread that computes makes a request of ten such waits 50 ms longer."""
STOP_SECONDS = 8
"""How long requests under way may still take after SIGTERM."""


def serve(config: Config, host: str) -> None:
    """Serve until SIGTERM or SIGINT, in one worker process with blocking threads; then exit.

    There is no access log: paths contain tickets and agents' names (law 9).
    """
    capture_all(Log("web"))
    server = Granian(
        target="calendar_service",
        address=host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=wiring.THREADS + WAITING + PROBING,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS, max_buffer_size=HEADER_BYTES),
        websockets=False,
        # At each start its logger `_granian` warns that our threads are many for this host, which helps nobody.
        log_level=LogLevels.error,
        log_dictconfig=SILENT_GRANIAN,
        log_access=False,
        workers_kill_timeout=STOP_SECONDS,
    )
    server.serve(target_loader=_application, wrap_loader=False)


def _application() -> "WSGIApplication":
    """Build the application in the server's worker process: connections and threads do not survive a fork."""
    parent = multiprocessing.parent_process()
    if parent and parent.pid:
        parent_death.follow(parent.pid)  # otherwise it would keep the port if its parent is killed
    log = Log("web")
    capture_all(log)
    sys.setswitchinterval(TURN_SECONDS)
    try:
        service = wiring.build(load(os.environ), "web", before_first_use=wiring.begin)
        readiness = Readiness(service)
        readiness.start()
        background.repeat(service.store.load.refresh, READ_EVERY, log)
        application = create_app(service, readiness)
        # What stands now stands until the process ends. Looking through it again holds all threads up for some 40 ms.
        gc.collect()
        gc.freeze()
        slots = FairSlots(wiring.THREADS, WAITING, service.caller_limits.slots)
        return RequestSlots(application, Callers(service).organization, slots)
    except Exception as error:
        log.failure("process.failed", error)
        sys.exit(1)
