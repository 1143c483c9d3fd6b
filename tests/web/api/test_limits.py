"""How much one caller may ask for: beyond it 429, nothing changes, and the others go on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.support.service import TestService
from tests.web.api.callers import Api
from tests.web.api.conftest import ACME, AGENT

EMPTY_PLAN = {"from": "2030-01-01T00:00:00Z", "to": "2030-02-01T00:00:00Z", "sessions": []}
BETA = "/v1/organizations/beta/agents/agent-1"


@contextmanager
def under_way(service: TestService, count: int, organization: str = "acme") -> Iterator[None]:
    """So many long calls of the organization are being served."""
    with ExitStack() as calls:
        for _ in range(count):
            calls.enter_context(service.parts.caller_limits.long_calls.taken(organization))
        yield


def test_a_fifth_long_call_of_one_organization_is_refused_and_others_go_on(
    api: Api, connected: TestService, session: dict[str, Any]
) -> None:
    api.put(f"{AGENT}/sessions/s-1", session)
    calls = len(connected.calls())
    with under_way(connected, 4):
        for answer in (
            api.post(f"{AGENT}/sessions/reconcile", EMPTY_PLAN),
            api.get(f"{AGENT}/sessions/s-1?read=google"),
        ):
            assert (answer.status_code, answer.json["code"]) == (429, "too_many_requests")
            assert (answer.json["retryable"], answer.headers["Retry-After"]) == (True, "5")
        assert len(connected.calls()) == calls
        assert api.get(f"{AGENT}/sessions/s-1").status_code == 200
        assert api.get(f"{ACME}/agents/agent-2/connection").status_code == 200
        other = api.post(f"{BETA}/sessions/reconcile", EMPTY_PLAN)
        assert (other.status_code, other.json["code"]) == (409, "not_connected")
    assert api.get(f"{AGENT}/sessions/s-1?read=google").status_code == 200


def test_a_long_call_that_fails_leaves_its_place(api: Api, service: TestService) -> None:
    for _ in range(5):
        assert api.post(f"{AGENT}/sessions/reconcile", EMPTY_PLAN).status_code == 409
