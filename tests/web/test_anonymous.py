"""What nobody was authenticated for writes nothing, and waits for no replica."""

import pytest
from flask import Flask

from calendar_service.web.app import create_app
from tests.support.service import PUBLIC_URL, TestService

PROOFS = (
    {"Origin": PUBLIC_URL},
    {
        "Cookie": "session=unknown; reviewer=unknown/token/start/UTC; receipt=unknown",
        "Authorization": "Bearer unknown",
    },
)


@pytest.fixture
def guarded(service: TestService, clean_store: str) -> Flask:
    """The application over a database that cannot confirm any write: it has no replica, and one is demanded."""
    service.parts.store.ownership.begin()
    demanding = TestService.of(f"{clean_store}?copies=1", service.google, service.clock)
    return create_app(demanding.parts)


def changes(service: TestService) -> int:
    """Return how many changes the database counts."""
    answer = service.parts.store.database.client.info("persistence")
    return int(answer["rdb_changes_since_last_save"])


def test_no_anonymous_request_writes_or_waits_for_a_replica(guarded: Flask, service: TestService) -> None:
    client = guarded.test_client()
    client.get("/metrics", base_url=PUBLIC_URL)  # loads the script, which counts as a change
    before = changes(service)
    for rule in guarded.url_map.iter_rules():
        path = rule.build(dict.fromkeys(rule.arguments, "unknown"), append_unknown=False)
        assert path is not None
        for method in sorted(rule.methods or ()):
            for proof in PROOFS:
                answer = client.open(
                    f"{path[1]}?state=unknown&code=unknown", method=method, base_url=PUBLIC_URL, headers=proof
                )
                assert changes(service) == before, (method, rule.rule)
                assert answer.status_code != 503 or rule.rule == "/readyz", (method, rule.rule)
