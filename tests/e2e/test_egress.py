"""There is no transfer path: the real processes reach Google, their database and the webhook, and nobody else (LU-2).

Where a machine has no network namespace, no `ip` or no `nft`, `make test` leaves this file out and says so.
"""

import pytest

from tests.e2e import egress
from tests.support.evidence import shows

OTHERS = ("beyond_this_host", "elsewhere_on_this_host")
Counters = dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def counters(tmp_path_factory: pytest.TempPathFactory) -> Counters:
    """Packets by destination: of a whole journey, and after deliberate attempts to leak."""
    return egress.counters(tmp_path_factory.mktemp("egress"))


@shows("PR-1", "LU-2", "LU-5")
def test_not_one_packet_goes_to_anybody_but_google_the_database_and_the_webhook(counters: Counters) -> None:
    journey = counters["journey"]
    assert {name: journey[name] for name in OTHERS} == dict.fromkeys(OTHERS, 0)
    assert all(journey[name] > 0 for name in ("google", "redis", "webhook"))


@shows("LU-2")
def test_an_attempt_to_reach_somebody_else_is_counted(counters: Counters) -> None:
    assert counters["attempts"]["beyond_this_host"] >= 2  # one by each version of IP
    assert counters["attempts"]["elsewhere_on_this_host"] >= 1
