"""The local Google as one function from request to delivery: routing, faults, journal.

Stands for accounts.google.com, oauth2.googleapis.com and www.googleapis.com at one address. Must not know sockets.
"""

import gzip
import traceback
from dataclasses import dataclass
from typing import Any

import msgspec

from local_google import errors
from local_google.calendar import api, batch
from local_google.calendar.api import Served
from local_google.context import Context
from local_google.control import endpoints
from local_google.oauth.authorize import authorize
from local_google.oauth.id_token import certificates, configuration, key_set
from local_google.oauth.identity import old_tokeninfo, old_userinfo, tokeninfo, userinfo
from local_google.oauth.revoke import old_revoke, revoke
from local_google.oauth.token import TokenError, json_answer, token
from local_google.people import pages
from local_google.protocol.messages import JSON, Delivery, Request, Response, first
from local_google.state.journal import safe_query

OAUTH = {
    "/o/oauth2/v2/auth": ("oauth2.auth", authorize),
    "/o/oauth2/auth": ("oauth2.auth", authorize),
    "/token": ("oauth2.token", token),
    "/oauth2/v4/token": ("oauth2.token", token),
    "/o/oauth2/token": ("oauth2.token", token),
    "/revoke": ("oauth2.revoke", revoke),
    "/o/oauth2/revoke": ("oauth2.revoke", old_revoke),
    "/tokeninfo": ("oauth2.tokeninfo", tokeninfo),
    "/oauth2/v3/tokeninfo": ("oauth2.tokeninfo", tokeninfo),
    "/oauth2/v2/tokeninfo": ("oauth2.tokeninfo", old_tokeninfo),
    "/oauth2/v1/tokeninfo": ("oauth2.tokeninfo", old_tokeninfo),
    "/v1/userinfo": ("oauth2.userinfo", userinfo),
    "/oauth2/v3/userinfo": ("oauth2.userinfo", userinfo),
    "/oauth2/v2/userinfo": ("oauth2.userinfo", old_userinfo),
    "/oauth2/v1/userinfo": ("oauth2.userinfo", old_userinfo),
}
JOURNALLED_FIELDS = ("grant_type", "redirect_uri", "scope", "account", "decision")


@dataclass(frozen=True)
class Application:
    """Answers requests of all parts: OAuth, Calendar, batch, pages, controls."""

    context: Context

    def handle(self, request: Request) -> Delivery:
        """Answer a request; the delivery says whether a fault delays or cuts the answer."""
        try:
            return _compressed(request, self._handled(request))
        except Exception:  # a defect here must not look like a cut connection
            traceback.print_exc()
            served = self._identified(request)
            served.answer = errors.html_page(500)
            self._note(request, served, None)
            return Delivery(served.answer)

    def _handled(self, request: Request) -> Delivery:
        if request.raw_path.startswith(endpoints.PREFIX):
            return Delivery(endpoints.serve(self.context, request))
        effect = (
            self.context.faults.strike(request.method, request.path) if self.context.faults.rules else None
        )
        if effect is None:
            served = self._served(request)
            self._note(request, served, None)
            return Delivery(served.answer)
        return self._struck(request, effect)

    def _served(self, request: Request) -> Served:
        path = request.raw_path
        if path.startswith(api.PREFIX):
            return api.serve(self.context, request)
        if path in OAUTH:
            served = Served()
            served.method, endpoint = OAUTH[path]
            served.answer, served.client_id, served.account = endpoint(self.context, request)
            served.body = _journalled(request)
            return served
        return self._elsewhere(request)

    def _elsewhere(self, request: Request) -> Served:
        served = Served()
        if request.raw_path.startswith("/batch/calendar/v3"):
            served.method = "calendar.batch"
            served.answer = batch.serve(request, self._one_of_batch)
        elif request.raw_path == "/.well-known/openid-configuration":
            served.answer = json_answer(configuration(self.context))
        elif request.raw_path == "/oauth2/v3/certs":
            served.answer = json_answer(key_set())
        elif request.raw_path == "/oauth2/v1/certs":
            served.answer = json_answer(certificates())
        elif request.raw_path == "/device/code":
            served.answer = errors.absent("the flow for devices").answer()
        else:
            served.answer = pages.serve(self.context, request)
        return served

    def _one_of_batch(self, request: Request) -> Response:
        if not request.raw_path.startswith(api.PREFIX):
            return errors.html_page(404)
        served = api.serve(self.context, request)
        self._note(request, served, None)
        return served.answer

    def _struck(self, request: Request, effect: dict[str, Any]) -> Delivery:
        """Apply a fault. It replaces the answer, or acts on it after the call was carried out."""
        instead = _instead(request, effect)
        before = effect.get("cut") == "before_commit" or effect.get("hang") is True
        if before or instead is not None:
            served = self._identified(request)
            served.answer = instead or Response(0)
        else:
            served = self._served(request)
            if "edit" in effect:
                served.answer = _edited(served.answer, effect["edit"])
        self._note(request, served, effect)
        return Delivery(
            served.answer,
            delay=float(effect.get("delay", 0)),
            drip=float(effect.get("drip", 0)),
            cut="cut" in effect,
            hang=bool(effect.get("hang")),
            truncate=bool(effect.get("truncate")),
            reset=bool(effect.get("reset")),
        )

    def _identified(self, request: Request) -> Served:
        if request.raw_path.startswith(api.PREFIX):
            return api.identify(self.context, request)
        served = Served()
        if request.raw_path in OAUTH:
            served.method, served.body = OAUTH[request.raw_path][0], _journalled(request)
        served.client_id = first(request.form, "client_id") or first(request.query, "client_id")
        return served

    def _note(self, request: Request, served: Served, effect: dict[str, Any] | None) -> None:
        entry: dict[str, Any] = {
            "seq": 0,
            "time": self.context.now(),
            "method": request.method,
            "path": request.path,
            "query": safe_query(request.query_string),
            "status": served.answer.status or None,
            "client_id": served.client_id,
            "account": served.account,
            "api_method": served.method,
            "answer": "sent",
            "committed": 0 < served.answer.status < 400,
        }
        if served.body:
            entry["body"] = served.body
        if served.created_calendar:
            entry["created_calendar"] = served.created_calendar
        if effect is not None:
            entry["fault"] = effect
            entry["answer"] = (
                "cut" if "cut" in effect or "truncate" in effect else "hung" if "hang" in effect else "sent"
            )
            spared = _instead(request, effect) is not None
            entry["committed"] &= not (
                spared or effect.get("cut") == "before_commit" or effect.get("hang") is True
            )
        self.context.journal.append(entry)


