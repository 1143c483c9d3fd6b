"""What a receipt says, to whom, and what is taken for one."""

import hmac
import json
from base64 import b64decode
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.crypto.signing import public_key_text, signed
from calendar_service.domain.clock import Clock
from calendar_service.domain.names import Agent
from calendar_service.journeys.connection.receipts import (
    ReceiptInvalid,
    Receipts,
    concerns,
    verify,
    without_salt,
)

ANA: Final = Agent("acme", "ana")
KEY: Final = Ed25519PrivateKey.generate()
PUBLISHED: Final = [public_key_text(KEY.public_key())]
NOT_WHOLE: Final = "^This is not the whole JSON object of a receipt.$"


class NewYear(Clock):
    """A clock that stands at the beginning of 2026."""

    def now(self) -> int:
        return 1_767_225_600_000


def receipt(rest_until: int = 0) -> dict[str, Any]:
    return Receipts(KEY, "Videsk SpA", NewYear()).write(ANA, "1-a", "confirmed", rest_until)


def as_bytes(document: object) -> bytes:
    return json.dumps(document).encode()


# --- what it says ---


def test_every_receipt_of_an_agent_has_a_salt_and_a_subject_of_its_own() -> None:
    written = [receipt() for _ in range(100)]
    salts = {b64decode(one["salt"]) for one in written}
    assert {len(salt) for salt in salts} == {32}
    assert len(salts) == 100
    assert len({one["subject"] for one in written}) == 100


def test_it_says_what_was_erased_when_by_whom_and_nothing_else() -> None:
    written = receipt()
    assert {name: written.pop(name) for name in ("salt", "subject", "signature")}.keys()
    assert written == {
        "type": "erasure-receipt",
        "version": 1,
        "number": "1-a",
        "issuer": "Videsk SpA",
        "erased_at": "2026-01-01T00:00:00Z",
        "erased": ["tokens", "calendar identifier", "event identifiers", "bookkeeping"],
        "revocation": "confirmed",
        "public_key": PUBLISHED[0],
    }


def test_while_a_teardown_holds_a_token_it_says_until_when_and_lists_what_is_gone() -> None:
    written = receipt(rest_until=1_767_830_400_000)
    assert written["erased"] == ["event identifiers", "bookkeeping"]
    assert written["rest_erased_by"] == "2026-01-08T00:00:00Z"


def test_its_subject_is_the_keyed_hash_of_the_agent_under_the_salt() -> None:
    written = receipt()
    assert written["subject"] == hmac.new(b64decode(written["salt"]), b"acme/ana", "sha256").hexdigest()


# --- whom it concerns ---


def test_with_its_salt_it_concerns_this_agent_alone() -> None:
    written = receipt()
    assert concerns(written, ANA)
    assert not concerns(written, Agent("acme", "bob"))
    assert not concerns(receipt() | {"salt": written["salt"]}, ANA)


@pytest.mark.parametrize("salt", [None, 7, "", "é", "AAA", ["AAAA"]])
def test_with_another_salt_it_concerns_nobody(salt: object) -> None:
    assert not concerns(receipt() | {"salt": salt}, ANA)


def test_without_its_salt_it_verifies_and_concerns_nobody() -> None:
    written = receipt()
    stored = json.loads(without_salt(written))
    assert stored == {name: value for name, value in written.items() if name != "salt"}
    assert verify(as_bytes(stored), PUBLISHED) == stored
    assert not concerns(stored, ANA)


# --- what is taken for one ---


def test_a_receipt_verifies_as_it_was_signed() -> None:
    written = receipt()
    assert verify(as_bytes(written), PUBLISHED) == written
    assert verify(as_bytes(written | {"salt": "another"}), PUBLISHED)["number"] == "1-a"  # it is not signed


@pytest.mark.parametrize("name", [name for name in receipt() if name not in {"salt", "type"}])
def test_a_receipt_with_another_member_is_refused(name: str) -> None:
    with pytest.raises(ReceiptInvalid, match=r"^The receipt .*\.$"):
        verify(as_bytes(receipt() | {name: "AAAA"}), PUBLISHED)


def test_a_receipt_of_another_key_is_refused_by_that_reason() -> None:
    with pytest.raises(
        ReceiptInvalid, match=r"^The receipt names a signing key that is not the operator's\.$"
    ):
        verify(as_bytes(receipt()), [public_key_text(Ed25519PrivateKey.generate().public_key())])


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"null",
        b'"erasure-receipt"',
        b"{}",
        b"\xff" + as_bytes(receipt()),
        as_bytes(receipt()).decode().encode("utf-16"),
        b"\xef\xbb\xbf" + as_bytes(receipt()),
        b'{"number": "2-b", ' + as_bytes(receipt())[1:],
        b"[" * 100_000,
        as_bytes(signed({"type": "checkpoint"}, KEY)),
        as_bytes(signed({"number": "1-a"}, KEY)),
    ],
)
def test_what_is_no_receipt_in_one_spelling_is_refused(document: bytes) -> None:
    with pytest.raises(ReceiptInvalid, match=NOT_WHOLE):
        verify(document, PUBLISHED)
