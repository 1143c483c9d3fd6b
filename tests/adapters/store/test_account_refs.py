"""The account references: the last connection that leaves one may revoke, and one that joins meanwhile sees it."""

from calendar_service.domain.clock import SECOND
from calendar_service.store.account_refs import AccountRefs
from tests.adapters.store.conftest import Store


def test_a_revocation_is_announced_by_the_last_to_leave_and_taken_back(store: Store) -> None:
    account_refs = AccountRefs(store.database)
    assert account_refs.join("m", "c1") == 0
    assert not account_refs.shared("m", {"c1"})
    assert account_refs.join("m", "c2") == 0
    assert account_refs.shared("m", {"c2"})
    assert not account_refs.leave("m", "c1", 10 * SECOND)
    assert account_refs.leave("m", "c2", 10 * SECOND)
    assert account_refs.join("m", "c3") > store.clock.now()
    account_refs.end_revocation("m")
    assert account_refs.join("m", "c3") == 0


def test_who_leaves_without_revoking_announces_nothing_and_takes_no_announcement_back(store: Store) -> None:
    account_refs = AccountRefs(store.database)
    account_refs.join("m", "c1")
    assert account_refs.leave("m", "c1")
    assert store.names() == set()
    account_refs.join("m", "c1")
    account_refs.leave("m", "c1", 10 * SECOND)
    assert account_refs.leave("m", "c1")
    assert account_refs.join("m", "c2") > store.clock.now()


def test_who_never_joined_is_told_whether_anybody_is_there(store: Store) -> None:
    account_refs = AccountRefs(store.database)
    assert account_refs.leave("m", "", 10 * SECOND)
    assert account_refs.join("m", "c1") > store.clock.now()
    account_refs.end_revocation("m")
    assert not account_refs.leave("m", "", 10 * SECOND)
    assert account_refs.join("m", "c2") == 0