def _compressed(request: Request, delivery: Delivery) -> Delivery:
    """Compress the answer to an API call that takes gzip and names it in its user agent, as Google demands."""
    answer, headers = delivery.answer, request.headers
    wanted = all("gzip" in headers.get(name, "") for name in ("accept-encoding", "user-agent"))
    if wanted and answer is not None and answer.body and request.raw_path.startswith(api.PREFIX):
        answer.body = gzip.compress(answer.body, 1)
        answer.headers = (*answer.headers, ("Content-Encoding", "gzip"))
    return delivery


def _journalled(request: Request) -> dict[str, str]:
    return {name: request.form[name][0] for name in JOURNALLED_FIELDS if name in request.form}


def _instead(request: Request, effect: dict[str, Any]) -> Response | None:
    """The answer of a fault that replaces the real one, or None. The call is then not carried out."""
    answer: Response | None = None
    if "invalid_grant" in effect:
        answer = _invalid_grant(effect)
    elif "invalid_client" in effect:
        answer = TokenError("invalid_client", "The OAuth client was not found.", 401).answer()
    elif "html" in effect:
        answer = errors.html_page(int(effect["html"]))
    elif "answer" in effect:
        raw = effect["answer"]
        body = raw.get("body", "")
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        answer = Response(int(raw.get("status", 200)), text.encode(), raw.get("content_type", JSON))
        answer.headers = tuple((str(k), str(v)) for k, v in raw.get("headers", {}).items())
    elif "status" in effect:
        answer = _status(request, effect)
    if answer is not None and "retry_after" in effect:
        answer.headers = (*answer.headers, ("Retry-After", str(effect["retry_after"])))
    return answer


def _status(request: Request, effect: dict[str, Any]) -> Response:
    status = int(effect["status"])
    if request.raw_path in OAUTH:
        return TokenError(effect.get("reason", "internal_failure"), None, status).answer()
    return errors.by_reason(status, effect.get("reason", "backendError")).answer()


def _invalid_grant(effect: dict[str, Any]) -> Response:
    subtype = effect.get("subtype")
    if subtype is None:
        return TokenError("invalid_grant", "Token has been expired or revoked.").answer()
    return TokenError("invalid_grant", f"reauth related error ({subtype})", error_subtype=subtype).answer()


def _edited(answer: Response, changes: dict[str, Any]) -> Response:
    document = msgspec.json.decode(answer.body) if answer.body else {}
    edited = {name: value for name, value in (document | changes).items() if value is not None}
    body = msgspec.json.encode(edited)
    return Response(answer.status, body, answer.content_type, answer.headers)
