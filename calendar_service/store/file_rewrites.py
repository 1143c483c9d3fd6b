"""Rewrites of the database's append-only files after an erasure (law 7, ST-5). Must not know an agent.

A value that was erased, or a sealed token that was destroyed, stays in a server's append-only file until the server
rewrites the file.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from calendar_service.domain.clock import DAY, Millis
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.store import answers, keys
from calendar_service.store.database import Database, DatabaseRefused, ask_time

IN_FILES_AT_MOST: Millis = DAY
"""An erased value that may be in a file for longer alarms. The operator's deadline is computed with it (ST-5)."""
_BY_SEVERITY = ("ok", "again", "refused")


@dataclass(frozen=True, slots=True)
class RewriteRequest:
    """The request for a rewrite, as one worker leased it. Both instants are the database's time."""

    number: int
    """How many requests there were so far."""
    since: Millis
    """The oldest erasure that may still stand in a file."""
    taken_at: Millis
    """When the worker leased the request."""


class FileRewriteStore:
    """The request for a rewrite, which stands until every server has done one; and the rewrites themselves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def request(self) -> None:
        """Ask for the append-only files to be rewritten: something was erased, or a sealed token was destroyed."""
        self._database.script("file_rewrite_request", {"rewrite": keys.REWRITE})

    def take(self) -> RewriteRequest | None:
        """Lease the request; None if there is none or one was leased within the hour. Only `done` removes it."""
        answer = self._database.script("file_rewrite_take", {"rewrite": keys.REWRITE})
        return (
            RewriteRequest(*map(int, answer[1:]))
            if cast(answers.FileRewriteTake, answer[0]) == "ok"
            else None
        )

    def give_back(self) -> None:
        """End the lease, so that the next worker can take the request."""
        self._database.write("HDEL", keys.REWRITE, "again_at")

    def done(self, request: RewriteRequest) -> None:
        """Record that every server has rewritten its file since the request was leased."""
        # An erasure that came during the rewrite may still stand in a file. Its request has raised the number, so the
        # script then keeps the request and only moves its `since` to the start of this rewrite.
        self._database.script(
            "file_rewrite_finish", {"rewrite": keys.REWRITE}, number=request.number, taken_at=request.taken_at
        )

    def waiting(self) -> Millis:
        """Return for how long an erased value may have stood in a file (database time); 0 = none does."""
        since, time = self._database.read([("HGET", keys.REWRITE, "since"), ask_time(keys.REWRITE)])
        return max(0, self._database.instant(time) - int(since)) if since else 0

    def gone_by(self, dropped_at: Millis) -> Millis | None:
        """Return until when at most a value that was dropped then still stands in a server's file (database time).

        None = every server has rewritten its file since; 0 = the time for that is over.
        """
        rewritten_at, time = self._database.read(
            [("HGET", keys.REWRITE, "rewritten_at"), ask_time(keys.REWRITE)]
        )
        if int(rewritten_at or 0) > dropped_at:
            return None
        until = dropped_at + IN_FILES_AT_MOST
        return until if until > self._database.instant(time) else 0

    def begin(self) -> str:
        """Have every server begin to rewrite its file.

        Answers `ok`, `again` (a server was rewriting already, perhaps since before the erasure, or did not answer) or
        `refused` (a server forbids it, does not know the command, or cannot).
        """
        try:
            # Replicas too: each has a file of its own, and a primary does not pass the command on.
            answers_of_servers = [self._begin_at(server) for server in self._database.servers()]
        except DatabaseRefused:
            return "refused"
        except StoreUnavailable:
            return "again"
        return max(answers_of_servers, key=_BY_SEVERITY.index)

    def _begin_at(self, server: Any) -> str:
        try:
            self._database.consult(server.bgrewriteaof)
        except DatabaseRefused as refusal:
            return "again" if "already in progress" in str(refusal.__cause__) else "refused"
        except StoreUnavailable:
            return "again"
        return "ok"

    def outcome(self) -> str:
        """Tell how the servers' last rewrites ended: `ok`, `running`, `failed`, or `refused` (a server does not say).

        `none`: a server has completed no rewrite since it started, so one that was running before its start is lost.
        """
        try:
            servers = self._database.servers()
            reports = [self._database.consult(partial(one.info, "persistence")) for one in servers]
        except DatabaseRefused:
            return "refused"
        if any(one["aof_rewrite_in_progress"] or one["aof_rewrite_scheduled"] for one in reports):
            return "running"
        if any(one["aof_last_bgrewrite_status"] != "ok" for one in reports):
            return "failed"
        # A server that has completed none reports the status `ok` too; only the missing duration tells.
        return "none" if any(one["aof_last_rewrite_time_sec"] < 0 for one in reports) else "ok"
