"""`calendar-service work`: the worker process."""

import signal
import threading

import click

from calendar_service import wiring
from calendar_service.cli.asking import begin
from calendar_service.cli.settings import refuse
from calendar_service.health.readiness import Readiness
from calendar_service.log import Log, capture_all
from calendar_service.processes.ports import PortTaken, require_free
from calendar_service.store.unusable import UnusableDatabase
from calendar_service.worker import loop
from calendar_service.worker.metrics_server import MetricsServer


@click.command("work")
@click.option(
    "--metrics-host",
    default="127.0.0.1",
    show_default=True,
    help="The address to serve /metrics on, if CALENDAR_WORKER_METRICS_PORT is set.",
)
def command(metrics_host: str) -> None:
    """Run one worker process.

    It writes accepted sessions to Google, repeats what failed, revokes grants, and erases what is due. It runs until
    SIGINT or SIGTERM, then finishes the item under way. It logs one JSON line per event to standard error. Several may
    run at the same time.

    If CALENDAR_WORKER_METRICS_PORT is set, it serves its metrics there. Each worker of a host needs a port of its own.

    The first process that finds the database empty makes it this service's. One that finds another service's database
    touches nothing and exits.

    Exit status: 0 stopped by a signal, 2 unusable configuration or port, or another service's database.
    """
    start = begin("worker")
    settings = start.config
    port = settings.worker_metrics_port
    try:
        if port is not None:
            require_free(port, "CALENDAR_WORKER_METRICS_PORT", metrics_host)
    except PortTaken as error:
        raise click.UsageError(str(error)) from None
    start.announce("worker", port)
    capture_all(Log("worker"))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        service = wiring.build(settings, "worker", before_first_use=wiring.begin)
        Readiness(service).start()  # a worker answers no /readyz: it leaves its sample, and alarms
        if port is not None:
            MetricsServer(service, metrics_host, port).start()
        loop.run(service, stop)
    except UnusableDatabase as error:
        refuse(error.faults)
