"""Repeats something beside the requests of this process. Must not know what."""

import threading
from collections.abc import Callable

from calendar_service.domain.clock import SECOND, Millis
from calendar_service.domain.errors import ServiceError
from calendar_service.log import Log


def repeat(action: Callable[[], None], every: Millis, log: Log) -> None:
    """Run the action now, and again and again, `every` ms apart, as long as the process lives.

    One that raises is repeated all the same: a `ServiceError` is what requests meet too; anything else is logged.
    """

    def run() -> None:
        pause = threading.Event()
        while True:
            try:
                action()
            except ServiceError:
                pass
            except Exception as error:
                log.failure("background.failed", error)
            pause.wait(every / SECOND)

    threading.Thread(target=run, name=f"background-{action.__name__}", daemon=True).start()
