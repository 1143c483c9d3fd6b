"""The account references: the last connection that leaves one may revoke, and one that joins meanwhile sees it."""

from calendar_service.domain.clock import SECOND
from calendar_service.store.account_refs import AccountRefs
from tests.adapters.store.conftest import Store


def test_a_revocation_is_announced_by_the_last_to_leave_and_taken_back(store: Store) -> None:
    account_refs = AccountRefs(store.database)
    assert account_refs.join("m", "c1", new_token=True).revoking_until == 0
    assert not account_refs.shared("m", {"c1"})
    assert account_refs.join("m", "c2", new_token=True).revoking_until == 0
    assert account_refs.shared("m", {"c2"})
    assert not account_refs.leave("m", "c1", 10 * SECOND)
    assert account_refs.leave("m", "c2", 10 * SECOND)
    assert account_refs.join("m", "c3", new_token=True).revoking_until > store.clock.now()
    account_refs.end_revocation("m")
    assert account_refs.join("m", "c3", new_token=True).revoking_until == 0


def test_who_leaves_without_revoking_announces_nothing_and_takes_no_announcement_back(store: Store) -> None:
    account_refs = AccountRefs(store.database)
    account_refs.join("m", "c1", new_token=True)
    assert account_refs.leave("m", "c1")
    assert store.names() == set()
    account_refs.join("m", "c1", new_token=True)
    account_refs.leave("m", "c1", 10 * SECOND)
    assert account_refs.leave("m", "c1")
    assert account_refs.join("m", "c2", new_token=True).revoking_until > store.clock.now()


def test_who_never_joined_is_told_whether_anybody_is_there(store: Store) -> None:
    account_refs = AccountRefs(store.database)
    assert account_refs.leave("m", "", 10 * SECOND)
    assert account_refs.join("m", "c1", new_token=True).revoking_until > store.clock.now()
    account_refs.end_revocation("m")
    assert not account_refs.leave("m", "", 10 * SECOND)
    assert account_refs.join("m", "c2", new_token=True).revoking_until == 0


def test_refresh_tokens_are_counted_from_the_oldest_in_use_on(store: Store) -> None:
    account_refs = AccountRefs(store.database)

    def count(connection: str, *, new_token: bool = True) -> int:
        return account_refs.join("m", connection, new_token=new_token).refresh_tokens

    assert [count("c1") for _ in range(3)] == [1, 1, 1]  # Google ends the oldest first, which nobody uses
    assert [count("c2") for _ in range(3)] == [2, 3, 4]
    assert count("c2", new_token=False) == 4  # it joins again with the same token
    assert count("c1") == 2  # c2's newest and this one
    assert [count("c3"), count("c1")] == [3, 4]
    assert not account_refs.leave("m", "c2", 10 * SECOND)
    assert count("c3", new_token=False) == 2


def test_a_connection_whose_token_was_not_counted_counts_as_the_oldest(store: Store) -> None:
    """The repair adds connections after their set was lost: none of them may look younger than it is."""
    account_refs = AccountRefs(store.database)
    for connection in ("c1", "c2", "c3"):
        account = account_refs.join("m", connection, new_token=False)
    assert account.refresh_tokens == 3
    assert [account_refs.join("m", "c4", new_token=True).refresh_tokens for _ in range(5)] == [4, 4, 4, 5, 6]


def test_the_count_goes_with_the_last_connection(store: Store) -> None:
    account_refs = AccountRefs(store.database)
    for connection in ("c1", "c2"):
        account_refs.join("m", connection, new_token=True)
    account_refs.leave("m", "c1")
    account_refs.leave("m", "c2", 10 * SECOND)
    account_refs.end_revocation("m")
    assert store.names() == set()


def test_the_highest_count_is_what_was_noted_last(store: Store) -> None:
    account_refs = AccountRefs(store.database)
    assert account_refs.highest_refresh_tokens() == 0
    for count in (81, 7):
        account_refs.note_refresh_tokens(count)
        assert account_refs.highest_refresh_tokens() == count
