"""The endpoints /revoke and /tokeninfo of oauth2.googleapis.com. Source: Google's OAuth 2.0 guide, RFC 7009."""

from typing import Any

from local_google.context import Context
from local_google.oauth import grants
from local_google.oauth.token import TokenError, json_answer
from local_google.protocol.messages import Request, Response, first


def revoke(context: Context, request: Request) -> tuple[Response, str | None, str | None]:
    """End the grant of a token in form or query; also returns client id and account for the journal."""
    text = first(request.form, "token") or first(request.query, "token")
    if request.method != "POST" or not text:
        return TokenError("invalid_request", "Bad Request").answer(), None, None
    token = context.books.refresh_tokens.get(text) or context.books.access_tokens.get(text)
    client_id, account = (token.client_id, token.account) if token else (None, None)
    if not grants.revoke_token(context, text):
        return TokenError("invalid_token", "Token expired or revoked").answer(), client_id, account
    return json_answer({}), client_id, account


def tokeninfo(context: Context, request: Request) -> tuple[Response, str | None, str | None]:
    """Describe an access token; with the address only under that scope."""
    token = context.books.access_tokens.get(first(request.query, "access_token") or "")
    now = context.now()
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
