"""Pages for everybody: home, promises and stored data, receipts by number."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from calendar_service.domain.clock import SECOND, Millis
from calendar_service.domain.errors import LinkOver, NotFound
from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS
from calendar_service.web import cookies
from calendar_service.web.pages.answers import Pages
from calendar_service.web.pages.settings import RECEIPT, file_answer
from calendar_service.web.pages.transparency import TransparencyPages
from calendar_service.web.pages.visits import Visits
from calendar_service.wiring import Service

_FOREVER = "public, max-age=31536000, immutable"


def blueprint(service: Service) -> Blueprint:
    """Return the routes that need no browser session."""
    pages = Pages(service)
    receipts = ReceiptPage(service, pages)
    routes = Blueprint("public", __name__)
    routes.add_url_rule("/", "home", partial(_home, pages))
    routes.add_url_rule(
        "/google-user-data", "google_user_data", partial(_google_user_data, pages, service.audit.public_keys)
    )
    routes.add_url_rule("/receipts/<number>", "receipt", receipts.show)
    routes.add_url_rule("/receipts/public-key", "public_key", partial(_public_key, service))
    if service.operator.promises.publishes_checkpoints:
        TransparencyPages(service.audit.transparency, pages).add_to(routes)
    routes.add_url_rule("/static/app.css", "style", partial(_style, pages))
    routes.add_url_rule("/static/icon.svg", "icon", partial(_icon, pages))
    routes.add_url_rule("/static/logo", "logo", partial(_logo, pages))
    routes.add_url_rule("/static/google-button/<name>", "google_button", partial(_google_button, pages))
    return routes


def _home(pages: Pages) -> AnyResponse:
    return pages.show_constant("home.html")


def _google_user_data(pages: Pages, public_keys: Sequence[str]) -> AnyResponse:
    return pages.show_constant(
        "google_user_data.html", inventory=INVENTORY, methods=METHODS.values(), public_keys=public_keys
    )


def _public_key(service: Service) -> AnyResponse:
    """Return the public keys that verify receipts: base64, one a line, for `receipt verify --public-key-file`."""
    return Response("".join(f"{key}\n" for key in service.audit.public_keys), mimetype="text/plain")


def _style(pages: Pages) -> AnyResponse:
    return _asset(pages.style.sheet.encode(), "text/css")


def _icon(pages: Pages) -> AnyResponse:
    return _asset(pages.style.icon.encode(), "image/svg+xml")


def _logo(pages: Pages) -> AnyResponse:
    if pages.style.logo is None:
        raise NotFound("No logo is set.")
    return _asset(*pages.style.logo)


def _google_button(pages: Pages, name: str) -> AnyResponse:
    if name not in pages.style.google_button:
        raise NotFound("Google's button is not placed.")
    return _asset(*pages.style.google_button[name])


def _asset(content: bytes, kind: str) -> Response:
    return Response(content, mimetype=kind, headers={"Cache-Control": _FOREVER})


@dataclass(frozen=True)
class ReceiptPage:
    """A receipt of an erasure. The browser that received it gets it whole, others without its salt."""

    service: Service
    pages: Pages

    def show(self, number: str) -> AnyResponse:
        """Show the receipt, or send it as a file."""
        stored = self.service.connection.erasure.receipt(number)
        copy = self._own_copy(number)
        if "download" in request.args:
            text = json.dumps(copy or stored, ensure_ascii=False, indent=2) + "\n"
            return file_answer(text, f"erasure-receipt-{number}.json")
        all_erased = _instant(stored.get("rest_erased_by", stored["erased_at"]))
        dates: dict[str, Any] = {
            "erased_at": _instant(stored["erased_at"]),
            "all_erased": all_erased,
            "files_gone": self.service.store.file_rewrites.gone_by(_instant(stored["erased_at"])),
            "copies_gone": all_erased + self.service.operator.promises.copies_kept,
        }
        return self.pages.show("receipt.html", zone=self._zone(), receipt=stored, own=bool(copy), **dates)

    def _zone(self) -> str:
        """Return the time zone of the agent whose browser this is, else UTC."""
        try:
            visit = Visits(self.service).current()
        except LinkOver:
            return "UTC"  # everybody may see a receipt, also after the end of the reviewer's link
        return visit.browser.time_zone if visit else "UTC"

    def _own_copy(self, number: str) -> dict[str, Any]:
        name = cookies.cookie_name(self.service.config, RECEIPT)
        try:
            copy = json.loads(request.cookies.get(name, ""))
        except (ValueError, RecursionError):
            return {}
        return copy if isinstance(copy, dict) and copy.get("number") == number else {}


def _instant(text: str) -> Millis:
    return int(datetime.fromisoformat(text).timestamp()) * SECOND
