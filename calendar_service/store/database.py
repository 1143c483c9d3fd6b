"""Runs commands, pipelines and scripts at the database, and turns its failures into `StoreUnavailable`.

Knows Redis. Must not know what a connection or a session is.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import Any, Final, Literal, cast

import redis
from redis.exceptions import MovedError, NoScriptError

from calendar_service.domain.clock import Clock, Millis
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.store import keys
from calendar_service.store.deployment import Deployment
from calendar_service.store.replication import Primary
from calendar_service.store.script_loader import Script, Value, load

Command = tuple[str | int, ...]
"""A command of the database with its arguments, in capitals as the database documents it."""

_UNAVAILABLE: Final = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ClusterDownError,
)
_REFUSALS: Final = (
    "OOM", "MISCONF", "READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "ASK", "TRYAGAIN",
)  # fmt: skip
COPY_PATIENCE: Final[Millis] = 1_000
"""How long a replica may take to confirm a write, in milliseconds."""
_COPY_MARKER: Final = "#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], '1', 'PX', 1000)"


SLOTS_REMEMBERED: Final = 4_096
"""How many agents' keys a process caches: more than it serves at one time, in about two megabytes."""


class DatabaseRefused(StoreUnavailable):
    """A server refused a command: forbidden to our user, unknown or impossible there. `__cause__` says why."""


class DatabaseFull(StoreUnavailable):
    """The database refuses a write because its memory is used up. Steps that end something still work."""


