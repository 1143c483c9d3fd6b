"""The revocation endpoint of oauth2.googleapis.com. Source: Google's OAuth 2.0 guide, RFC 7009."""

from local_google.context import Context
from local_google.oauth import grants
from local_google.oauth.token import TokenError, json_answer
from local_google.protocol.messages import Request, Response, first


def revoke(context: Context, request: Request) -> tuple[Response, str | None, str | None]:
    """End the grant of a token in form or query; also returns client id and account for the journal."""
    if request.method != "POST":
        return TokenError("invalid_request", "Bad Request").answer(), None, None
    return old_revoke(context, request)


def old_revoke(context: Context, request: Request) -> tuple[Response, str | None, str | None]:
    """The same at ``/o/oauth2/revoke``, which takes a GET too."""
    text = first(request.form, "token") or first(request.query, "token")
    if not text:
        return TokenError("invalid_request", "Bad Request").answer(), None, None
    token = context.books.refresh_tokens.get(text) or context.books.access_tokens.get(text)
    client_id, account = (token.client_id, token.account) if token else (None, None)
    if not grants.revoke_token(context, text):
        return TokenError("invalid_token", "Token expired or revoked").answer(), client_id, account
    return json_answer({}), client_id, account
