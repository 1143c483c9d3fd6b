"""The pages for people, by path: accounts, calendar, apps with access. Stand for Google's own web pages."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from local_google import errors
from local_google.context import Context
from local_google.oauth import grants, scopes
from local_google.people import actions
from local_google.people.week import week_page
from local_google.people.week_words import long_date
from local_google.protocol.messages import Form, Request, Response, first
from local_google.rendering.page import COOKIE_ACCOUNT, foreign, language, page, redirect, set_cookie, style
from local_google.state.records import Account


def serve(context: Context, request: Request) -> Response:
    """Answer a browser."""
    if request.method == "POST":
        return _acted(context, request)
    if request.method not in ("GET", "HEAD"):
        return errors.html_page(404)
    if request.raw_path == "/":
        return page(request, "accounts.html", accounts=_everybody(context))
    if request.raw_path == "/calendar":
        account = chosen(context, request.query, request)
        return (
            errors.html_page(404)
            if account is None
            else _remember(week_page(context, request, account), account)
        )
    if request.raw_path == "/calendar/event":
        return redirect(actions.event_address(context, first(request.query, "eid") or ""))
    if request.raw_path == "/permissions":
        return _permissions(context, request)
    if request.raw_path == "/_style.css":
        return style()
    return page(request, "missing.html", status=404)


def _everybody(context: Context) -> list[Account]:
    return [account for email in context.books.accounts if (account := context.known(email))]


def chosen(context: Context, values: Form, request: Request) -> Account | None:
    """The account in the form or query, else the one this browser used before, else the first."""
    for email in (first(values, "account"), request.cookie(COOKIE_ACCOUNT)):
        account = context.known(email)
        if account is not None:
            return account
    everybody = _everybody(context)
    return everybody[0] if everybody else None


def _remember(answer: Response, account: Account) -> Response:
    return set_cookie(answer, COOKIE_ACCOUNT, account.email)


def _permissions(context: Context, request: Request) -> Response:
    account = chosen(context, request.query, request)
    if account is None:
        return errors.html_page(404)
    apps = []
    for consent in context.books.consents.values():
        if consent.account == account.email:
            names = {c.name for c in context.clients.values() if c.project == consent.project}
            since = long_date(datetime.fromtimestamp(consent.granted_at, UTC).date(), language(request))
            name = ", ".join(sorted(names)) or consent.project
            apps.append((consent, name, since, scopes.lines(consent.scopes, language(request))))
    shown = page(
        request,
        "permissions.html",
        account=account,
        accounts=_everybody(context),
        apps=apps,
        removed="removed" in request.query,
    )
    return _remember(shown, account)


def _acted(context: Context, request: Request) -> Response:
    if request.raw_path not in ("/permissions", "/calendar"):
        return page(request, "missing.html", status=404)
    account = context.known(first(request.form, "account"))
    if foreign(request) or account is None:
        return page(request, "missing.html", status=403)
    if request.raw_path == "/permissions":
        grants.revoke_all(context, account.email, first(request.form, "project") or "")
        return redirect("/permissions?" + urlencode({"account": account.email, "removed": "1"}))
    back = _safe_back(first(request.form, "back") or "", account)
    try:
        actions.act(context, account, request.form)
    except errors.ApiError as refusal:
        return redirect(back + "&" + urlencode({"refused": refusal.message}))
    return redirect(back)


def _safe_back(query: str, account: Account) -> str:
    """The address of the same week; other parameters are dropped, so that a link cannot add any."""
    held = parse_qs(urlsplit(query).query)
    parameters = {name: held[name][0] for name in ("week", "hours", "hl") if name in held}
    return "/calendar?" + urlencode({"account": account.email} | parameters)
