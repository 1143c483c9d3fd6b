"""An agent's shard: always the same, and not to be computed from the name alone."""

from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.names import Agent
from calendar_service.store import keys
from tests.adapters.store.conftest import AGENT, Store

AGENTS = [Agent("acme", f"agent-{number}") for number in range(1000)]


def shards(key: bytes) -> list[int]:
    return [IdentityKey(key * 32).shard(agent) for agent in AGENTS]


def test_an_agent_has_the_same_shard_for_ever() -> None:
    assert shards(b"k") == shards(b"k")
    # A change of this hash would lose every agent's slot.
    assert shards(b"k")[:5] == [121, 213, 145, 63, 209]


def test_another_identity_key_gives_other_shards() -> None:
    same = sum(one == other for one, other in zip(shards(b"k"), shards(b"l"), strict=True))
    assert same < 20


def test_the_shards_are_used_alike() -> None:
    counts = [shards(b"k").count(shard) for shard in keys.all_shards()]
    assert sum(counts) == len(AGENTS)
    assert max(counts) < 20


def test_names_of_another_cut_are_another_agent() -> None:
    identity = IdentityKey(b"k" * 32)
    shards = {identity.shard(Agent("a" * cut, "a" * (40 - cut))) for cut in range(1, 40)}
    assert len(shards) > 20


def test_all_keys_of_a_slot_lie_in_its_shard(store: Store) -> None:
    store.connect()
    named = {name for name in store.names() if AGENT.member in name}
    assert named == {name for name in named if name.startswith(f"{{s{store.shard_of()}}}:")} != set()


def test_the_shard_of_an_agent_is_computed_once(store: Store) -> None:
    store.connect()
    store.accept(store.wanted(store.connect()))
    store.disconnect()
    assert store.database.slot_keys.cache_info().misses == 1
