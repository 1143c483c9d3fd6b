"""Revocation and the look at a token. Must not know what a token opens."""

from typing import Any

from local_google.context import Context
from local_google.oauth import grants
from local_google.oauth.token import TokenError, json_answer
from local_google.protocol.messages import Request, Response, first


def revoke(world: Context, request: Request) -> tuple[Response, str | None, str | None]:
    """Kill the grant behind a token, given in a form or the query; with client and account for the journal."""
    text = first(request.form, "token") or first(request.query, "token")
    if request.method != "POST" or not text:
        return TokenError("invalid_request", "Bad Request").answer(), None, None
    token = world.books.refresh_tokens.get(text) or world.books.access_tokens.get(text)
    client_id, account = (token.client_id, token.account) if token else (None, None)
    if not grants.revoke_token(world, text):
        return TokenError("invalid_token", "Token expired or revoked").answer(), client_id, account
    return json_answer({}), client_id, account


def tokeninfo(world: Context, request: Request) -> tuple[Response, str | None, str | None]:
    """What an access token is good for; an address only if that scope was asked."""
    token = world.books.access_tokens.get(first(request.query, "access_token") or "")
    now = world.now()
    if token is None or not token.alive(now) or token.expires_at is None:
        return TokenError("invalid_token", "Invalid Value").answer(), None, None  # [R] the text
    document: dict[str, Any] = {
        "issued_to": token.client_id,
        "audience": token.client_id,
        "scope": " ".join(token.scopes),
        "expires_in": int(token.expires_at - now),
        "access_type": "offline",
    }
    if "https://www.googleapis.com/auth/userinfo.email" in token.scopes:
        document["email"] = token.account
    return json_answer(document), token.client_id, token.account
