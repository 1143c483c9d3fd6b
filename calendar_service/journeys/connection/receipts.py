"""Signed receipts of erasures: they prove that and when, and name nobody (ST-5, law 7).

Knows the signing key. Must not know the store.
"""

import hmac
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.crypto.signing import SignatureInvalid, check, signed
from calendar_service.domain.clock import Clock, Millis, rfc3339
from calendar_service.domain.names import Agent

_ERASED = ("tokens", "calendar identifier", "event identifiers", "bookkeeping")
_LEFT_TO_THE_TEARDOWN = frozenset({"tokens", "calendar identifier"})
"""What may still be needed at Google when an erasure comes before the errand's end (law 6)."""
_TYPE = "erasure-receipt"
_NOT_SIGNED = frozenset({"salt"})


class ReceiptInvalid(Exception):
    """The document is not a receipt of this service as it was signed."""


@dataclass(frozen=True)
class Receipts:
    """Writes receipts, and finds out whether one is ours and unchanged."""

    private_key: Ed25519PrivateKey
    issuer: str
    """The operator's legal name."""
    clock: Clock

    def write(self, agent: Agent, number: str, revocation: str, rest_until: Millis = 0) -> dict[str, Any]:
        """Return a signed receipt of this number with its salt; what is kept is the receipt without it.

        `rest_until`: when the closing errand ends at the latest, while one still holds something; else 0.

        With the salt its holder, and nobody else, can show whom it concerns: `subject` is
        HMAC-SHA-256 of organization/agent under the salt.
        """
        salt = secrets.token_bytes(32)
        body: dict[str, Any] = {
            "type": _TYPE,
            "version": 1,
            "number": number,
            "issuer": self.issuer,
            "erased_at": rfc3339(self.clock.now()),
            "erased": [what for what in _ERASED if not (rest_until and what in _LEFT_TO_THE_TEARDOWN)],
            "revocation": revocation,
            "subject": _subject(salt, agent),
        }
        if rest_until:
            body["rest_erased_by"] = rfc3339(rest_until)
        return {**signed(body, self.private_key), "salt": b64encode(salt).decode()}


def kept(receipt: dict[str, Any]) -> str:
    """Return what the store keeps: everything but the salt."""
    return json.dumps({name: value for name, value in receipt.items() if name != "salt"})


def verify(document: bytes, public_keys: Sequence[str]) -> dict[str, Any]:
    """Return the receipt if one of these keys signed exactly this; raise `ReceiptInvalid` with the reason.

    `public_keys`: the operator's published keys, base64 of 32 bytes each.
    """
    try:
        receipt = json.loads(document)
        if not isinstance(receipt, dict) or receipt.get("type") != _TYPE:
            raise ReceiptInvalid("This is not the whole JSON object of a receipt.")
        check(receipt, public_keys, _NOT_SIGNED)
    except (ValueError, RecursionError):
        raise ReceiptInvalid("This is not the whole JSON object of a receipt.") from None
    except SignatureInvalid as error:
        raise ReceiptInvalid(f"The receipt {error}.") from None
    return dict(receipt)


def concerns(receipt: dict[str, Any], agent: Agent) -> bool:
    """Tell whether the receipt, with its salt, is about this agent."""
    try:
        salt = b64decode(receipt.get("salt", ""))
    except (ValueError, TypeError):  # the salt is not signed: anything may stand there
        return False
    return hmac.compare_digest(_subject(salt, agent).encode(), str(receipt["subject"]).encode())


def _subject(salt: bytes, agent: Agent) -> str:
    return hmac.new(salt, agent.member.encode(), sha256).hexdigest()
