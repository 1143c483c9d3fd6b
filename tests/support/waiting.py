"""Threads of the service's process that wait for Google, as many as may."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.service import TestService


@contextmanager
def all_waiting_for_google(service: TestService, *, consents: bool = False) -> Iterator[int]:
    """Let as many threads wait for Google as may; yield how many. `consents`: the places kept for these too."""
    slots, end = service.parts.google.throttle.inline_slots, threading.Event()
    take = slots.taken_for_consent if consents else slots.taken
    threads: list[threading.Thread] = []

    def wait(has_begun: threading.Event, is_taken: list[bool]) -> None:
        with take() as taken:
            is_taken.append(taken)
            has_begun.set()
            if taken:
                end.wait()

    try:
        while True:
            has_begun: threading.Event = threading.Event()
            is_taken: list[bool] = []
            threads.append(threading.Thread(target=wait, args=(has_begun, is_taken)))
            threads[-1].start()
            has_begun.wait()
            if not is_taken[0]:
                break
        yield len(threads) - 1
    finally:
        end.set()
        for thread in threads:
            thread.join()
