"""Parses an authorization request and refuses a bad one before any screen is shown.

Sources: Google's guide "OAuth 2.0 for Web Server Applications", "Authorization errors"; RFC 7636 for PKCE.
"""

from collections.abc import Mapping

from local_google.context import Context
from local_google.oauth import scopes
from local_google.oauth.grants import AuthorizationRequest
from local_google.protocol.messages import Form, first
from local_google.state.clients import RegisteredClient

PROMPTS = frozenset({"none", "consent", "select_account"})


class ShownError(Exception):
    """An error that Google shows as a page and does not send back to the app."""

    def __init__(self, code: str, detail: str, status: int = 400) -> None:
        self.code, self.detail, self.status = code, detail, status
        super().__init__(code)


def read(context: Context, query: Form) -> AuthorizationRequest:
    """Parse the query; raises ShownError if it is not well formed."""
    client = _client(context, query)
    redirect_uri = _needed(query, "redirect_uri")
    if not client.accepts(redirect_uri):
        raise ShownError("redirect_uri_mismatch", redirect_uri)
    if _needed(query, "response_type") != "code":
        raise ShownError("invalid_request", "response_type")
    wanted = list(dict.fromkeys(_needed(query, "scope").split()))
    unknown = [scope for scope in wanted if not scopes.known(scope)]
    if unknown:
        raise ShownError("invalid_scope", " ".join(unknown))
    if context.switches.admin_block:
        raise ShownError("admin_policy_enforced", client.name)
    if context.switches.org_internal:
        raise ShownError("org_internal", client.name, 403)
    if context.switches.sign_in_rate_limited:
        raise ShownError("rate_limit_exceeded", client.name, 403)
    challenge = first(query, "code_challenge")
    return AuthorizationRequest(
        client,
        redirect_uri,
        wanted,
        # Google: "refresh tokens are always returned for installed applications".
        offline=_choice(query, "access_type", ("online", "offline")) == "offline" or client.desktop,
        include_granted=first(query, "include_granted_scopes") == "true",
        challenge=challenge,
        challenge_method=_choice(query, "code_challenge_method", ("plain", "S256")) if challenge else None,
        prompts=_prompts(query),
        state=first(query, "state"),
        login_hint=first(query, "login_hint"),
        nonce=first(query, "nonce"),
    )


def _client(context: Context, query: Form) -> RegisteredClient:
    identifier = _needed(query, "client_id")
    if identifier in context.switches.deleted_clients:
        raise ShownError("deleted_client", identifier, 401)
    clients: Mapping[str, RegisteredClient] = context.clients
    if identifier not in clients:
        raise ShownError("invalid_client", identifier, 401)
    return clients[identifier]


def _needed(query: Form, name: str) -> str:
    values = query.get(name, [])
    if len(values) > 1:
        raise ShownError("invalid_request", name)  # [R] parameters given twice
    if not values or not values[0]:
        raise ShownError("invalid_request", name)
    return values[0]


def _choice(query: Form, name: str, allowed: tuple[str, ...]) -> str:
    value = first(query, name) or allowed[0]
    if value not in allowed:
        raise ShownError("invalid_request", name)
    return value


def _prompts(query: Form) -> frozenset[str]:
    approval = first(query, "approval_prompt")  # the older name of prompt
    if approval is not None and "prompt" in query:
        raise ShownError("invalid_request", "Conflict params: approval_prompt and prompt")
    if approval not in (None, "force"):
        raise ShownError("invalid_request", f"approval_prompt: '{approval}' is not valid")
    prompts = frozenset((first(query, "prompt") or ("consent" if approval else "")).split())
    if not prompts <= PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise ShownError("invalid_request", "prompt")
    return prompts
