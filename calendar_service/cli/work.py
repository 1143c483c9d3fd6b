"""`calendar-service work`. Must not hold more than the command."""

import signal
import threading

import click

from calendar_service import wiring
from calendar_service.cli.asking import serving
from calendar_service.log import Log, capture_all
from calendar_service.worker import loop


@click.command("work")
def command() -> None:
    """Run one worker process: finishes what was accepted, erases what is due."""
    settings = serving("worker")
    capture_all(Log("worker"))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    loop.run(wiring.build(settings, "worker"), stop)
