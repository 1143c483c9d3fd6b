"""The pages for people: which path shows or does what. Must not know how a page looks."""

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


def serve(world: Context, request: Request) -> Response:
    """Answer a browser."""
    if request.method == "POST":
        return _acted(world, request)
    if request.method not in ("GET", "HEAD"):
        return errors.html_page(404)
    if request.raw_path == "/":
        return page(request, "accounts.html", accounts=_everybody(world))
    if request.raw_path == "/calendar":
        account = chosen(world, request.query, request)
        return (
            errors.html_page(404)
            if account is None
            else _remember(week_page(world, request, account), account)
        )
    if request.raw_path == "/calendar/event":
        return redirect(actions.event_address(world, first(request.query, "eid") or ""))
    if request.raw_path == "/permissions":
        return _permissions(world, request)
    if request.raw_path == "/_style.css":
        return style()
    return page(request, "missing.html", status=404)


def _everybody(world: Context) -> list[Account]:
    return [account for email in world.books.accounts if (account := world.known(email))]


def chosen(world: Context, values: Form, request: Request) -> Account | None:
    """The account named, else the one this browser used before, else the first."""
    for email in (first(values, "account"), request.cookie(COOKIE_ACCOUNT)):
        account = world.known(email)
        if account is not None:
            return account
    everybody = _everybody(world)
    return everybody[0] if everybody else None


def _remember(answer: Response, account: Account) -> Response:
    return set_cookie(answer, COOKIE_ACCOUNT, account.email)


def _permissions(world: Context, request: Request) -> Response:
    account = chosen(world, request.query, request)
    if account is None:
        return errors.html_page(404)
    apps = []
    for consent in world.books.consents.values():
        if consent.account == account.email:
            names = {c.name for c in world.clients.values() if c.project == consent.project}
            since = long_date(datetime.fromtimestamp(consent.granted_at, UTC).date(), language(request))
            name = ", ".join(sorted(names)) or consent.project
            apps.append((consent, name, since, scopes.lines(consent.scopes, language(request))))
    shown = page(
        request,
        "permissions.html",
        account=account,
        accounts=_everybody(world),
        apps=apps,
        removed="removed" in request.query,
    )
    return _remember(shown, account)


def _acted(world: Context, request: Request) -> Response:
    account = world.known(first(request.form, "account"))
    if foreign(request) or account is None:
        return page(request, "missing.html", status=403)
    if request.raw_path == "/permissions":
        grants.revoke_all(world, account.email, first(request.form, "project") or "")
        return redirect("/permissions?" + urlencode({"account": account.email, "removed": "1"}))
    if request.raw_path == "/calendar":
        back = _safe_back(first(request.form, "back") or "", account)
        try:
            actions.act(world, account, request.form)
        except errors.ApiError as refusal:
            return redirect(back + "&" + urlencode({"refused": refusal.message}))
        return redirect(back)
    return page(request, "missing.html", status=404)


def _safe_back(query: str, account: Account) -> str:
    """The same week again; only names that this page knows are carried on."""
    held = parse_qs(urlsplit(query).query)
    kept = {name: held[name][0] for name in ("week", "hl") if name in held}
    return "/calendar?" + urlencode({"account": account.email} | kept)
