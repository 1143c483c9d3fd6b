"""Google's id token, issued when a sign-in scope was granted, its public key, and the OpenID configuration.

Source: Google's page on OpenID Connect.
"""

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from local_google.context import Context
from local_google.oauth.scopes import ALIASES
from local_google.state.records import Token

ISSUER = "https://accounts.google.com"
KEY_ID = "local-google"


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(value: int) -> str:
    return _encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def subject(email: str) -> str:
    """The account's permanent number: 21 digits, the same for every client."""
    return str(10**20 + int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**20)


def profile(context: Context, token: Token) -> dict[str, Any]:
    """What the token's scopes tell of its account: the number always, address and name under their scopes."""
    claims: dict[str, Any] = {"sub": subject(token.account)}
    if ALIASES["email"] in token.scopes:
        claims |= {"email": token.account, "email_verified": True}
    if ALIASES["profile"] in token.scopes:
        name = context.books.accounts[token.account].name
        given, _, family = name.partition(" ")
        claims |= {"name": name, "given_name": given} | ({"family_name": family} if family else {})
    return claims


def id_token(context: Context, access: Token, nonce: str | None) -> str:
    """A JWT signed with RS256, valid for an hour, bound to the access token that comes with it."""
    now = int(context.now())
    claims = {"iss": ISSUER, "azp": access.client_id, "aud": access.client_id} | profile(context, access)
    claims["at_hash"] = _encoded(hashlib.sha256(access.token.encode()).digest()[:16])
    if nonce is not None:
        claims["nonce"] = nonce
    claims |= {"iat": now, "exp": now + 3600}
    head = {"alg": "RS256", "kid": KEY_ID, "typ": "JWT"}
    signed = ".".join(_encoded(msgspec.json.encode(part)) for part in (head, claims))
    signature = _key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_encoded(signature)}"


def claims_of(context: Context, text: str) -> dict[str, Any] | None:
    """The header and claims of an id token, if it was issued here and is valid; None otherwise."""
    signed, _, signature = text.rpartition(".")
    try:
        _key().public_key().verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return None
    head, claims = (msgspec.json.decode(_decoded(part), type=dict[str, Any]) for part in signed.split("."))
    return None if claims["exp"] <= context.now() else claims | head


def key_set() -> dict[str, Any]:
    """The public key, as ``/oauth2/v3/certs`` gives it."""
    numbers = _key().public_key().public_numbers()
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID}
    return {"keys": [key | {"n": _number(numbers.n), "e": _number(numbers.e)}]}


@cache
def certificates() -> dict[str, str]:
    """The public key in a certificate, as the older ``/oauth2/v1/certs`` gives it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, KEY_ID)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(_key().public_key())
    builder = builder.serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    certificate = builder.not_valid_after(datetime(2120, 1, 1, tzinfo=UTC)).sign(_key(), hashes.SHA256())
    return {KEY_ID: certificate.public_bytes(Encoding.PEM).decode()}


def configuration(context: Context) -> dict[str, Any]:
    """The OpenID configuration, with this server's addresses."""
    url = context.url
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{url}/o/oauth2/v2/auth",
        "device_authorization_endpoint": f"{url}/device/code",
        "token_endpoint": f"{url}/token",
        "userinfo_endpoint": f"{url}/v1/userinfo",
        "revocation_endpoint": f"{url}/revoke",
        "jwks_uri": f"{url}/oauth2/v3/certs",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": str.split("aud email email_verified exp family_name given_name iat iss name sub"),
        "code_challenge_methods_supported": ["plain", "S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "authorization_response_iss_parameter_supported": context.switches.iss != "absent",
    }
