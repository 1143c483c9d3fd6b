"""Whose a database is: the first process of an empty one sets the check values, every other one compares."""

import threading

import pytest

from calendar_service.store import keys
from calendar_service.store.database import Database
from calendar_service.store.ownership import NotOurDatabase, Owner, Ownership
from tests.adapters.store.conftest import Store


def ownership(store: Store, identity_key: str = "key", google_client: str = "client") -> Ownership:
    return Ownership(store.database, identity_key, google_client)


def test_an_empty_database_belongs_to_nobody_and_reading_leaves_it_so(store: Store) -> None:
    assert ownership(store).owner() is Owner.NOBODY
    with pytest.raises(NotOurDatabase, match="start `serve` or `work` first"):
        ownership(store).require()
    assert store.database.is_empty()


def test_the_first_process_of_an_empty_database_makes_it_its_own(store: Store) -> None:
    ownership(store).begin()
    ownership(store).begin()
    ownership(store).require()
    with pytest.raises(NotOurDatabase, match="another identity key"):
        ownership(store, "another").begin()
    assert ownership(store, "another").owner() is Owner.ANOTHER
    assert store.database.check_values() == f"{keys.FORMAT}.key.client"


def test_of_two_processes_that_begin_at_once_one_is_refused(store: Store) -> None:
    barrier, refused = threading.Barrier(2), list[str]()

    def begin(key: str) -> None:
        one = ownership(store, key)
        assert one.owner() is Owner.NOBODY
        barrier.wait()
        try:
            one.begin()
        except NotOurDatabase:
            refused.append(key)

    threads = [threading.Thread(target=begin, args=(key,)) for key in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (loser,) = refused
    assert store.database.check_values() == f"{keys.FORMAT}.{'two' if loser == 'one' else 'one'}.client"


def test_data_without_check_values_is_refused_by_every_process_and_left_as_it_is(store: Store) -> None:
    store.connect()
    for act in (ownership(store).begin, ownership(store).require):
        with pytest.raises(NotOurDatabase, match="calendar-service keys adopt"):
            act()
    assert store.database.check_values() is None


@pytest.mark.parametrize("stored", ["one", "1.key.client", "2.key", "2.key.client.more"])
def test_a_database_of_another_format_is_refused_and_left_as_it_is(store: Store, stored: str) -> None:
    store.database.set_check_values(stored, "NX")
    with pytest.raises(NotOurDatabase, match=f"another format than this one's, {keys.FORMAT}"):
        ownership(store).begin()
    assert ownership(store).owner() is Owner.ANOTHER_FORMAT
    assert store.database.check_values() == stored


def test_a_database_compares_before_its_first_use_and_only_then(store: Store) -> None:
    compared = list[Owner]()

    def compare() -> None:
        one = Ownership(guarded, "key", "client")
        compared.append(one.owner())
        one.require()

    guarded = Database(store.database.deployment, store.clock, lambda _: 0, before_first_use=compare)
    for use in (
        lambda: guarded.ask(lambda client: client.get(keys.closed("acme"))),
        lambda: guarded.read([("GET", keys.closed("acme"))]),
        lambda: guarded.write("SET", keys.closed("acme"), "1"),
        lambda: guarded.script("throttle_read_level", {"throttle": keys.THROTTLE}),
    ):
        with pytest.raises(NotOurDatabase):
            use()
    assert store.database.is_empty()
    ownership(store).begin()
    guarded.write("SET", keys.closed("acme"), "1")
    guarded.write("SET", keys.closed("acme"), "2")
    assert compared == [Owner.NOBODY] * 4 + [Owner.OURS]


def test_another_google_client_is_recognized_and_can_be_adopted(store: Store) -> None:
    ownership(store).begin()
    new = ownership(store, google_client="new")
    assert ownership(store).is_google_client_ours()
    assert not new.is_google_client_ours()
    new.release_google_client()
    assert not ownership(store).is_google_client_ours()
    assert not new.is_google_client_ours()
    new.adopt_google_client()
    assert new.is_google_client_ours()
    assert not ownership(store).is_google_client_ours()


def test_a_database_that_was_replaced_under_a_running_process_is_noticed(store: Store) -> None:
    ownership(store).begin()
    store.database.client.flushdb()
    with pytest.raises(NotOurDatabase, match="keys adopt"):
        ownership(store).is_google_client_ours()
    ownership(store, "another").begin()
    with pytest.raises(NotOurDatabase, match="another identity key"):
        ownership(store).is_google_client_ours()
