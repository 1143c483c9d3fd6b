"""The sealed grant: what a hand in the database can change without being found out is nothing."""

import json
import os
from typing import Any

import pytest

from calendar_service.crypto.envelope import Vault
from calendar_service.domain.errors import RecordUnreadable
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.store.grants import Grant, Grants
from tests.support.evidence import shows

ANA = Agent("acme", "ana")
CONNECTION = "c" * 32
KEY = ("k1", os.urandom(32))


def grants(*keys: tuple[str, bytes]) -> Grants:
    return Grants(Vault(lambda: keys or (KEY,)))


def first() -> Grant:
    return grants().first(ANA, CONNECTION, Secret("1//first"), Secret("ya29.first"), 1_000)


def changed(grant: Grant, **members: Any) -> str:
    return json.dumps(json.loads(grant.sealed) | members)


@shows("ST-1")
@pytest.mark.parametrize(
    "members", [{"number": 2}, {"number": 1.0}, {"number": "1"}, {"expires": 9_999}, {"expires": None}]
)
def test_a_grant_with_another_number_or_expiry_does_not_open(members: dict[str, Any]) -> None:
    with pytest.raises(RecordUnreadable):
        grants().open(ANA, CONNECTION, changed(first(), **members))


def test_an_older_token_does_not_open_under_a_newer_number() -> None:
    older = first()
    newer = grants().next(older, Secret("1//second"), Secret("ya29.second"), 2_000)
    tokens = json.loads(older.sealed)["tokens"]
    with pytest.raises(RecordUnreadable):
        grants().open(ANA, CONNECTION, changed(newer, tokens=tokens))


def test_both_tokens_lie_in_one_seal() -> None:
    assert json.loads(first().sealed).keys() == {"number", "key", "tokens", "expires"}


def test_a_resealed_grant_has_the_next_number_and_the_same_tokens() -> None:
    new = ("k2", os.urandom(32))
    resealed = grants(new, KEY).resealed(ANA, CONNECTION, first().sealed)
    grant = grants(new).open(ANA, CONNECTION, resealed)
    assert (grant.number, grant.refresh_token.reveal(), grant.access_token.reveal(), grant.expires_at) == (
        2, "1//first", "ya29.first", 1_000,
    )  # fmt: skip
