"""Consents, authorization codes and tokens: how they are issued and how they end. Must not know HTTP.

Source: Google's OAuth 2.0 guides, "Refresh token expiration" among them (docs/local-google.md, the OAuth chapters).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from local_google.context import Context
from local_google.state import identifiers
from local_google.state.clients import RegisteredClient
from local_google.state.records import Code, GivenConsent, Token

ACCESS_TOKEN_SECONDS = 3599
CODE_SECONDS = 600  # [R] about ten minutes, single use
TESTING_SECONDS = 7 * 86400
UNUSED_SECONDS = 182 * 86400  # "six months" without an exchange


@dataclass(frozen=True)
class AuthorizationRequest:
    """A well-formed authorization request."""

    client: RegisteredClient
    redirect_uri: str
    scopes: Sequence[str]
    offline: bool
    include_granted: bool = False
    challenge: str | None = None
    challenge_method: str | None = None
    prompts: frozenset[str] = field(default_factory=frozenset)
    state: str | None = None
    login_hint: str | None = None
    nonce: str | None = None


def consent_of(context: Context, email: str, project: str) -> GivenConsent | None:
    """What this account has allowed the project so far."""
    return context.books.consents.get(f"{email} {project}")


def covered(context: Context, email: str, authorization: AuthorizationRequest) -> bool:
    """Whether the account has already allowed all of it, so that no screen is needed."""
    consent = consent_of(context, email, authorization.client.project)
    if consent is None or not set(authorization.scopes) <= set(consent.scopes):
        return False
    return consent.offline or not authorization.offline  # [R] offline access is a line of its own


def allow(
    context: Context, email: str, authorization: AuthorizationRequest, scopes: Sequence[str], *, shown: bool
) -> Code:
    """Record the consent and create a code. ``shown``: the person has just seen the screen."""
    project, now = authorization.client.project, context.now()
    earlier = consent_of(context, email, project)
    before = earlier.scopes if earlier else []
    offline = authorization.offline or bool(earlier and earlier.offline)
    everything = list(dict.fromkeys([*scopes, *before]))
    granted = everything if authorization.include_granted else list(scopes)
    context.books.save(
        "consent", f"{email} {project}", GivenConsent(email, project, everything, offline, now)
    )
    code = Code(
        identifiers.authorization_code(),
        email,
        authorization.client.client_id,
        authorization.redirect_uri,
        granted,
        offline=authorization.offline,
        consented=shown,
        issued_at=now,
        challenge=authorization.challenge,
        challenge_method=authorization.challenge_method,
        nonce=authorization.nonce,
    )
    context.books.save("code", code.code, code)
    return code


def issue_refresh_token(
    context: Context, code: Code, client: RegisteredClient, scopes: Sequence[str]
) -> Token:
    """A new refresh token. Beyond the limit of live tokens the oldest ends, without any notice to the app."""
    now = context.now()
    expires = now + TESTING_SECONDS if context.switches.testing_mode else None
    token = Token(
        identifiers.refresh_token(),
        code.account,
        client.client_id,
        client.project,
        list(scopes),
        now,
        expires,
    )
    token.used_at = now
    live = [
        other
        for other in context.books.refresh_tokens.values()
        if other.account == code.account and other.client_id == client.client_id and other.alive(now)
    ]
    surplus = len(live) + 1 - context.switches.refresh_token_limit
    for oldest in sorted(live, key=lambda other: other.issued_at)[: max(surplus, 0)]:
        oldest.dead_at = now
        context.books.save("refresh", oldest.token, oldest)
    context.books.save("refresh", token.token, token)
    return token


def issue_access_token(
    context: Context, account: str, client: RegisteredClient, scopes: Sequence[str], *, offline: bool = False
) -> Token:
    """A bearer token for an hour less a second. ``offline``: the app may act without the person."""
    now = context.now()
    token = Token(
        identifiers.access_token(),
        account,
        client.client_id,
        client.project,
        list(scopes),
        now,
        now + ACCESS_TOKEN_SECONDS,
        offline=offline,
    )
    if context.switches.enforced_scope:
        token.enforced = context.switches.enforced_scope.split()
    context.books.save("access", token.token, token)
    return token


def refresh_token_lives(context: Context, token: Token) -> bool:
    """Whether the token can still be exchanged for an access token."""
    now = context.now()
    unused = now - token.used_at > UNUSED_SECONDS
    return token.alive(now) and not unused and context.known(token.account) is not None


def revoke_all(context: Context, account: str, project: str) -> None:
    """End all that this account granted the project: the consent and the tokens of every scope and client id."""
    now = context.now()
    delay = context.switches.revocation_delay
    for table, token in context.books.tokens_of(account, project):
        if token.dead_at is None or token.dead_at > now + delay:
            token.dead_at = now + delay
            context.books.save(table, token.token, token)
    for code in list(context.books.codes.values()):
        client = context.clients.get(
            code.client_id
        )  # None if the client was registered in an earlier run only
        if code.account == account and (client is None or client.project == project):
            context.books.remove("code", code.code)
    context.books.remove("consent", f"{account} {project}")
    if delay and context.switches.revocation_kills_later_grants:
        context.late_revocations.append((now + delay, account, project))


def settle_late_revocations(context: Context) -> None:
    """[I] A delayed revocation also ends what was granted meanwhile (switch revocation_kills_later_grants)."""
    now = context.now()
    due = [late for late in context.late_revocations if late[0] <= now]
    for late in due:
        context.late_revocations.remove(late)
        moment, account, project = late
        for table, token in context.books.tokens_of(account, project):
            if token.issued_at <= moment and token.dead_at is None:
                token.dead_at = moment
                context.books.save(table, token.token, token)
        context.books.remove("consent", f"{account} {project}")


def revoke_token(context: Context, text: str) -> bool:
    """Revoke by either kind of token; False if it is unknown, expired or already revoked."""
    token = context.books.refresh_tokens.get(text) or context.books.access_tokens.get(text)
    if token is None or not token.alive(context.now()):
        return False
    revoke_all(context, token.account, token.project)
    return True
