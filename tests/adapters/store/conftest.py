"""The store alone, over a real Valkey."""

import os

import pytest

from calendar_service.config.database import database
from calendar_service.crypto.envelope import Vault
from calendar_service.crypto.identity import IdentityKey
from calendar_service.domain.caller_limits import CallerLimits
from calendar_service.domain.clock import DAY, HOUR, Clock
from calendar_service.domain.names import Agent
from calendar_service.domain.secret import Secret
from calendar_service.domain.session import Content, GoogleCopy, Record, Status
from calendar_service.store.audit_log import Actor
from calendar_service.store.connections import Connections
from calendar_service.store.database import Database
from calendar_service.store.deployment import deployment
from calendar_service.store.grants import Grant, Grants
from calendar_service.store.leases import Leases
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.receipts import ReceiptStore
from calendar_service.store.server_checks import ServerChecks
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slots
from calendar_service.store.timers import Timers
from calendar_service.store.waiting_load import ServiceLoad, WaitingCounts
from tests.conftest import MovableClock

AGENT = Agent("acme", "agent-1")
WEEK = 7 * DAY


class Store:
    """The store's parts with one agent, and the steps that tests take with it."""

    grant: Grant
    """The agent's, of a test that keeps it."""

    def __init__(self, url: str, clock: MovableClock) -> None:
        self.moved = clock
        self.clock = Clock(lambda: clock.offset)
        self.database = Database(deployment(database(url)), self.clock, IdentityKey(b"identity" * 4).shard)
        self.slots, self.timers = Slots(self.database), Timers(self.database)
        self.waiting_counts = WaitingCounts(self.database)
        self.load = ServiceLoad(self.waiting_counts, ServerChecks(self.database), CallerLimits(), self.clock)
        self.connections, self.sessions = Connections(self.database), Sessions(self.database, self.load)
        self.leases, self.receipts = Leases(self.database), ReceiptStore(self.database)
        self.organization_index = OrganizationIndex(self.database)
        key = os.urandom(32)
        self.grants = Grants(Vault(lambda: (("k1", key),)))

    def connect(
        self, agent: Agent = AGENT, account_ref: str = "account_ref", connection_id: str = "c1"
    ) -> Grant:
        grant = self.grants.first(
            agent, connection_id, Secret("1//r"), Secret("ya29.a"), self.clock.now() + HOUR
        )
        self.connections.begin(agent, "digest")
        answer = self.connections.connect(
            agent, "digest", self.slots.read(agent), grant.connection_id, grant.sealed,
            {"consent_scope": "https://www.googleapis.com/auth/calendar"},
            reconsent=False, account_ref=account_ref, probe_due=self.clock.now() + DAY,
        )  # fmt: skip
        assert answer == "ok"
        assert self.connections.calendar_ready(agent, connection_id, "cal@group", account_ref, adopted=False)
        return grant

    def wanted(self, grant: Grant, session: str = "s1", revision: int = 1, **changed: object) -> Record:
        fields = {
            "session": session, "status": Status.PENDING, "revision": revision, "must_exist": True,
            "copy": GoogleCopy(grant.event_id(session, 0), generation=0, calendar_number=1),
            "digest": "d", "end_day": self.clock.now() // DAY + 3,
        }  # fmt: skip
        return Record(**(fields | changed))  # type: ignore[arg-type]

    def accept(self, record: Record, content: str = "sealed") -> tuple[str, Record]:
        loaded = self.sessions.load(AGENT, record.session)
        return self.sessions.accept(
            loaded, record, content, Actor.BACKEND, inline=True, end=self.clock.now() + DAY
        )

    def disconnect(self) -> tuple[str, str]:
        return self.connections.disconnect(
            AGENT, Actor.AGENT, delete_calendar=False, erase_after=WEEK, teardown_lease=30_000
        )

    def content(self) -> Content:
        now = self.clock.now()
        return Content(now + DAY, now + DAY + HOUR, "UTC", title="Private")

    def shard_of(self, agent: Agent = AGENT) -> int:
        return self.database.slot_keys(agent).shard

    def key(self, part: str, agent: Agent = AGENT) -> str:
        return self.database.slot_keys(agent).part(part)

    def names(self) -> set[str]:
        return set(self.database.client.keys("*"))


@pytest.fixture
def store(clean_store: str, test_clock: MovableClock) -> Store:
    return Store(clean_store, test_clock)
