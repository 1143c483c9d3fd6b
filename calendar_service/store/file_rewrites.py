"""The database's files: written anew after an erasure, until they are (law 7, ST-5). Must not know an agent."""

from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from calendar_service.domain.clock import DAY, Millis
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.store import answers, keys
from calendar_service.store.database import Database, DatabaseRefused, ask_time

IN_FILES_AT_MOST: Millis = DAY
"""What was erased and may have stood in a file for longer alarms; the sum of retention counts with it (ST-5)."""
_WORST = ("ok", "again", "refused")


@dataclass(frozen=True, slots=True)
class RewriteRequest:
    """That the files be written anew, as one worker took it."""

    number: int
    """How many wishes there were."""
    since: Millis
    """The oldest erasure that may still stand in a file."""
    taken: Millis


class FileRewriteStore:
    """The wish for a rewrite, kept until every server has done it; and how the servers' last one ended."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def want(self) -> None:
        """Ask for the append-only files to be rewritten: something was erased."""
        self._database.script("file_rewrite_request", {"rewrite": keys.REWRITE})

    def take(self) -> RewriteRequest | None:
        """Take the wish, if there is one and nobody else is at it; it comes back unless it is done."""
        answer = self._database.script("file_rewrite_take", {"rewrite": keys.REWRITE})
        return (
            RewriteRequest(*map(int, answer[1:]))
            if cast(answers.FileRewriteTake, answer[0]) == "ok"
            else None
        )

    def give_back(self) -> None:
        """Let whoever comes next take the wish."""
        self._database.write("HDEL", keys.REWRITE, "again_at")

    def done(self, desired: RewriteRequest) -> None:
        """Note that every file was rewritten since the wish was taken."""
        self._database.script(
            "file_rewrite_finish", {"rewrite": keys.REWRITE}, number=desired.number, taken_at=desired.taken
        )

    def waiting(self) -> Millis:
        """Return for how long something erased may have stood in a file; 0 = nothing does."""
        since, time = self._database.read([("HGET", keys.REWRITE, "since"), ask_time(keys.REWRITE)])
        return max(0, self._database.instant(time) - int(since)) if since else 0

    def begin(self) -> str:
        """Let every server rewrite its file: a replica has one of its own, and no primary tells it to.

        Answers `ok`, `again` (a rewrite was under way somewhere, perhaps since before the erasure; or no
        answer came) or `refused` (a server forbids it, does not know the command, or cannot).
        """
        try:
            begun = [self._begins(server) for server in self._database.servers()]
        except DatabaseRefused:
            return "refused"
        except StoreUnavailable:
            return "again"
        return max(begun, key=_WORST.index)

    def _begins(self, server: Any) -> str:
        try:
            self._database.consult(server.bgrewriteaof)
        except DatabaseRefused as refusal:
            return "again" if "already in progress" in str(refusal.__cause__) else "refused"
        except StoreUnavailable:
            return "again"
        return "ok"

    def outcome(self) -> str:
        """Tell how the last rewrites ended: `ok`, `running`, `failed`, or `refused` (a server does not say).

        `none` is where a server has ended none since it started: one that it was at then is lost.
        """
        try:
            servers = self._database.servers()
            found = [self._database.consult(partial(one.info, "persistence")) for one in servers]
        except DatabaseRefused:
            return "refused"
        if any(one["aof_rewrite_in_progress"] or one["aof_rewrite_scheduled"] for one in found):
            return "running"
        if any(one["aof_last_bgrewrite_status"] != "ok" for one in found):
            return "failed"
        # Of a server that has ended none the status is `ok` too.
        return "none" if any(one["aof_last_rewrite_time_sec"] < 0 for one in found) else "ok"
