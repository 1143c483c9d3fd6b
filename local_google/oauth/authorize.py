"""The authorization endpoint: who are you, do you allow this, back to the app. Must not issue tokens."""

from collections.abc import Sequence
from urllib.parse import urlencode

from local_google.context import Context
from local_google.oauth import grants, scopes
from local_google.oauth.grants import Asked
from local_google.oauth.id_token import ISSUER, subject
from local_google.oauth.request import ShownError, read
from local_google.protocol.messages import Form, Request, Response, first
from local_google.rendering.page import COOKIE_ACCOUNT, foreign, language, page, set_cookie
from local_google.state.records import Account

Outcome = tuple[Response, str | None, str | None]


def authorize(world: Context, request: Request) -> Outcome:
    """One step of the way through the screens; with client and account for the journal."""
    client_id = first(request.query, "client_id")
    if request.method not in ("GET", "HEAD", "POST") or foreign(request):
        return (
            page(request, "error.html", status=400, number=400, code="invalid_request", detail=""),
            client_id,
            None,
        )
    try:
        _demand_browser(request)
        asked = read(world, request.query)
    except ShownError as error:
        shown = page(
            request,
            "error.html",
            status=error.status,
            number=error.status,
            code=error.code,
            detail=error.detail,
        )
        return shown, client_id, None
    if request.method == "POST":
        return _posted(world, request, asked)
    return _arrived(world, request, asked)


def _demand_browser(request: Request) -> None:
    """A view inside of an app is no place to give consent in."""
    if "; wv)" in request.headers.get("user-agent", ""):  # how Android's web view calls itself
        raise ShownError("disallowed_useragent", request.headers["user-agent"], 403)


def _arrived(world: Context, request: Request, asked: Asked) -> Outcome:
    candidate = _candidate(world, request, asked)
    if "none" in asked.prompts:
        if candidate is None:
            return _refused(world, asked, "interaction_required"), asked.client.client_id, None  # [R]
        if not grants.covered(world, candidate.email, asked):
            return _refused(world, asked, "consent_required"), asked.client.client_id, candidate.email  # [R]
        return _accepted(world, asked, candidate, asked.scopes, shown=False)
    if candidate is None or "select_account" in asked.prompts:
        return _chooser(world, request, asked), asked.client.client_id, None
    return _proceed(world, request, asked, candidate)


def _candidate(world: Context, request: Request, asked: Asked) -> Account | None:
    """Whom this browser belongs to: the one hinted at, the one chosen before, or the only one there is."""
    hinted = world.known(asked.login_hint) or _by_subject(world, asked.login_hint)
    if hinted is not None:
        return hinted
    remembered = world.known(request.cookie(COOKIE_ACCOUNT))
    if remembered is not None:
        return remembered
    everybody = [account for email in world.books.accounts if (account := world.known(email))]
    return everybody[0] if len(everybody) == 1 else None


def _by_subject(world: Context, hint: str | None) -> Account | None:
    """The account with this number, as an id token names it."""
    return next(
        (a for email in world.books.accounts if subject(email) == hint and (a := world.known(email))), None
    )


def _chooser(world: Context, request: Request, asked: Asked, problem: str | None = None) -> Response:
    accounts = [account for email in world.books.accounts if (account := world.known(email))]
    return page(
        request,
        "choose.html",
        form_action=asked.redirect_uri,
        accounts=accounts,
        app=asked.client.name,
        problem=problem,
    )


def _posted(world: Context, request: Request, asked: Asked) -> Outcome:
    form, client_id = request.form, asked.client.client_id
    email = (first(form, "account") or "").strip().lower()
    if first(form, "add") is not None and world.known(email) is None:
        problem = _add(world, email, first(form, "time_zone") or "UTC")
        if problem:
            return _chooser(world, request, asked, problem), client_id, None
    account = world.known(email)
    if account is None:
        return _chooser(world, request, asked, "unknown"), client_id, None
    decision = first(form, "decision")
    if decision == "cancel":
        return _refused(world, asked, "access_denied"), client_id, account.email
    if decision == "allow":
        chosen = _chosen(world, asked, form)
        if not chosen:
            return _refused(world, asked, "access_denied"), client_id, account.email  # [R] no box ticked
        return _accepted(world, asked, account, chosen, shown=True)
    return _proceed(world, request, asked, account)


def _add(world: Context, email: str, time_zone: str) -> str | None:
    local, at, domain = email.partition("@")
    if not (local and at and "." in domain) or any(c.isspace() or c in "<>\"'/," for c in email):
        return "address"
    if email in world.books.accounts:
        return "unknown"  # deleted, and an address is not given out twice
    world.add_account(Account(email, local, time_zone))
    return None


def _granular(world: Context, asked: Asked) -> bool:
    return scopes.granular(asked.scopes) and not world.switches.admin_trusted


def _chosen(world: Context, asked: Asked, form: Form) -> list[str]:
    """Where boxes were shown, those that were ticked, and what goes without a box."""
    if not _granular(world, asked):
        return list(asked.scopes)
    ticked = form.get("scope", [])
    return [scope for scope in asked.scopes if scope in ticked or scope in scopes.SIGN_IN]


def _proceed(world: Context, request: Request, asked: Asked, account: Account) -> Outcome:
    if "consent" not in asked.prompts and grants.covered(world, account.email, asked):
        return _accepted(world, asked, account, asked.scopes, shown=False)
    shown = page(
        request,
        "consent.html",
        form_action=asked.redirect_uri,
        account=account,
        app=asked.client.name,
        lines=scopes.lines(asked.scopes, language(request)),
        granular=_granular(world, asked),
        testing=world.switches.testing_mode,
    )
    return set_cookie(shown, COOKIE_ACCOUNT, account.email), asked.client.client_id, account.email


def _accepted(
    world: Context, asked: Asked, account: Account, chosen: Sequence[str], *, shown: bool
) -> Outcome:
    wanted = [scope for scope in asked.scopes if scope in chosen]
    code = grants.allow(world, account.email, asked, wanted, shown=shown)
    pairs = [*_state(asked), *_issuer(world), ("code", code.code)]
    pairs.append(("scope", " ".join(scopes.in_full(code.scopes))))
    pairs.append(("authuser", str(list(world.books.accounts).index(account.email))))
    pairs.append(("prompt", "consent" if shown else "none"))
    answer = _redirect(asked, pairs)
    return set_cookie(answer, COOKIE_ACCOUNT, account.email), asked.client.client_id, account.email


def _refused(world: Context, asked: Asked, error: str) -> Response:
    odd = world.switches.iss not in (None, "absent")  # plain refusals carry the error and the state alone
    return _redirect(asked, [("error", error), *_state(asked), *(_issuer(world) if odd else [])])


def _state(asked: Asked) -> list[tuple[str, str]]:
    return [] if asked.state is None else [("state", asked.state)]


def _issuer(world: Context) -> list[tuple[str, str]]:
    switch = world.switches.iss
    if switch == "absent":
        return []
    if switch == "twice":
        return [("iss", ISSUER), ("iss", ISSUER)]
    return [("iss", switch or ISSUER)]


def _redirect(asked: Asked, pairs: list[tuple[str, str]]) -> Response:
    joint = "&" if "?" in asked.redirect_uri else "?"
    location = asked.redirect_uri + joint + urlencode(pairs, safe=":/")
    headers = (("Location", location), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"))
    return Response(302, b"", "text/html; charset=utf-8", headers)
