"""The console behind a reviewer's link: every use of the permission, step by step. Must not do a step by itself."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.domain.errors import (
    AccessRevoked,
    GoogleError,
    InvalidRequest,
    NotConnected,
    RetentionRequiredByLaw,
)
from calendar_service.journeys.connection.receipts import ReceiptInvalid, concerns, verify
from calendar_service.store.audit_log import Actor
from calendar_service.web.api.times import zone
from calendar_service.web.console.call_log import SeenCalls
from calendar_service.web.console.desk import Desks, Reviewer
from calendar_service.web.console.steps import STEPS, step_named
from calendar_service.web.pages.answers import Pages
from calendar_service.web.pages.settings import checked_ahead
from calendar_service.wiring import Service

DONE = frozenset(
    {
        "scheduled", "cancelled", "nothing", "gone", "stands", "unknown", "no_permission",
        "receipt_yours", "receipt_genuine", "receipt_wrong", "reset",
    }
)  # fmt: skip
"""How the last act ended, in the words of `reviewer.html`."""


@dataclass(frozen=True)
class ReviewerConsole:
    """What a reviewer has besides the console that everybody has."""

    service: Service
    pages: Pages
    desks: Desks
    calls: SeenCalls

    def enter(self, secret: str) -> AnyResponse:
        """Open the desk behind the link, and lead to a clean address."""
        if checked_ahead():
            return Response(status=503)
        desk = self.desks.enter(secret)
        answer = redirect("/console", 303)
        self.desks.keep(answer, desk)
        return answer

    def show(self, desk: Reviewer, words: dict[str, Any]) -> Response:
        """Show one step, with the calls at Google that it caused and the clause it shows."""
        step = step_named(request.args.get("step", desk.step))
        desk, number, done = replace(desk, step=step.name), STEPS.index(step), request.args.get("done", "")
        last = step is STEPS[-1]
        page = self.pages.show(
            "reviewer.html",
            zone=desk.zone or "UTC",
            desk=desk,
            step=step,
            steps=STEPS,
            number=number,
            last=last,
            done=done if done in DONE else "",
            calls=self.calls.of(desk.agent, "" if last else step.name),
            stored=self.service.personal_data.stored_data.of(desk.agent) if last else [],
            public_keys=self.service.audit.public_keys,
            **words,
        )
        self.desks.keep(page, desk)
        return page

    def video(self) -> AnyResponse:
        """Show the script of the demonstration video, to be printed."""
        self.desks.current()
        return self.pages.show("video.html")

    # --- acts ---

    def begin(self) -> AnyResponse:
        """Take the reviewer's time zone, and go to the first step."""
        desk = self.desks.acting_reviewer()
        chosen = zone(request.form.get("time_zone", ""), "time_zone").key
        answer = redirect("/console", 303)
        self.desks.keep(answer, replace(desk, zone=chosen, step=STEPS[1].name))
        return answer

    def check(self) -> AnyResponse:
        """Ask Google now whether the permission stands, as the daily look does (RV-1)."""
        desk = self.desks.acting_reviewer()
        return redirect(f"/console?done={self._permission(desk)}", 303)

    def _permission(self, desk: Reviewer) -> str:
        if not self.service.store.slots.read(desk.agent).grant:
            return "no_permission"
        try:
            self.service.connection.access.probe(desk.agent)
        except AccessRevoked:
            return "gone"
        except NotConnected:
            return "no_permission"
        except GoogleError:
            return "unknown"
        return "stands"

    def verify(self) -> AnyResponse:
        """Check a receipt's signature, and whether it is about this desk's agent."""
        desk = self.desks.acting_reviewer()
        file = request.files.get("receipt")
        if file is None or not file.filename:
            raise InvalidRequest("Choose the file of a receipt first.", field="receipt")
        try:
            receipt = verify(file.read(), self.service.audit.public_keys)
        except ReceiptInvalid:
            return redirect("/console?done=receipt_wrong", 303)
        whose = "yours" if concerns(receipt, desk.agent) else "genuine"
        return redirect(f"/console?done=receipt_{whose}", 303)

    def reset(self) -> AnyResponse:
        """Disconnect, erase, and sit down afresh with an agent who was never connected."""
        desk = self.desks.acting_reviewer()
        self.service.connection.disconnect.disconnect(desk.agent, Actor.AGENT)
        with suppress(NotConnected, RetentionRequiredByLaw):  # nothing was kept, or a hold keeps identifiers
            self.service.connection.erasure.erase_now(desk.agent, Actor.AGENT)
        self.calls.forget(desk.agent)
        answer = redirect("/console?step=start&done=reset", 303)
        self.desks.keep(answer, self.desks.afresh(desk))
        return answer

    def leave(self) -> AnyResponse:
        """Let this browser forget the desk; what is behind it goes at its term, or with the link."""
        desk = self.desks.acting_reviewer()
        self.calls.forget(desk.agent)
        answer = redirect("/", 303)
        self.desks.leave(answer)
        return answer
