"""Whom a token stands for: userinfo and tokeninfo, each in its present and its older form.

Sources: Google's page on OpenID Connect, the discovery document ``oauth2.v2``, and google-auth-library's ``TokenInfo``.
"""

from collections.abc import Mapping
from typing import Any

from local_google import errors
from local_google.context import Context
from local_google.oauth import scopes
from local_google.oauth.id_token import claims_of, profile, subject
from local_google.oauth.token import TokenError, json_answer
from local_google.protocol.messages import Request, Response, first
from local_google.state.records import Token

Outcome = tuple[Response, str | None, str | None]


def _sent(request: Request, name: str) -> str:
    return first(request.query, name) or first(request.form, name) or ""


def _access_token(context: Context, request: Request) -> Token | None:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    text = bearer.strip() if scheme.lower() == "bearer" else _sent(request, "access_token")
    token = context.books.access_tokens.get(text)
    alive = token is not None and token.alive(context.now()) and context.known(token.account) is not None
    return token if alive else None


def _signed_in(token: Token) -> bool:
    return not scopes.SIGN_IN.keys().isdisjoint(token.scopes)


def userinfo(context: Context, request: Request) -> Outcome:
    """The account of an access token, as far as its scopes tell."""
    return _userinfo(context, request, {})


def old_userinfo(context: Context, request: Request) -> Outcome:
    """The same in the form of ``/oauth2/v1`` and ``v2``."""
    return _userinfo(context, request, {"sub": "id", "email_verified": "verified_email"})


def _userinfo(context: Context, request: Request, older: Mapping[str, str]) -> Outcome:
    token = _access_token(context, request)
    if token is None:
        return errors.unauthenticated().answer(), None, None
    if not _signed_in(token):  # [R] status and text
        return errors.login_required().answer(), token.client_id, token.account
    document = {older.get(name, name): value for name, value in profile(context, token).items()}
    return json_answer(document), token.client_id, token.account


def tokeninfo(context: Context, request: Request) -> Outcome:
    """Describe an access or id token; numbers are texts, the address comes only under its scope."""
    text = _sent(request, "id_token")
    if text:
        claims = claims_of(context, text)
        if claims is None:
            return _invalid_value()
        return json_answer(_in_texts(claims)), claims["aud"], None
    token = _access_token(context, request)
    if token is None or token.expires_at is None:
        return _invalid_value()
    document: dict[str, Any] = {"azp": token.client_id, "aud": token.client_id}
    if _signed_in(token):
        document["sub"] = subject(token.account)
    document |= {
        "scope": " ".join(token.scopes),
        "exp": int(token.expires_at),
        "expires_in": int(token.expires_at - context.now()),
        "access_type": _access_type(token),
    }
    if scopes.ALIASES["email"] in token.scopes:
        document |= {"email": token.account, "email_verified": True}
    return json_answer(_in_texts(document)), token.client_id, token.account


def old_tokeninfo(context: Context, request: Request) -> Outcome:
    """The same in the form of ``/oauth2/v1/tokeninfo``."""
    token = _access_token(context, request)
    if token is None or token.expires_at is None:
        return _invalid_value()
    document: dict[str, Any] = {"issued_to": token.client_id, "audience": token.client_id}
    if _signed_in(token):
        document["user_id"] = subject(token.account)
    document |= {"scope": " ".join(token.scopes), "expires_in": int(token.expires_at - context.now())}
    if scopes.ALIASES["email"] in token.scopes:
        document |= {"email": token.account, "verified_email": True}
    return json_answer(document | {"access_type": _access_type(token)}), token.client_id, token.account


def _access_type(token: Token) -> str:
    return "offline" if token.offline else "online"


def _in_texts(document: dict[str, Any]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in document.items()
    }


def _invalid_value() -> Outcome:
    return TokenError("invalid_token", "Invalid Value").answer(), None, None  # [R] the text
