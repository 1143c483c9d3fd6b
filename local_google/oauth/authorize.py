"""The authorization endpoint of accounts.google.com: choose an account, consent, return to the app with a code.

Sources: Google's guide "OAuth 2.0 for Web Server Applications", RFC 6749, and RFC 9207 for ``iss``.
Must not issue tokens.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from local_google.context import Context
from local_google.oauth import grants, scopes
from local_google.oauth.grants import AuthorizationRequest
from local_google.oauth.id_token import ISSUER, subject
from local_google.oauth.request import ShownError, read
from local_google.protocol.messages import Form, Request, Response, first
from local_google.rendering.page import COOKIE_ACCOUNT, foreign, language, page, set_cookie
from local_google.state.records import Account

Outcome = tuple[Response, str | None, str | None]


def authorize(context: Context, request: Request) -> Outcome:
    """Answer one step of the screens; also returns client id and account for the journal."""
    client_id = first(request.query, "client_id")
    if request.method not in ("GET", "HEAD", "POST") or foreign(request):
        return (
            page(request, "error.html", status=400, number=400, code="invalid_request", detail=""),
            client_id,
            None,
        )
    try:
        _demand_browser(request)
        authorization = read(context, request.query)
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
        return _posted(context, request, authorization)
    return _arrived(context, request, authorization)


def _demand_browser(request: Request) -> None:
    """Refuse embedded browsers, as Google does."""
    if "; wv)" in request.headers.get("user-agent", ""):  # how Android's web view calls itself
        raise ShownError("disallowed_useragent", request.headers["user-agent"], 403)


def _arrived(context: Context, request: Request, authorization: AuthorizationRequest) -> Outcome:
    candidate, client_id = _candidate(context, request, authorization), authorization.client.client_id
    if "none" in authorization.prompts:
        if candidate is None:
            # [R] no account is signed in
            return _refused(context, authorization, "interaction_required"), client_id, None
        if not grants.covered(context, candidate.email, authorization):
            # [R] the account has not allowed these scopes
            return _refused(context, authorization, "consent_required"), client_id, candidate.email
        return _accepted(context, authorization, candidate, authorization.scopes, shown=False)
    if candidate is None or "select_account" in authorization.prompts:
        return _chooser(context, request, authorization), client_id, None
    return _proceed(context, request, authorization, candidate)


def _candidate(context: Context, request: Request, authorization: AuthorizationRequest) -> Account | None:
    """The browser's account: by ``login_hint``, else the one chosen before, else the only one there is."""
    hinted = context.known(authorization.login_hint) or _by_subject(context, authorization.login_hint)
    if hinted is not None:
        return hinted
    remembered = context.known(request.cookie(COOKIE_ACCOUNT))
    if remembered is not None:
        return remembered
    everybody = [account for email in context.books.accounts if (account := context.known(email))]
    return everybody[0] if len(everybody) == 1 else None


def _by_subject(context: Context, hint: str | None) -> Account | None:
    """The account with this subject number of an id token."""
    return next(
        (a for email in context.books.accounts if subject(email) == hint and (a := context.known(email))),
        None,
    )


def _chooser(
    context: Context, request: Request, authorization: AuthorizationRequest, problem: str | None = None
) -> Response:
    accounts = [account for email in context.books.accounts if (account := context.known(email))]
    return page(
        request,
        "choose.html",
        form_action=authorization.redirect_uri,
        accounts=accounts,
        app=authorization.client.name,
        problem=problem,
    )


def _posted(context: Context, request: Request, authorization: AuthorizationRequest) -> Outcome:
    form, client_id = request.form, authorization.client.client_id
    email = (first(form, "account") or "").strip().lower()
    if first(form, "add") is not None and context.known(email) is None:
        problem = _add(context, email, first(form, "time_zone") or "UTC")
        if problem:
            return _chooser(context, request, authorization, problem), client_id, None
    account = context.known(email)
    if account is None:
        return _chooser(context, request, authorization, "unknown"), client_id, None
    decision = first(form, "decision")
    if decision == "cancel":
        return _refused(context, authorization, "access_denied"), client_id, account.email
    if decision == "allow":
        chosen = _chosen(context, authorization, form)
        if not chosen:
            # [R] no box ticked
            return _refused(context, authorization, "access_denied"), client_id, account.email
        return _accepted(context, authorization, account, chosen, shown=True)
    return _proceed(context, request, authorization, account)


