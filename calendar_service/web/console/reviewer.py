"""The reviewer console: every use of the scope, step by step."""

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
from calendar_service.domain.names import Agent
from calendar_service.journeys.connection.receipts import ReceiptInvalid, concerns, verify
from calendar_service.store.audit_log import Actor
from calendar_service.web import guard
from calendar_service.web.api.times import zone
from calendar_service.web.console.recorded_calls import RecordedCalls
from calendar_service.web.console.steps import STEPS, step_named
from calendar_service.web.console.visitors import ConsoleVisitors, Reviewer
from calendar_service.web.pages.answers import Pages
from calendar_service.wiring import Service

DONE = frozenset(
    {
        "scheduled", "cancelled", "nothing", "refused", "gone", "stands", "unknown", "no_permission",
        "receipt_yours", "receipt_genuine", "receipt_wrong", "reset",
    }
)  # fmt: skip
"""Outcomes of the last action for which `reviewer.html` has a sentence."""


@dataclass(frozen=True)
class ReviewerConsole:
    """The pages and actions that only reviewers have."""

    service: Service
    pages: Pages
    visitors: ConsoleVisitors
    calls: RecordedCalls

    def enter(self, secret: str) -> AnyResponse:
        """Admit the browser by the link, and redirect to an address without its secret."""
        if guard.is_prefetch():
            return Response(status=503)
        visitor = self.visitors.enter(secret)
        answer = redirect("/console", 303)
        self.visitors.store(answer, visitor)
        return answer

    def show(self, visitor: Reviewer, words: dict[str, Any], status: int) -> Response:
        """Show one step, with the calls to Google that it caused and its clauses."""
        step = step_named(request.args.get("step", visitor.step))
        visitor, number, done = (
            replace(visitor, step=step.name),
            STEPS.index(step),
            request.args.get("done", ""),
        )
        last = step is STEPS[-1]
        page = self.pages.show(
            "reviewer.html",
            status=status,
            zone=words["local_zone"],
            visitor=visitor,
            step=step,
            steps=STEPS,
            number=number,
            last=last,
            done=done if done in DONE else "",
            calls=self.calls.of(visitor.agent, "" if last else step.name),
            done_steps=self._done(visitor.agent, number),
            stored=self.service.personal_data.stored_data.of(visitor.agent) if last else [],
            public_keys=self.service.audit.public_keys,
            **words,
        )
        self.visitors.store(page, visitor)
        return page

    def _done(self, agent: Agent, number: int) -> set[str]:
        """Return the steps whose call at Google was recorded, and those before the present one that need none."""
        recorded = {(call.step, call.method.name) for call in self.calls.of(agent)}
        needs_none = {step.name for step in STEPS[:number] if not step.call}
        return needs_none | {step.name for step in STEPS if (step.name, step.call) in recorded}

    def video(self) -> AnyResponse:
        """Show the script of the demonstration video, for printing."""
        self.visitors.current()
        return self.pages.show("video.html")

    # --- actions ---

    def begin(self) -> AnyResponse:
        """Store the reviewer's time zone, and go to the first step."""
        visitor = self.visitors.acting_reviewer()
        chosen = zone(request.form.get("time_zone", ""), "time_zone").key
        answer = redirect("/console", 303)
        self.visitors.store(answer, replace(visitor, zone=chosen, step=STEPS[1].name))
        return answer

    def check(self) -> AnyResponse:
        """Probe the grant at Google now, as the daily probe does (RV-1)."""
        visitor = self.visitors.acting_reviewer()
        return redirect(f"/console?done={self._permission(visitor)}", 303)

    def _permission(self, visitor: Reviewer) -> str:
        if not self.service.store.slots.read(visitor.agent).grant:
            return "no_permission"
        try:
            self.service.connection.access.probe(visitor.agent)
        except AccessRevoked:
            return "gone"
        except NotConnected:
            return "no_permission"
        except GoogleError:
            return "unknown"
        return "stands"

    def verify(self) -> AnyResponse:
        """Check a receipt's signature, and whether it concerns this test agent."""
        visitor = self.visitors.acting_reviewer()
        file = request.files.get("receipt")
        if file is None or not file.filename:
            raise InvalidRequest("Choose the file of a receipt first.", field="receipt")
        try:
            receipt = verify(file.read(), self.service.audit.public_keys)
        except ReceiptInvalid:
            return redirect("/console?done=receipt_wrong", 303)
        whose = "yours" if concerns(receipt, visitor.agent) else "genuine"
        return redirect(f"/console?done=receipt_{whose}", 303)

    def reset(self) -> AnyResponse:
        """Disconnect and erase the test agent, and go on with a new one."""
        visitor = self.visitors.acting_reviewer()
        self.service.connection.disconnect.disconnect(visitor.agent, Actor.AGENT)
        with suppress(
            NotConnected, RetentionRequiredByLaw
        ):  # nothing is stored, or a legal hold forbids the erasure
            self.service.connection.erasure.erase_now(visitor.agent, Actor.AGENT)
        # Else the next link would ask whether to leave the former test agent's settings.
        self.service.store.tickets.close_pages(visitor.agent)
        self.calls.forget(visitor.agent)
        answer = redirect("/console?step=start&done=reset", 303)
        self.visitors.store(answer, self.visitors.with_new_agent(visitor))
        return answer

    def leave(self) -> AnyResponse:
        """Forget the reviewer in this browser. The test agent's data is erased in time, or with the link."""
        visitor = self.visitors.acting_reviewer()
        self.calls.forget(visitor.agent)
        answer = redirect("/", 303)
        self.visitors.forget(answer)
        return answer
