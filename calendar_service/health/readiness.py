"""The checks of /readyz: may this process be sent requests? They name nobody.

A thread repeats them, so that a request neither waits nor causes anything.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from calendar_service.domain.errors import RecordUnreadable, StoreUnavailable
from calendar_service.health.measures import Measures
from calendar_service.health.measures.consents import ConsentMeasures
from calendar_service.health.measures.database import (
    MEMORY_HIGH,
    MEMORY_NEARLY_FULL,
    DatabaseMeasures,
    Writes,
)
from calendar_service.log import Alarm
from calendar_service.store.database import DatabaseFull
from calendar_service.store.ownership import Owner
from calendar_service.store.seal_samples import SealSamples
from calendar_service.wiring import Service

EVERY: Final = 5.0
"""Seconds between two examinations."""
VALID_FOR: Final = 60.0
"""Seconds after which a result says nothing any more: the examination hangs, or its thread has died."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What one examination found."""

    checks: Mapping[str, bool]
    writes: Writes
    at: float
    """Its end, in seconds of a clock that only goes forward."""

    @property
    def age(self) -> float:
        """How many seconds ago it ended."""
        return time.monotonic() - self.at

    @property
    def is_ready(self) -> bool:
        """Whether all checks passed, lately."""
        return all(self.checks.values()) and self.age < VALID_FOR


class Readiness:
    """The last examination of one process. One thread examines; many read."""

    def __init__(self, service: Service) -> None:
        self.last: Examination | None = None
        """None before the first one has ended."""
        self._service = service
        self._alarmed: dict[str, bool] = {}

    def start(self) -> None:
        """Examine now and every few seconds, in a thread that ends with the process."""
        threading.Thread(target=self._repeat, name="readiness", daemon=True).start()

    def examine(self) -> Examination:
        """Examine the service, alarm about what is new, and keep the result. Raises nothing of the database's."""
        measures = Measures.of(self._service)
        is_ours = _is_ours(measures.database)
        # In another service's database nothing is tried, because a try writes.
        writes, database, keyring = (
            self._tried() if is_ours else (Writes.UNKNOWN, measures.database.answers, True)
        )
        checks = {
            "database": database,
            "identity_key": is_ours,
            "keyring": keyring,
            "google_client": _is_google_client_ours(measures.database),
            "key_files": not measures.keys.file_faults,
            "consent": _may_ask(measures.consents),
        }
        if measures.config.google.is_local:
            checks["google"] = measures.google.is_reachable
        self._alarm("database.refuses_writes", writes is Writes.REFUSED)
        self._alarm("database.unwritable", not database)
        self._alarm("keys.lacking", not keyring)
        ratio = _memory_ratio(measures.database)
        self._alarm("database.memory_high", MEMORY_HIGH <= ratio < MEMORY_NEARLY_FULL)
        self._alarm("database.memory_nearly_full", ratio >= MEMORY_NEARLY_FULL)
        self.last = Examination(checks, writes, time.monotonic())
        return self.last

    def _tried(self) -> tuple[Writes, bool, bool]:
        """Open the samples, then leave our own; return the writes, and whether database and keyring are right."""
        seal_samples: SealSamples = self._service.store.seal_samples
        try:
            # Opened first: a process that lacks a key in use leaves no sample that would bring the others down.
            seal_samples.require_keys()
            seal_samples.write()
        except RecordUnreadable:
            return Writes.UNKNOWN, True, False
        except DatabaseFull:
            return Writes.REFUSED, True, True
        except StoreUnavailable:
            return Writes.UNKNOWN, False, True
        return Writes.ACCEPTED, True, True

    def _alarm(self, event: Alarm, holds: bool) -> None:  # noqa: FBT001 - one fact
        if holds and not self._alarmed.get(event):
            self._service.log.alarm(event)
        self._alarmed[event] = holds

    def _repeat(self) -> None:
        while True:
            try:
                self.examine()
            except Exception as error:  # the thread has to go on; a result that is not renewed grows too old
                self._service.log.failure("readiness.surprise", error)
            time.sleep(EVERY)


def _is_ours(database: DatabaseMeasures) -> bool:
    try:
        return database.owner is Owner.OURS
    except StoreUnavailable:
        return False


def _is_google_client_ours(database: DatabaseMeasures) -> bool:
    try:
        return database.is_google_client_ours
    except StoreUnavailable:
        return False


def _may_ask(consents: ConsentMeasures) -> bool:
    try:
        return not consents.refusals
    except StoreUnavailable:
        return False


def _memory_ratio(database: DatabaseMeasures) -> float:
    try:
        return database.memory_ratio or 0
    except StoreUnavailable:
        return 0
