"""Rewrites of the database's append-only files, until nothing erased is left in them (law 7, ST-5).

A value that was erased stays in a server's append-only file until that server rewrites the file. Each erasure, each
end of a teardown, each revocation and each replaced token leaves a request in the database. One process leases it, has
every server begin a rewrite, and asks them how it ended. The request is removed only when every server has succeeded.
The next lease comes an hour later at the earliest, however many ask, unless a process starts. A process that dies
during a rewrite leaves the request, and another one takes it then. Must not know what was erased.
"""

from dataclasses import dataclass

from calendar_service.domain.clock import DAY, MINUTE, SECOND, Clock, Millis
from calendar_service.log import Log
from calendar_service.store.file_rewrites import IN_FILES_AT_MOST, FileRewriteStore, RewriteRequest

BEGIN_EVERY: Millis = MINUTE
"""The shortest time between two beginnings in one process: a rewrite costs disk and memory of every server."""
BEGIN_AT_LATEST: Millis = DAY // 2
"""The longest time: the database's own expiry erases without a request, and so may a process that died meanwhile."""


@dataclass
class FileRewrites:
    """The rewrites as one process drives them. Only one thread may call it: the worker's loop.

    States: idle → running (all servers have begun for one request) → idle, when all have ended or one has failed.
    """

    files: FileRewriteStore
    log: Log
    clock: Clock
    running: RewriteRequest | None = None
    """The request for which all servers have begun, while it is not known how they ended; None: idle."""
    last_begin: Millis = 0
    """When this process began last, by its own clock; 0: never."""
    must_request: bool = False
    """The next step that may begin requests a rewrite itself."""

    def start(self) -> None:
        """Make the next step request a rewrite, also if another process has the request (at the start of a process)."""
        self.must_request = True

    def step(self) -> None:
        """Ask how running rewrites ended; if none run, begin those that are requested."""
        if self.running:
            self._end(self.running)
            return
        now = self.clock.now()
        age = abs(now - self.last_begin)  # also after a clock was set back
        if age < BEGIN_EVERY:
            return
        if self.must_request or (self.last_begin > 0 and age >= BEGIN_AT_LATEST):
            self.files.request()
            self.files.give_back()
            self.must_request, self.last_begin = False, now
        if request := self.files.take():
            self.last_begin = now
            self._begin(request)

    def _begin(self, request: RewriteRequest) -> None:
        answer = self.files.begin()
        if answer == "ok":
            self.running = request
        elif answer == "again" and request.taken_at - request.since < IN_FILES_AT_MOST:
            # A rewrite that was under way may have begun before the erasure: it proves nothing.
            self.files.give_back()
        else:
            self._alarm(request)

    def _end(self, request: RewriteRequest) -> None:
        answer = self.files.outcome()
        if answer == "running":
            return
        if answer == "ok":
            self.files.done(request)
        else:
            self._alarm(request)
        self.running = None

    def _alarm(self, request: RewriteRequest) -> None:
        seconds = (request.taken_at - request.since) // SECOND
        self.log.alarm("erasure.left_in_files", seconds=seconds, clause="ST-5")
