"""Which chapter answers which path, what a fault does to it, and what the journal says. Must not know sockets."""

import traceback
from dataclasses import dataclass
from typing import Any

import msgspec

from local_google import errors
from local_google.calendar import api, batch
from local_google.calendar.api import Served
from local_google.context import World
from local_google.control import endpoints
from local_google.oauth.authorize import authorize
from local_google.oauth.id_token import ISSUER, key_set
from local_google.oauth.revoke import revoke, tokeninfo
from local_google.oauth.token import TokenError, json_answer, token
from local_google.people import pages
from local_google.protocol.messages import JSON, Answer, Delivery, Request, first
from local_google.state.journal import safe_query

OAUTH = {
    "/o/oauth2/v2/auth": ("oauth2.auth", authorize),
    "/o/oauth2/auth": ("oauth2.auth", authorize),
    "/token": ("oauth2.token", token),
    "/revoke": ("oauth2.revoke", revoke),
    "/tokeninfo": ("oauth2.tokeninfo", tokeninfo),
}
TOLD = ("grant_type", "redirect_uri", "scope", "account", "decision")


@dataclass(frozen=True)
class Application:
    """The whole Google as one function of a request."""

    world: World

    def handle(self, request: Request) -> Delivery:
        """What to answer, and how it travels."""
        try:
            return self._handled(request)
        except Exception:  # a mistake of ours must not look like a cut connection
            traceback.print_exc()
            served = self._identified(request)
            served.answer = errors.html_page(500)
            self._note(request, served, None)
            return Delivery(served.answer)

    def _handled(self, request: Request) -> Delivery:
        if request.raw_path.startswith(endpoints.PREFIX):
            return Delivery(endpoints.serve(self.world, request))
        deed = self.world.faults.strike(request.method, request.path) if self.world.faults.rules else None
        if deed is None:
            served = self._served(request)
            self._note(request, served, None)
            return Delivery(served.answer)
        return self._struck(request, deed)

    def _served(self, request: Request) -> Served:
        path = request.raw_path
        if path.startswith(api.PREFIX):
            return api.serve(self.world, request)
        if path in OAUTH:
            served = Served()
            served.method, endpoint = OAUTH[path]
            served.answer, served.client_id, served.account = endpoint(self.world, request)
            served.body = _told(request)
            return served
        return self._elsewhere(request)

    def _elsewhere(self, request: Request) -> Served:
        served = Served()
        if request.raw_path.startswith("/batch/calendar/v3"):
            served.method = "calendar.batch"
            served.answer = batch.serve(request, self._one_of_batch)
        elif request.raw_path == "/.well-known/openid-configuration":
            served.answer = json_answer(self._openid())
        elif request.raw_path == "/oauth2/v3/certs":
            served.answer = json_answer(key_set())
        else:
            served.answer = pages.serve(self.world, request)
        return served

    def _one_of_batch(self, request: Request) -> Answer:
        if not request.raw_path.startswith(api.PREFIX):
            return errors.html_page(404)
        served = api.serve(self.world, request)
        self._note(request, served, None)
        return served.answer

    def _openid(self) -> dict[str, Any]:
        url = self.world.url
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{url}/o/oauth2/v2/auth",
            "token_endpoint": f"{url}/token",
            "revocation_endpoint": f"{url}/revoke",
            "jwks_uri": f"{url}/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }

    def _struck(self, request: Request, deed: dict[str, Any]) -> Delivery:
        """A fault meets the call, before or after it has been carried out."""
        instead = _instead(request, deed)
        before = deed.get("cut") == "before_commit" or deed.get("hang") is True
        if before or instead is not None:
            served = self._identified(request)
            served.answer = instead or Answer(0)
        else:
            served = self._served(request)
            if "edit" in deed:
                served.answer = _edited(served.answer, deed["edit"])
        self._note(request, served, deed)
        return Delivery(
            served.answer,
            delay=float(deed.get("delay", 0)),
            drip=float(deed.get("drip", 0)),
            cut="cut" in deed,
            hang=bool(deed.get("hang")),
            truncate=bool(deed.get("truncate")),
            reset=bool(deed.get("reset")),
        )

    def _identified(self, request: Request) -> Served:
        if request.raw_path.startswith(api.PREFIX):
            return api.identify(self.world, request)
        served = Served()
        if request.raw_path in OAUTH:
            served.method, served.body = OAUTH[request.raw_path][0], _told(request)
        served.client_id = first(request.form, "client_id") or first(request.query, "client_id")
        return served

    def _note(self, request: Request, served: Served, deed: dict[str, Any] | None) -> None:
        entry: dict[str, Any] = {
            "seq": 0,
            "time": self.world.now(),
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
        if served.made:
            entry["made"] = served.made
        if deed is not None:
            entry["fault"] = deed
            entry["answer"] = (
                "cut" if "cut" in deed or "truncate" in deed else "hung" if "hang" in deed else "sent"
            )
            spared = _instead(request, deed) is not None
            entry["committed"] &= not (
                spared or deed.get("cut") == "before_commit" or deed.get("hang") is True
            )
        self.world.journal.append(entry)


def _told(request: Request) -> dict[str, str]:
    return {name: request.form[name][0] for name in TOLD if name in request.form}


def _instead(request: Request, deed: dict[str, Any]) -> Answer | None:
    """The answer that a fault gives in the place of the real one; the call is then not carried out."""
    answer: Answer | None = None
    if "invalid_grant" in deed:
        answer = _invalid_grant(deed)
    elif "invalid_client" in deed:
        answer = TokenError("invalid_client", "The OAuth client was not found.", 401).answer()
    elif "html" in deed:
        answer = errors.html_page(int(deed["html"]))
    elif "answer" in deed:
        raw = deed["answer"]
        body = raw.get("body", "")
        text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
        answer = Answer(int(raw.get("status", 200)), text.encode(), raw.get("content_type", JSON))
        answer.headers = tuple((str(k), str(v)) for k, v in raw.get("headers", {}).items())
    elif "status" in deed:
        answer = _status(request, deed)
    if answer is not None and "retry_after" in deed:
        answer.headers = (*answer.headers, ("Retry-After", str(deed["retry_after"])))
    return answer


def _status(request: Request, deed: dict[str, Any]) -> Answer:
    status = int(deed["status"])
    if request.raw_path in OAUTH:
        return TokenError(deed.get("reason", "internal_failure"), None, status).answer()
    return errors.by_reason(status, deed.get("reason", "backendError")).answer()


def _invalid_grant(deed: dict[str, Any]) -> Answer:
    subtype = deed.get("subtype")
    if subtype is None:
        return TokenError("invalid_grant", "Token has been expired or revoked.").answer()
    return TokenError("invalid_grant", f"reauth related error ({subtype})", error_subtype=subtype).answer()


def _edited(answer: Answer, changes: dict[str, Any]) -> Answer:
    document = msgspec.json.decode(answer.body) if answer.body else {}
    edited = {name: value for name, value in (document | changes).items() if value is not None}
    body = msgspec.json.encode(edited)
    return Answer(answer.status, body, answer.content_type, answer.headers)
