"""Google's id token, issued when a sign-in scope was granted, and its public key.

Source: Google's page on OpenID Connect.
"""

import base64
import hashlib
from functools import cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local_google.context import Context

ISSUER = "https://accounts.google.com"


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def subject(email: str) -> str:
    """The account's permanent number: 21 digits, the same for every client."""
    return str(10**20 + int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**20)


def id_token(context: Context, email: str, client_id: str) -> str:
    """A JWT signed with RS256, valid for an hour."""
    now = int(context.now())
    claims = {
        "iss": ISSUER,
        "azp": client_id,
        "aud": client_id,
        "sub": subject(email),
        "email": email,
        "email_verified": True,
        "iat": now,
        "exp": now + 3600,
    }
    head = {"alg": "RS256", "kid": "local-google", "typ": "JWT"}
    signed = ".".join(_encoded(msgspec.json.encode(part)) for part in (head, claims))
    signature = _key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_encoded(signature)}"


def key_set() -> dict[str, Any]:
    """The public key, as ``/oauth2/v3/certs`` gives it."""
    numbers = _key().public_key().public_numbers()
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "local-google"}
    return {"keys": [key | {"n": _number(numbers.n), "e": _number(numbers.e)}]}
