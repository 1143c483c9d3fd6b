"""The one-time link from the console, which begins a visit (ASVS 7.2.4, 10.2.1)."""

from dataclasses import dataclass

from flask import Response, g, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.store.tickets import Ticket
from calendar_service.web import guard
from calendar_service.web.pages.answers import Pages
from calendar_service.web.pages.visits import Visit, Visits
from calendar_service.wiring import Service


@dataclass(frozen=True)
class Portal:
    """Exchanges a link's ticket for a visit; asks first if the browser has a visit of another agent."""

    service: Service
    pages: Pages
    visits: Visits

    def portal(self, ticket: str) -> AnyResponse:
        """Begin the visit, and redirect to an address without the ticket; or ask, and leave the ticket unused."""
        if request.headers.get("Sec-Fetch-Dest") in {"iframe", "frame", "embed", "object"}:
            every = self.service.operator.organizations.values()
            guard.allow_frames({origin for each in every for origin in each.frame_ancestors})
            return _keep_address_private(self.pages.show("framed.html", link=request.path))
        if guard.is_prefetch():
            return Response(status=503)
        # An attacker can send anybody a link into the attacker's own settings. A person who has a visit, and does not
        # see that it was replaced, would connect the own Google account to the attacker's agent (login CSRF).
        visit = self.visits.current()
        unused = self.service.store.tickets.unused(ticket) if visit else None
        if visit and unused and unused.whose != visit.agent:
            return self._question(visit, unused, ticket)
        return self._begin(ticket)

    def go_on(self) -> AnyResponse:
        """End the visit of the other agent, and begin the one of the ticket in the form."""
        self.visits.acting()
        return self._begin(request.form.get("ticket", ""))

    def _begin(self, secret: str) -> AnyResponse:
        ticket = self.service.store.tickets.take(secret)
        if ticket is None:
            self.service.security_events.record("ticket.refused", request_id=g.request_id)
            again = self.visits.current() is not None
            return self.pages.show("dead_end.html", status=410, reason="link", again=again)
        answer = redirect("/settings", 303)
        self.visits.begin(ticket, answer)
        return answer

    def _question(self, visit: Visit, unused: Ticket, secret: str) -> Response:
        return _keep_address_private(
            self.pages.show(
                "portal.html", here=visit.agent, other=unused.whose, ticket=secret, csrf=visit.browser.csrf
            )
        )


def _keep_address_private(page: Response) -> Response:
    """Keep the unused ticket in the page's address out of `Referer`, and so out of a proxy's log."""
    # Not `no-referrer`: with it, browsers would send the page's form with `Origin: null`.
    page.headers["Referrer-Policy"] = "strict-origin"
    return page
