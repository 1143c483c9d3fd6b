"""The way to the database: runs scripts and pipelines, counts round trips, names its failures.

Knows Redis. Must not know what a connection or a session is.
"""

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final, TypeVar, cast

import redis
from redis.client import Pipeline
from redis.commands.core import Script

from calendar_service.domain.clock import Clock
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.store import keys

T = TypeVar("T")

_TROUBLE: Final = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ClusterDownError,
)
_REFUSALS: Final = ("OOM", "MISCONF", "READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "CLUSTERDOWN")


class Database:
    """One Redis or Valkey, spoken to in scripts: a state change is one of them, whole or not at all."""

    def __init__(self, client: "redis.Redis", clock: Clock, *, webhooks: bool = False) -> None:
        """Take the way to it, the time, and whether a backend listens: else nothing is queued for it."""
        self.client = client
        self.clock = clock
        self.webhooks = webhooks
        self.round_trips = 0
        """Commands, scripts and pipelines sent by this process: the measure of the request path."""
        self._scripts: dict[str, Script] = {}

    def ask(self, command: Callable[["redis.Redis"], Any]) -> Any:
        """Send one command; trouble of the database becomes `StoreUnavailable`."""
        self.round_trips += 1
        try:
            return command(self.client)
        except _TROUBLE as error:
            raise unavailable() from error
        except redis.ResponseError as error:
            if str(error).startswith(_REFUSALS) or "OOM" in str(error):
                raise unavailable() from error
            raise

    def read(self, build: Callable[["Pipeline"], None]) -> list[Any]:
        """Send several reads in one round trip."""

        def send(client: "redis.Redis") -> list[Any]:
            pipeline = client.pipeline(transaction=False)
            build(pipeline)
            return pipeline.execute()

        return cast(list[Any], self.ask(send))

    def step(self, name: str, agent: Agent, entry: Mapping[str, object], *arguments: str | int) -> list[Any]:
        """Run one script of the agent's slot: its state change together with its journal entry."""
        head = (self.clock.offset(), agent.member, json.dumps(entry), "1" if self.webhooks else "0")
        return self._run(name, keys.slot_keys(agent), (*head, *arguments), prelude=True)

    def script(self, name: str, names: list[str], *arguments: str | int) -> list[Any]:
        """Run one script that belongs to no agent's slot."""
        return self._run(name, names, (self.clock.offset(), *arguments), prelude=False)

    def _run(
        self, name: str, names: list[str], arguments: tuple[str | int, ...], *, prelude: bool
    ) -> list[Any]:
        script = self._scripts.get(name)
        if script is None:
            script = self.client.register_script(source(name, prelude=prelude))
            self._scripts[name] = script
        return cast(list[Any], self.ask(lambda _: script(keys=names, args=list(arguments))))


def source(name: str, *, prelude: bool) -> str:
    """Return a script's text: its flags, what all scripts of a slot begin with, its own steps."""
    folder = files("calendar_service.store")
    flags, _, steps = folder.joinpath(f"{name}.lua").read_text().partition("\n")
    shared = folder.joinpath("slot.lua").read_text() if prelude else ""
    return f"{flags}\n{shared}{steps}"


def unavailable() -> StoreUnavailable:
    """Return the one failure that callers see when the database does not do its work."""
    return StoreUnavailable(
        "The database does not answer or refuses to write. Nothing was changed; try again.", retry_after=2
    )
