"""How many replicas have to hold a write: every one that could be promoted now. Must not know what is stored.

Replication is asynchronous, and a failover may promote any replica that those who decide hold for fit. So a write
that is acknowledged before all of these have it can be lost (F38). Who is fit is read from those who decide: a
majority of the sentinels, or the nodes of the cluster.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import redis

ServerAddress = tuple[str, int]

LINK_DOWN_FACTOR: Final = 10
"""Sentinels promote no replica whose link to the primary has been down for so many times `down-after-milliseconds`,
counted back from the moment at which the primary went down (Valkey, `sentinelSelectReplica`)."""
NEWS_AGE: Final = 2_000
"""Milliseconds by which the news of two sentinels, or of two nodes, about one replica may differ: they ask each second
while its link is down, and it answers in whole seconds."""
QUICK: Final[Mapping[str, Any]] = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}
"""Seconds within which a sentinel, or a cluster's replica, has to answer to be heard."""


@dataclass(frozen=True, slots=True)
class Primary:
    """A server that takes writes, and its replicas."""

    client: "redis.Redis"
    address: ServerAddress
    copies: int
    """How many replicas have to hold a write before it is acknowledged."""
    following: int | None
    """How many replicas follow it and have its data, as it said when it was last asked; None if it does not tell."""


@dataclass(frozen=True, slots=True)
class SentinelView:
    """What one sentinel says about a primary."""

    identity: str
    primary: ServerAddress
    epoch: int
    """The number of the failover that made this server the primary; the highest is the newest."""
    sentinels: int
    """How many sentinels it knows, itself included, whether they answer or not."""
    others: frozenset[ServerAddress]
    replicas: frozenset[ServerAddress]
    unfit: frozenset[ServerAddress]
    """The replicas that it would not promote, now or at any time before their link is up again."""


def followers(primary: "redis.Redis") -> list[Mapping[str, Any]]:
    """Return what a primary says about each replica that follows it; `redis.ResponseError` if INFO is forbidden."""
    # One whose connection is just ending is counted there in `connected_slaves`, and not listed.
    return [one for name, one in primary.info("replication").items() if re.fullmatch(r"slave\d+", name)]


def attached_replicas(primary: "redis.Redis") -> frozenset[ServerAddress] | None:
    """Return the replicas that follow a primary and have its data; None where it does not tell."""
    try:
        return frozenset(_address(one) for one in followers(primary) if one["state"] == "online")
    except redis.ResponseError:
        return None


def required_copies(least: int, counted: int, *, has_replicas: bool) -> int:
    """Return how many replicas have to hold a write: those that count, one if there is any, `least` in any case.

    `WAIT` counts replicas and does not name them. So every replica has to count that could be promoted, and every
    other one that follows and could confirm in its place: one of priority 0, one that those who decide do not know
    yet, or one that they hold for down because they alone are cut off from it.
    """
    return max(least, counted, 1 if has_replicas else 0)


# --- sentinels ---


def ask_sentinel(sentinel: "redis.Redis", name: str) -> SentinelView:
    """Ask one sentinel, in one round trip. Raises `redis.RedisError` if it does not answer or not know the name."""
    pipeline: Any
    with sentinel.pipeline(transaction=False) as pipeline:
        pipeline.execute_command("SENTINEL MYID")
        pipeline.sentinel_master(name)
        pipeline.sentinel_slaves(name)
        pipeline.sentinel_sentinels(name)
        identity, primary, replicas, others = pipeline.execute()
    bound = LINK_DOWN_FACTOR * int(primary["down-after-milliseconds"]) + NEWS_AGE
    bound += int(primary.get("s-down-time", 0))
    return SentinelView(
        identity=str(identity),
        primary=_address(primary),
        epoch=int(primary["config-epoch"]),
        sentinels=int(primary["num-other-sentinels"]) + 1,
        others=frozenset(_address(one) for one in others if not one["is_sdown"]),
        replicas=frozenset(map(_address, replicas)),
        unfit=frozenset(_address(one) for one in replicas if _is_unfit(one, bound)),
    )


def _address(state: Mapping[str, Any]) -> ServerAddress:
    return str(state["ip"]), int(state["port"])


def _is_unfit(replica: Mapping[str, Any], bound: int) -> bool:
    # A link that is `disconnected` for a moment says nothing: each failover cuts the sentinels' links. What stays cut
    # is subjectively down after `down-after-milliseconds`.
    return bool(replica["is_sdown"] or replica["is_odown"]) or int(replica["master-link-down-time"]) > bound


def is_majority(views: Iterable[SentinelView]) -> bool:
    """Return whether these sentinels are a majority of all that they know of."""
    views = list(views)
    return len(views) > max((view.sentinels for view in views), default=0) / 2 > 0


def named_primary(views: Iterable[SentinelView]) -> ServerAddress:
    """Return the primary that the newest failover made."""
    return max(views, key=lambda view: view.epoch).primary


def replicas_by_majority(
    views: Iterable[SentinelView], primary: ServerAddress
) -> tuple[frozenset[ServerAddress], frozenset[ServerAddress]]:
    """Return the replicas of a primary, and which of them a majority of all sentinels holds for unfit."""
    views = list(views)
    majority = max(view.sentinels for view in views) // 2 + 1
    speakers = [view for view in views if view.primary == primary]
    known = frozenset().union(*(view.replicas for view in speakers))
    unfit = frozenset(one for one in known if sum(one in view.unfit for view in speakers) >= majority)
    return known, unfit


# --- cluster ---


@dataclass(frozen=True, slots=True)
class NodeView:
    """What a primary of a cluster says about its own shard."""

    replicas: frozenset[ServerAddress]
    failed: frozenset[ServerAddress]
    """The replicas that a majority of the primaries holds for failed; a primary that is cut off cannot say so."""
    validity: int | None
    """Milliseconds of a replica's cut link after which it does not stand for election; None = it always stands."""

    def counts(self, address: ServerAddress, replica: "redis.Redis") -> bool:
        """Ask one replica of these; return whether it could be elected, or confirm in the place of another."""
        try:
            replication = replica.info("replication")
        except redis.RedisError:
            return address not in self.failed  # the other nodes may well reach it
        if address in self.failed:
            return bool(replication.get("master_link_status") == "up")
        age = int(replication.get("master_link_down_since_seconds", 0)) * 1000
        return self.validity is None or age <= self.validity


def ask_node(primary: "redis.Redis") -> NodeView:
    """Ask a primary. Raises `redis.RedisError` if it does not answer."""
    nodes: Mapping[str, Any] = primary.cluster("NODES")
    own = next(node["node_id"] for node in nodes.values() if "myself" in node["flags"].split(","))
    flags = {_node_address(name): node["flags"] for name, node in nodes.items() if node["master_id"] == own}
    return NodeView(
        replicas=frozenset(flags),
        failed=frozenset(name for name in flags if "fail" in flags[name].split(",")),
        validity=_validity(primary),
    )


def _node_address(name: str) -> ServerAddress:
    host, _, port = name.rpartition(":")
    return host, int(port)


def _validity(primary: "redis.Redis") -> int | None:
    try:
        settings: Mapping[Any, Any] = primary.config_get(
            "cluster-node-timeout", "cluster-replica-validity-factor", "repl-ping-replica-period"
        )
    except redis.ResponseError:
        return None  # CONFIG is forbidden: no replica is held for unfit by its age
    factor = int(settings["cluster-replica-validity-factor"])
    if not factor:
        return None
    ping = int(settings["repl-ping-replica-period"]) * 1000
    return int(settings["cluster-node-timeout"]) * factor + ping + NEWS_AGE
