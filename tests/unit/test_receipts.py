"""What a receipt says about whom it concerns: nothing, without the salt of its only whole copy."""

from base64 import b64decode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.domain.clock import Clock
from calendar_service.domain.names import Agent
from calendar_service.journeys.connection.receipts import Receipts

ANA = Agent("acme", "ana")


def test_every_receipt_of_an_agent_has_a_salt_and_a_subject_of_its_own() -> None:
    receipts = Receipts(Ed25519PrivateKey.generate(), "Videsk SpA", Clock(lambda: 0))
    written = [receipts.write(ANA, "1-a", "confirmed") for _ in range(100)]
    salts = {b64decode(receipt["salt"]) for receipt in written}
    assert {len(salt) for salt in salts} == {32}
    assert len(salts) == 100
    assert len({receipt["subject"] for receipt in written}) == 100