class Database:
    """One Redis or Valkey. A state change is one script: it happens as a whole or not at all."""

    def __init__(
        self,
        deployment: Deployment,
        clock: Clock,
        shard_of: keys.ShardOf,
        *,
        webhooks: bool = False,
        before_first_use: Callable[[], None] | None = None,
    ) -> None:
        """Take the servers, the process's clock, and what turns an agent into its shard.

        `webhooks`: whether a backend receives webhooks; else no event is queued. `before_first_use` raises if the
        database must not be used: then nothing of it is read or written.
        """
        self.slot_keys = lru_cache(SLOTS_REMEMBERED)(partial(_slot_keys, shard_of))
        """Return the keys of an agent's slot; the shard's keyed hash is computed once in a request."""
        self.deployment = deployment
        self.clock = clock
        self.webhooks = webhooks
        self._before_first_use = before_first_use
        self.round_trips = 0
        """How many commands, scripts and pipelines this process has sent."""

    @property
    def client(self) -> "redis.Redis":
        """The client that sends single commands."""
        return self.deployment.client

    def ask(self, command: Callable[["redis.Redis"], Any]) -> Any:
        """Send one reading command. Raises `StoreUnavailable` if the database does not answer."""
        return self._send(lambda: command(self.client))

    def read(self, commands: Iterable[Command]) -> list[Any]:
        """Send several reading commands in one round trip; return their answers in the same order."""

        def send() -> list[Any]:
            pipeline: Any = self.client.pipeline(transaction=False)
            for command in commands:
                # Without this option the client does not pair members and scores.
                options = {"withscores": True} if "WITHSCORES" in command else {}
                pipeline.execute_command(*command, **options)
            return cast(list[Any], pipeline.execute())

        return cast(list[Any], self._send(send))

    def time_at(self, key: str) -> Millis:
        """Return the time of the server that has this key, as its scripts see it (with the test clock's offset)."""
        return self.instant(self.read([ask_time(key)])[0])

    def servers(self) -> list["redis.Redis"]:
        """Return every server whose files hold the data, replicas too. Raises `DatabaseRefused` as `consult` does."""
        return cast(list["redis.Redis"], self.consult(lambda: list(self.deployment.servers())))

    def consult(self, question: Callable[[], Any]) -> Any:
        """Send an administrative command, whosever the data is.

        Raises `DatabaseRefused` where a server forbids it or does not know it.
        """
        try:
            return self._deliver(question)
        except redis.ResponseError as error:
            raise refused() from error

    # --- whose data it is: `Ownership` asks and sets this before the first use ---

    def is_empty(self) -> bool:
        """Tell whether the database has no key at all."""
        return not self.consult(lambda: self.client.dbsize())  # noqa: PLW0108 - a cluster's client connects already when it is named

    def check_values(self) -> str | None:
        """Return the check values of the service that began the database; None if it has none."""
        return cast(str | None, self._deliver(lambda: self.client.get(keys.CHECK_VALUES)))

    def set_check_values(self, values: str, condition: Literal["NX", "XX"]) -> None:
        """Store check values: `NX` only if none are stored, `XX` only over others."""
        command = ("SET", keys.CHECK_VALUES, values, condition)
        primary = self._primary_of(keys.CHECK_VALUES)
        self._deliver(lambda: self._acknowledged(primary, keys.CHECK_VALUES, command))

    # --- changes ---

    def write(self, command: str, key: str, *arguments: str | int) -> Any:
        """Send one writing command on one key. Not for the state of a connection, which needs an audit entry."""
        primary = self._primary_of(key)
        return self._send(lambda: self._acknowledged(primary, key, (command, key, *arguments)))

    def take(self, key: str) -> str | None:
        """Read and remove a value in one command: of two that ask at the same time, the second gets None.

        Only what was there is confirmed by replicas: anybody may ask for what is not, and would keep them busy (X9).
        """
        primary = self._primary_of(key)
        text = self._send(lambda: primary.client.getdel(key))
        if text is not None and primary.copies:
            # At the same server: a new primary would confirm without having the removal.
            self._send(lambda: self._acknowledged(primary, key, ("EXISTS", key)))
        return cast(str | None, text)

    def try_writes(self, written: str | None = None) -> None:
        """Write a marker at every primary, but not at that of the key `written`; confirmed as any write is.

        Raises `StoreUnavailable`, or `DatabaseFull`.
        """
        shards = {self._primary_of(keys.timers(shard)).address: shard for shard in keys.all_shards()}
        if written:
            shards.pop(self._primary_of(written).address, None)
        for shard in shards.values():
            self.write("SET", keys.copied(keys.timers(shard)), "1", "PX", 1000)

    def step(self, name: str, agent: Agent, entry: Mapping[str, object], /, **arguments: Value) -> list[Any]:
        """Run one script of the agent's slot; it changes the state and appends `entry` in the same step."""
        script, slot_keys = load(name), self.slot_keys(agent)
        head = (self.clock.offset(), slot_keys.member, json.dumps(entry), "1" if self.webhooks else "0")
        key_list = script.key_list(slot_keys.declared())
        return self._run(script, key_list, (*head, *script.argument_list(arguments)))

    def script(self, name: str, named_keys: Mapping[str, str], /, **arguments: Value) -> list[Any]:
        """Run one script that belongs to no agent's slot. `named_keys`: each key by the script's name for it."""
        script = load(name)
        key_list = script.key_list(named_keys)
        return self._run(script, key_list, (self.clock.offset(), *script.argument_list(arguments)))

    def reading_script(self, name: str, named_keys: Mapping[str, str], /, **arguments: Value) -> list[Any]:
        """Run one script that belongs to no agent's slot and only reads: no replica has to confirm anything."""
        script = load(name)
        key_list = script.key_list(named_keys)
        return self._run(
            script, key_list, (self.clock.offset(), *script.argument_list(arguments)), only_reads=True
        )

    def confirm(self, key: str) -> None:
        """Wait until enough replicas have everything written so far to this key's server; else `StoreUnavailable`.

        A value that was read may come from a write that was never acknowledged, and could be lost with its server (F4).
        """
        primary = self._primary_of(key)
        if primary.copies:
            self._send(lambda: self._acknowledged(primary, key, ("EXISTS", key)))

    def instant(self, answer: list[Any]) -> Millis:
        """Return the instant in an answer to `ask_time`, with the test clock's offset."""
        seconds, micros = answer
        return int(seconds) * 1000 + int(micros) // 1000 + self.clock.offset()

    def _run(
        self,
        script: Script,
        key_list: list[str],
        arguments: tuple[str | int, ...],
        *,
        only_reads: bool = False,
    ) -> list[Any]:
        command = "EVALSHA_RO" if only_reads else "EVALSHA"
        key, call = key_list[0], (command, script.digest, len(key_list), *key_list, *arguments)
        primary = self._primary_of(
            key
        )  # once: another server, without the script, may become the primary meanwhile

        def run() -> Any:
            if only_reads:
                client: Any = primary.client
                return client.execute_command(*call)
            return self._acknowledged(primary, key, call)

        def send() -> Any:
            try:
                return run()
            except NoScriptError:
                primary.client.script_load(script.text)
                return run()

        return cast(list[Any], self._send(send))

    def _acknowledged(self, primary: Primary, key: str, command: tuple[str | int, ...]) -> Any:
        """Send a writing command to the primary of its key, and wait until every replica that could be promoted has it.

        Raises `StoreUnavailable` if they do not confirm in time: a write that one of them lacks would be lost with its
        promotion, and a former primary that not all of them follow must not go on accepting writes (F3, F4, F38).
        """
        client: Any = primary.client
        copies = primary.copies
        if not copies:
            return client.execute_command(*command)
        with client.pipeline(transaction=False) as pipeline:
            pipeline.execute_command(*command)
            # WAIT covers this client's own last write. The command may have written nothing and answered what another
            # client wrote, so a write of our own follows it.
            pipeline.eval(_COPY_MARKER, 1, keys.copied(key))
            pipeline.execute_command("WAIT", copies, COPY_PATIENCE)
            answer, *confirmations = pipeline.execute(raise_on_error=False)
        if isinstance(answer, Exception):
            raise answer
        if any(isinstance(one, Exception) for one in confirmations) or confirmations[-1] < copies:
            raise StoreUnavailable(
                "The database did not confirm the change on every server that may take over. It may have been made; "
                "try again.",
                retry_after=2,
            )
        return answer

    def _primary_of(self, key: str) -> Primary:
        try:
            return self.deployment.primary_of(key)
        except _UNAVAILABLE as error:
            raise unavailable() from error

    def _send(self, send: Callable[[], Any]) -> Any:
        # Compared here, at the first use, because a process may start before its database answers.
        if self._before_first_use:
            self._before_first_use()
            self._before_first_use = None
        return self._deliver(send)

    def _deliver(self, send: Callable[[], Any]) -> Any:
        self.round_trips += 1
        try:
            return send()
        except MovedError:
            self._rediscover()  # nothing was done: another server has the key now
            raise unavailable() from None
        except _UNAVAILABLE as error:
            self._rediscover()
            raise unavailable(full=isinstance(error, redis.exceptions.OutOfMemoryError)) from error
        except redis.exceptions.NoPermissionError as error:
            raise refused() from error
        except redis.ResponseError as error:
            is_full = "OOM" in str(error)
            if is_full or str(error).startswith(_REFUSALS):
                raise unavailable(full=is_full) from error
            raise

    def _rediscover(self) -> None:
        with contextlib.suppress(redis.RedisError):
            self.deployment.rediscover()


def _slot_keys(shard_of: keys.ShardOf, agent: Agent) -> keys.SlotKeys:
    return keys.SlotKeys(agent.organization, agent.member, shard_of(agent))


def ask_time(key: str) -> Command:
    """Return the command that asks for the time of this key's server; `Database.instant` reads the answer."""
    # TIME itself names no key, so a cluster would answer it with the time of any server.
    return ("EVAL", "return redis.call('TIME')", 1, key)


def refused() -> DatabaseRefused:
    """Return the error that callers see when a server refuses a command."""
    return DatabaseRefused("The database does not let this service ask or do this.", retry_after=2)


def unavailable(*, full: bool = False) -> StoreUnavailable:
    """Return the error that callers see when the database does not answer or refuses to write; `full`: for memory."""
    return (DatabaseFull if full else StoreUnavailable)(
        "The database does not answer or refuses to write. Try again; asking twice does no harm.",
        retry_after=2,
    )
