"""Consents, codes and tokens: how they come to be and how they die. Must not know HTTP."""

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
class Asked:
    """What an authorization request asked for, once it is known to be well formed."""

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


def consent_of(world: Context, email: str, project: str) -> GivenConsent | None:
    """What this account has allowed the project so far."""
    return world.books.consents.get(f"{email} {project}")


def covered(world: Context, email: str, asked: Asked) -> bool:
    """Whether nothing more than was allowed is asked, so that no screen is needed."""
    consent = consent_of(world, email, asked.client.project)
    if consent is None or not set(asked.scopes) <= set(consent.scopes):
        return False
    return consent.offline or not asked.offline  # [R] offline access is a line of its own


def allow(world: Context, email: str, asked: Asked, scopes: Sequence[str], *, shown: bool) -> Code:
    """Note the consent and make a code. ``shown``: the person has just seen the screen."""
    project, now = asked.client.project, world.now()
    earlier = consent_of(world, email, project)
    before = earlier.scopes if earlier else []
    offline = asked.offline or bool(earlier and earlier.offline)
    everything = list(dict.fromkeys([*scopes, *before]))
    granted = everything if asked.include_granted else list(scopes)
    world.books.save("consent", f"{email} {project}", GivenConsent(email, project, everything, offline, now))
    code = Code(
        identifiers.authorization_code(),
        email,
        asked.client.client_id,
        asked.redirect_uri,
        granted,
        offline=asked.offline,
        consented=shown,
        issued_at=now,
        challenge=asked.challenge,
        challenge_method=asked.challenge_method,
    )
    world.books.save("code", code.code, code)
    return code


def issue_refresh_token(world: Context, code: Code, client: RegisteredClient, scopes: Sequence[str]) -> Token:
    """A new refresh token; beyond the limit of live ones the oldest dies without a word."""
    now = world.now()
    expires = now + TESTING_SECONDS if world.switches.testing_mode else None
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
        for other in world.books.refresh_tokens.values()
        if other.account == code.account and other.client_id == client.client_id and other.alive(now)
    ]
    surplus = len(live) + 1 - world.switches.refresh_token_limit
    for oldest in sorted(live, key=lambda other: other.issued_at)[: max(surplus, 0)]:
        oldest.dead_at = now
        world.books.save("refresh", oldest.token, oldest)
    world.books.save("refresh", token.token, token)
    return token


def issue_access_token(
    world: Context, account: str, client: RegisteredClient, scopes: Sequence[str]
) -> Token:
    """A bearer token for an hour less a second."""
    now = world.now()
    token = Token(
        identifiers.access_token(),
        account,
        client.client_id,
        client.project,
        list(scopes),
        now,
        now + ACCESS_TOKEN_SECONDS,
    )
    if world.switches.enforced_scope:
        token.enforced = world.switches.enforced_scope.split()
    world.books.save("access", token.token, token)
    return token


def refresh_token_lives(world: Context, token: Token) -> bool:
    """Whether an exchange may still be made with it."""
    now = world.now()
    unused = now - token.used_at > UNUSED_SECONDS
    return token.alive(now) and not unused and world.known(token.account) is not None


def revoke_all(world: Context, account: str, project: str) -> None:
    """Everything this account gave the project dies: all scopes, all tokens, all client ids, the consent."""
    now = world.now()
    delay = world.switches.revocation_delay
    for table, token in world.books.tokens_of(account, project):
        if token.dead_at is None or token.dead_at > now + delay:
            token.dead_at = now + delay
            world.books.save(table, token.token, token)
    for code in list(world.books.codes.values()):
        client = world.clients.get(code.client_id)  # gone, if the books are older than the list of clients
        if code.account == account and (client is None or client.project == project):
            world.books.remove("code", code.code)
    world.books.remove("consent", f"{account} {project}")
    if delay and world.switches.revocation_kills_later_grants:
        world.late_revocations.append((now + delay, account, project))


def settle_late_revocations(world: Context) -> None:
    """[I] A revocation that takes effect late may take with it what was granted meanwhile (see the switch)."""
    now = world.now()
    due = [late for late in world.late_revocations if late[0] <= now]
    for late in due:
        world.late_revocations.remove(late)
        moment, account, project = late
        for table, token in world.books.tokens_of(account, project):
            if token.issued_at <= moment and token.dead_at is None:
                token.dead_at = moment
                world.books.save(table, token.token, token)
        world.books.remove("consent", f"{account} {project}")


def revoke_token(world: Context, text: str) -> bool:
    """Revoke by either kind of token; False if it is unknown, expired or already revoked."""
    token = world.books.refresh_tokens.get(text) or world.books.access_tokens.get(text)
    if token is None or not token.alive(world.now()):
        return False
    revoke_all(world, token.account, token.project)
    return True
