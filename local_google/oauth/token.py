"""The token endpoint of oauth2.googleapis.com: exchanges codes and refresh tokens for access tokens.

Sources: Google's OAuth 2.0 guide, RFC 6749, RFC 7636 (docs/local-google.md, "Oauth tokens").
"""

import base64
import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlencode

import msgspec

from local_google.context import Context
from local_google.errors import ApiError
from local_google.oauth import grants, scopes
from local_google.oauth.id_token import id_token
from local_google.protocol.messages import FORM, JSON, Request, Response, first
from local_google.state.clients import RegisteredClient
from local_google.state.records import Code, Token

NO_STORE = (("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"), ("Pragma", "no-cache"))


class TokenError(Exception):
    """A refusal of the token or revocation endpoint."""

    def __init__(self, error: str, description: str | None = None, status: int = 400, **more: str) -> None:
        self.error, self.status = error, status
        self.document = {"error": error}
        if description is not None:
            self.document["error_description"] = description
        self.document |= more
        super().__init__(error)

    def answer(self) -> Response:
        """JSON, indented by two."""
        return json_answer(self.document, self.status)


def json_answer(document: dict[str, Any], status: int = 200) -> Response:
    """A JSON answer that no cache may store."""
    body = msgspec.json.format(msgspec.json.encode(document), indent=2)
    return Response(status, body, JSON, NO_STORE)


def token(context: Context, request: Request) -> tuple[Response, str | None, str | None]:
    """Return the answer, and client id and account for the journal."""
    client_id: str | None = None
    account: str | None = None
    try:
        request = _as_form(request)
        grant_type = _grant_type(request)
        client_id = _credentials(request)[0]
        client = _client(context, request)
        if grant_type == "authorization_code":
            code = _code(context, request, client)
            account = code.account
            answer = _exchange(context, client, code)
        else:
            held = _refresh_token(context, request, client)
            account = held.account
            answer = _refresh(context, request, client, held)
    except TokenError as error:
        return error.answer(), client_id, account
    except ApiError as error:
        return error.answer(), client_id, account
    return answer, client_id, account


def _as_form(request: Request) -> Request:
    """The request with its JSON body, which Google reads as well, written as a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return request
    try:
        fields = msgspec.json.decode(request.body, type=dict[str, str | int | None])
    except (msgspec.DecodeError, ValueError, RecursionError):
        message = "Invalid JSON payload received."  # the rest of the text names the place: not known
        raise ApiError(400, "badRequest", message, status_name="INVALID_ARGUMENT") from None
    body = urlencode({name: value for name, value in fields.items() if value is not None}).encode()
    return replace(request, body=body, headers={**request.headers, "content-type": FORM})


def _grant_type(request: Request) -> str:
    if request.method != "POST":  # [R]
        raise TokenError("invalid_request", "Unsupported method", 405)
    grant_type = first(request.form, "grant_type") or ""
    if grant_type not in ("authorization_code", "refresh_token"):
        raise TokenError("unsupported_grant_type", f"Invalid grant_type: {grant_type}")
    return grant_type


def _needed(request: Request, name: str) -> str:
    value = first(request.form, name)
    if not value:
        raise TokenError("invalid_request", f"Missing required parameter: {name}")
    return value


def _credentials(request: Request) -> tuple[str | None, str | None]:
    """Client id and secret: from the Authorization header (google-auth-oauthlib) or the body (google-auth)."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            identifier, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            raise TokenError("invalid_client", "The OAuth client was not found.", 401) from None
        return unquote(identifier), unquote(secret)
    return first(request.form, "client_id"), first(request.form, "client_secret")


def _client(context: Context, request: Request) -> RegisteredClient:
    identifier, secret = _credentials(request)
    if not identifier:
        raise TokenError("invalid_request", "Could not determine client ID from request.")  # [R]
    if identifier in context.switches.deleted_clients:
        raise TokenError("deleted_client", "The OAuth client was deleted.", 401)
    client = context.clients.get(identifier)
    if client is None:
        raise TokenError("invalid_client", "The OAuth client was not found.", 401)
    if not secret:
        raise TokenError("invalid_request", "client_secret is missing.")
    if secret != client.client_secret:
        raise TokenError("invalid_client", "Unauthorized", 401)
    return client