def _add(context: Context, email: str, time_zone: str) -> str | None:
    local, at, domain = email.partition("@")
    if not (local and at and "." in domain) or any(c.isspace() or c in "<>\"'/," for c in email):
        return "address"
    if email in context.books.accounts:
        return "unknown"  # the account was deleted, and Google does not give an address out again
    context.add_account(Account(email, local, time_zone))
    return None


def _granular(context: Context, authorization: AuthorizationRequest) -> bool:
    return scopes.granular(authorization.scopes) and not context.switches.admin_trusted


def _chosen(context: Context, authorization: AuthorizationRequest, form: Form) -> list[str]:
    """The scopes that were allowed: all, or with boxes the ticked ones and the sign-in scopes."""
    if not _granular(context, authorization):
        return list(authorization.scopes)
    ticked = form.get("scope", [])
    return [scope for scope in authorization.scopes if scope in ticked or scope in scopes.SIGN_IN]


def _proceed(
    context: Context, request: Request, authorization: AuthorizationRequest, account: Account
) -> Outcome:
    if "consent" not in authorization.prompts and grants.covered(context, account.email, authorization):
        return _accepted(context, authorization, account, authorization.scopes, shown=False)
    shown = page(
        request,
        "consent.html",
        form_action=authorization.redirect_uri,
        account=account,
        app=authorization.client.name,
        lines=scopes.lines(authorization.scopes, language(request)),
        granular=_granular(context, authorization),
        testing=context.switches.testing_mode,
    )
    return set_cookie(shown, COOKIE_ACCOUNT, account.email), authorization.client.client_id, account.email


def _accepted(
    context: Context,
    authorization: AuthorizationRequest,
    account: Account,
    chosen: Sequence[str],
    *,
    shown: bool,
) -> Outcome:
    wanted = [scope for scope in authorization.scopes if scope in chosen]
    code = grants.allow(context, account.email, authorization, wanted, shown=shown)
    pairs = [*_state(authorization), *_issuer(context), ("code", code.code)]
    pairs.append(("scope", " ".join(scopes.in_full(code.scopes))))
    pairs.append(("authuser", str(list(context.books.accounts).index(account.email))))
    pairs.append(("prompt", "consent" if shown else "none"))
    answer = _redirect(authorization, pairs)
    return set_cookie(answer, COOKIE_ACCOUNT, account.email), authorization.client.client_id, account.email


def _refused(context: Context, authorization: AuthorizationRequest, error: str) -> Response:
    odd = context.switches.iss not in (
        None,
        "absent",
    )  # without the switch a refusal has error and state only
    return _redirect(
        authorization, [("error", error), *_state(authorization), *(_issuer(context) if odd else [])]
    )


def _state(authorization: AuthorizationRequest) -> list[tuple[str, str]]:
    return [] if authorization.state is None else [("state", authorization.state)]


def _issuer(context: Context) -> list[tuple[str, str]]:
    switch = context.switches.iss
    if switch == "absent":
        return []
    if switch == "twice":
        return [("iss", ISSUER), ("iss", ISSUER)]
    return [("iss", switch or ISSUER)]


def _redirect(authorization: AuthorizationRequest, pairs: list[tuple[str, str]]) -> Response:
    joint = "&" if "?" in authorization.redirect_uri else "?"
    location = authorization.redirect_uri + joint + urlencode(pairs, safe=":/")
    headers = (("Location", location), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"))
    return Response(302, b"", "text/html; charset=utf-8", headers)
