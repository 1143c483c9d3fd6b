"""The permission and policy that agents were last asked to consent to (SC-5). Must not know any agent."""

import json
from dataclasses import asdict
from typing import cast

from calendar_service.domain.consent import ConsentTerms
from calendar_service.store import keys
from calendar_service.store.database import Database


class Consents:
    """The newest permission and policy about which backends were notified."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> ConsentTerms | None:
        """Return it, or None if the data is new."""
        text = cast(str | None, self._database.ask(lambda client: client.get(keys.CONSENT_ASKED)))
        return ConsentTerms(**json.loads(text)) if text else None

    def note(self, terms: ConsentTerms) -> None:
        """Let this be the newest: everybody whose consent is older has been told."""
        self._database.write("SET", keys.CONSENT_ASKED, json.dumps(asdict(terms)))
