"""The permission and policy that agents were last asked to consent to (SC-5). Must not know any agent."""

import json
from typing import cast

from calendar_service.domain.consent import Consent
from calendar_service.store import keys
from calendar_service.store.database import Database


class Consents:
    """The newest permission and policy about which backends were notified."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self) -> Consent | None:
        """Return it, or None if the data is new."""
        text = cast(str | None, self._database.ask(lambda client: client.get(keys.CONSENT_ASKED)))
        return Consent(**json.loads(text)) if text else None

    def note(self, consent: Consent) -> None:
        """Store this as the newest, once every connection with an older consent was notified."""
        fields = {"scope": consent.scope, "policy": consent.policy}
        self._database.write("SET", keys.CONSENT_ASKED, json.dumps(fields))
