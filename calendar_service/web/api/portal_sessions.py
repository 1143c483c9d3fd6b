"""The call that creates a one-time link to an agent's settings page."""

import re
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from calendar_service.domain.clock import rfc3339
from calendar_service.domain.errors import InvalidRequest
from calendar_service.store import keys
from calendar_service.store.tickets import Ticket
from calendar_service.web.api import answers
from calendar_service.web.api.call import AGENT, BACKEND, ApiAnswer, ApiCall, Names, Nothing, Tag
from calendar_service.web.api.session_body import Zone
from calendar_service.web.api.times import zone
from calendar_service.wiring import Service

_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{1,8}){0,4}")
_LOCALE_FORM: Final = {"pattern": f"^{_LOCALE.pattern}$"}
_URL_FORM: Final = {"pattern": "^https?://", "format": "uri"}


class PortalBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the agent's browser is to be shown."""

    locale: (
        Annotated[
            str,
            Meta(
                description="The agent's language, as BCP 47 names it.",
                examples=["es-CL"],
                extra_json_schema=_LOCALE_FORM,
            ),
        ]
        | UnsetType
    ) = UNSET
    time_zone: Zone | UnsetType = UNSET
    return_url: (
        Annotated[
            str,
            Meta(
                description="Where the page leads back to: one of those configured.",
                extra_json_schema=_URL_FORM,
            ),
        ]
        | UnsetType
    ) = UNSET


def create_portal_session(service: Service, names: Names, _: Nothing, body: PortalBody) -> ApiAnswer:
    """Make a link for this agent's browser: it works once, for five minutes.

    In a browser with another agent's open settings a page asks first, and the link stays unused until it is answered.
    """
    expires = service.clock.now() + keys.TICKET
    ticket = Ticket(
        organization=names.organization,
        agent=names.agent,
        locale=service.operator.language("" if isinstance(body.locale, UnsetType) else _locale(body.locale)),
        time_zone="" if isinstance(body.time_zone, UnsetType) else zone(body.time_zone, "time_zone").key,
        return_url=""
        if isinstance(body.return_url, UnsetType)
        else _allowed(service, names, body.return_url),
        expires=expires,
    )
    service.store.organization_index.refuse_closed(names.organization)
    url = f"{service.config.public_url}/portal/{service.store.tickets.issue(ticket)}"
    return ApiAnswer(201, answers.PortalSession(url=url, expires_at=rfc3339(expires)))


def _locale(text: str) -> str:
    if not _LOCALE.fullmatch(text):
        raise InvalidRequest("`locale` has to be a language such as en, es or es-CL.", field="locale")
    return text


def _allowed(service: Service, names: Names, url: str) -> str:
    # Compared as a whole: an address that only begins like an allowed one may lead to an attacker's site.
    if url not in service.operator.organization(names.organization).return_urls:
        raise InvalidRequest(
            "`return_url` is not one of the addresses configured for this organization.", field="return_url"
        )
    return url


def _service(service: Service) -> Service:
    return service


CALLS = (
    ApiCall(
        Tag.CONNECTIONS, "POST", f"{AGENT}/portal-sessions", BACKEND, _service, create_portal_session,
        {201: answers.PortalSession}, ("organization_closed",), body=PortalBody,
    ),
)  # fmt: skip
