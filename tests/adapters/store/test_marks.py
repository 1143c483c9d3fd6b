"""An account's mark: the last to leave may revoke, and whoever joins meanwhile sees it."""

from calendar_service.domain.clock import SECOND
from calendar_service.store.account_refs import Marks
from tests.adapters.store.conftest import Store


def test_a_revocation_is_announced_by_the_last_to_leave_and_taken_back(store: Store) -> None:
    marks = Marks(store.database)
    assert marks.join("m", "c1") == 0
    assert not marks.shared("m", {"c1"})
    assert marks.join("m", "c2") == 0
    assert marks.shared("m", {"c2"})
    assert not marks.leave("m", "c1", 10 * SECOND)
    assert marks.leave("m", "c2", 10 * SECOND)
    assert marks.join("m", "c3") > store.clock.now()
    marks.revoked("m")
    assert marks.join("m", "c3") == 0


def test_who_leaves_without_revoking_announces_nothing_and_takes_no_announcement_back(store: Store) -> None:
    marks = Marks(store.database)
    marks.join("m", "c1")
    assert marks.leave("m", "c1")
    assert store.names() == set()
    marks.join("m", "c1")
    marks.leave("m", "c1", 10 * SECOND)
    assert marks.leave("m", "c1")
    assert marks.join("m", "c2") > store.clock.now()


def test_who_never_joined_is_told_whether_anybody_is_there(store: Store) -> None:
    marks = Marks(store.database)
    assert marks.leave("m", "", 10 * SECOND)
    assert marks.join("m", "c1") > store.clock.now()
    marks.revoked("m")
    assert not marks.leave("m", "", 10 * SECOND)
    assert marks.join("m", "c2") == 0
