"""Signed receipts of erasures: they prove that and when something was erased, and name nobody (ST-5, law 7).

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
"""What a teardown may still need when the erasure comes before the teardown's end (law 6)."""
_TYPE = "erasure-receipt"
_NOT_SIGNED = frozenset({"salt"})


class ReceiptInvalid(Exception):
    """The document is not a receipt of this service as it was signed."""


@dataclass(frozen=True)
class Receipts:
    """Writes and signs receipts."""

    private_key: Ed25519PrivateKey
    issuer: str
    """The operator's legal name."""
    clock: Clock

    def write(self, agent: Agent, number: str, revocation: str, rest_until: Millis = 0) -> dict[str, Any]:
        """Return a signed receipt of this number with its salt; the store keeps it without the salt.

        `erased_at` in it is the instant by the process's clock. `rest_until`: when the last teardown that still holds a
        token ends at the latest; 0 = none does.
        """
        # `subject` is HMAC-SHA-256 of organization/agent under a random salt that only the holder of the receipt gets.
        # With the salt, he can show whom the receipt concerns. Without it, nobody can find out by trying names, as they
        # could with a plain hash.
        salt = secrets.token_bytes(32)
        body: dict[str, Any] = {
            "type": _TYPE,
            "version": 1,
            "number": number,
            "issuer": self.issuer,
            "erased_at": rfc3339(self.clock.now()),
            # Only what the erasure removes: a token that a teardown still holds must not be listed as erased.
            "erased": [what for what in _ERASED if not (rest_until and what in _LEFT_TO_THE_TEARDOWN)],
            "revocation": revocation,
            "subject": _subject(salt, agent),
        }
        if rest_until:
            body["rest_erased_by"] = rfc3339(rest_until)
        # The salt is added after signing: the stored copy without it has the same signature.
        return {**signed(body, self.private_key), "salt": b64encode(salt).decode()}


def without_salt(receipt: dict[str, Any]) -> str:
    """Return the receipt as the store keeps it: everything but the salt."""
    return json.dumps({name: value for name, value in receipt.items() if name != "salt"})


def verify(document: bytes, public_keys: Sequence[str]) -> dict[str, Any]:
    """Return the receipt if one of these keys signed exactly this; raise `ReceiptInvalid` with the reason.

    `public_keys`: the operator's published keys, base64 of 32 bytes each.
    """
    try:
        receipt = json.loads(document.decode("utf-8"), object_pairs_hook=_each_once)
        if not isinstance(receipt, dict) or receipt.get("type") != _TYPE:
            raise ReceiptInvalid("This is not the whole JSON object of a receipt.")
        check(receipt, public_keys, _NOT_SIGNED)
    except (ValueError, RecursionError):
        raise ReceiptInvalid("This is not the whole JSON object of a receipt.") from None
    except SignatureInvalid as error:
        raise ReceiptInvalid(f"The receipt {error}.") from None
    return dict(receipt)


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers differ in which of two equal members they take: a forged one beside the genuine one would be seen by some.
    if len({name for name, _ in members}) != len(members):
        raise ValueError("a member is given twice")
    return dict(members)


def concerns(receipt: dict[str, Any], agent: Agent) -> bool:
    """Tell whether the receipt concerns this agent; false too without its salt."""
    try:
        salt = b64decode(receipt.get("salt", ""))
    except (ValueError, TypeError):  # the salt is not signed, so anything may stand there
        return False
    return hmac.compare_digest(_subject(salt, agent).encode(), str(receipt["subject"]).encode())


def _subject(salt: bytes, agent: Agent) -> str:
    return hmac.new(salt, agent.member.encode(), sha256).hexdigest()