def _code(context: Context, request: Request, client: RegisteredClient) -> Code:
    text = _needed(request, "code")
    code = context.books.codes.get(text)
    if code is None or code.client_id != client.client_id:
        raise TokenError("invalid_grant", "Malformed auth code.")
    if code.used or context.now() - code.issued_at > grants.CODE_SECONDS:
        raise TokenError("invalid_grant", "Bad Request")
    if first(request.form, "redirect_uri") != code.redirect_uri:
        raise TokenError("redirect_uri_mismatch", "Bad Request")  # [R]
    code.used = True  # [I] a wrong verifier spends the code too
    context.books.save("code", code.code, code)
    _check_verifier(code, first(request.form, "code_verifier"))
    if context.known(code.account) is None:
        raise TokenError("invalid_grant", "Bad Request")
    return code


def _check_verifier(code: Code, verifier: str | None) -> None:
    if code.challenge is None:
        if verifier:
            raise TokenError("invalid_grant", "code_verifier or verifier is not needed")
        return
    if not verifier:
        raise TokenError("invalid_grant", "Missing code verifier.")
    challenge = verifier
    if code.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if challenge != code.challenge:
        raise TokenError("invalid_grant", "Invalid code verifier.")  # [R] the text


def _exchange(context: Context, client: RegisteredClient, code: Code) -> Response:
    switches = context.switches
    granted = scopes.as_switched(scopes.in_full(code.scopes), switches.granted_scope)
    access = grants.issue_access_token(context, code.account, client, granted, offline=code.offline)
    document: dict[str, Any] = {"access_token": access.token, "expires_in": grants.ACCESS_TOKEN_SECONDS}
    if code.offline and code.consented and not switches.refresh_token_omitted:
        refresh = grants.issue_refresh_token(context, code, client, granted)
        document["refresh_token"] = refresh.token
        if refresh.expires_at is not None:
            document["refresh_token_expires_in"] = grants.TESTING_SECONDS - 1
    if switches.granted_scope != "absent":
        document["scope"] = " ".join(granted)
    document["token_type"] = "Bearer"  # noqa: S105 - a kind, no secret
    return json_answer(document | _identity(context, access, code.nonce))


def _refresh_token(context: Context, request: Request, client: RegisteredClient) -> Token:
    text = _needed(request, "refresh_token")
    held = context.books.refresh_tokens.get(text)
    if held is None:
        raise TokenError("invalid_grant", "Bad Request")
    if held.client_id != client.client_id:
        raise TokenError("unauthorized_client", "Unauthorized", 401)
    if not grants.refresh_token_lives(context, held):
        raise TokenError("invalid_grant", "Token has been expired or revoked.")
    if context.switches.admin_block:
        raise TokenError("admin_policy_enforced", "Blocked by an administrator.")  # the description: [R]
    return held


def _refresh(context: Context, request: Request, client: RegisteredClient, held: Token) -> Response:
    wanted = scopes.in_full((first(request.form, "scope") or " ".join(held.scopes)).split())
    if not set(wanted) <= set(held.scopes):
        raise TokenError("invalid_scope", "Some requested scopes were invalid.")  # [R] the text
    held.used_at = context.now()
    access = grants.issue_access_token(context, held.account, client, wanted, offline=True)
    document: dict[str, Any] = {"access_token": access.token, "expires_in": grants.ACCESS_TOKEN_SECONDS}
    if context.switches.rotate_refresh_tokens:
        document["refresh_token"] = _rotated(context, client, held).token
    if held.expires_at is not None:
        document["refresh_token_expires_in"] = int(held.expires_at - context.now())
    context.books.save("refresh", held.token, held)
    document |= {"scope": " ".join(wanted), "token_type": "Bearer"}
    return json_answer(document | _identity(context, access))


def _identity(context: Context, access: Token, nonce: str | None = None) -> dict[str, str]:
    """The id token, if a sign-in scope was granted."""
    if scopes.SIGN_IN.keys().isdisjoint(access.scopes):
        return {}
    return {"id_token": id_token(context, access, nonce)}


def _rotated(context: Context, client: RegisteredClient, held: Token) -> Token:
    stand_in = Code("", held.account, client.client_id, "", held.scopes, True, True, context.now())  # noqa: FBT003
    fresh = grants.issue_refresh_token(context, stand_in, client, held.scopes)
    held.dead_at = context.now()
    return fresh
