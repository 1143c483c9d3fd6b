"""The facts that walks over many read decide the shown state: no other fact does."""

from hypothesis import given
from hypothesis import strategies as st

from calendar_service.domain.connection import GrantState, Revocation
from calendar_service.domain.consent import ConsentTerms
from calendar_service.store.slots import STATE_FACTS, facts_of, state_facts_of

TERMS = ConsentTerms("calendar", "1.2")
INSTANT = st.sampled_from(["0", "1700000000000"])
STORED = st.fixed_dictionaries(
    {},
    optional={
        "connection_id": st.just("c1"),
        "grant_state": st.sampled_from([each.value for each in GrantState]),
        "consent_scope": st.sampled_from(["calendar", "more"]),
        "consent_policy": st.sampled_from(["1.1", "1.2", "2.0"]),
        "end_revocation": st.sampled_from(["", *(each.value for each in Revocation)]),
        "block_cause": st.sampled_from(["", "operator"]),
    }
    | dict.fromkeys(
        (
            "grant_since", "consent_required_since", "pause_by_agent", "pause_by_organization", "calendar_since",
            "calendar_lost_at", "hold_until", "end_erase_due", "end_revocation_at", "block_since",
        ),
        INSTANT,
    ),
)  # fmt: skip


@given(STORED)
def test_the_facts_that_decide_the_state_give_the_state_of_all(stored: dict[str, str]) -> None:
    whole, part = facts_of(stored), state_facts_of([stored.get(name) for name in STATE_FACTS])
    for facts in (whole, part):
        assert facts.state(TERMS) is whole.state(TERMS)
        assert facts.usable(TERMS) == whole.usable(TERMS)
        assert (facts.connection_id, facts.end.revocation) == (whole.connection_id, whole.end.revocation)
