"""The database as a whole: whose it is, and in which format its records are."""

import pytest

from calendar_service.store import keys
from calendar_service.store.server_checks import ServerChecks, WrongIdentityKey
from tests.adapters.store.conftest import Store


def test_a_new_database_takes_the_first_key_and_refuses_another(store: Store) -> None:
    checks = ServerChecks(store.database)
    checks.check_identity("one")
    checks.check_identity("one")
    with pytest.raises(WrongIdentityKey):
        checks.check_identity("another")


def test_a_database_of_another_format_is_refused_and_left_as_it_is(store: Store) -> None:
    store.database.client.set(keys.IDENTITY_CHECK, "one")  # as the first format had it
    with pytest.raises(WrongIdentityKey, match=f"another format than {keys.FORMAT}"):
        ServerChecks(store.database).check_identity("one")
    assert store.database.client.get(keys.IDENTITY_CHECK) == "one"
