"""The one place where everything is put together, from the configuration alone. Must not be run at import."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.config import Config
from calendar_service.domain import failpoints
from calendar_service.domain.clock import SECOND, Clock
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.operator import Operator
from calendar_service.google.calendar import Calendar
from calendar_service.google.oauth import OAuth, OAuthClient, permit_plain_http
from calendar_service.google.transport import Call, Transport
from calendar_service.identity import IdentityKey
from calendar_service.journeys.access import Access
from calendar_service.journeys.allowance import Allowance
from calendar_service.journeys.attempt import Attempts
from calendar_service.journeys.audit import Audit
from calendar_service.journeys.chain import Links
from calendar_service.journeys.channels import Channels
from calendar_service.journeys.connect import Connect
from calendar_service.journeys.disconnect import Disconnect
from calendar_service.journeys.export import Export
from calendar_service.journeys.flow import Flow
from calendar_service.journeys.holds import Holds
from calendar_service.journeys.look import Look
from calendar_service.journeys.notify import Notify
from calendar_service.journeys.order import Order
from calendar_service.journeys.organizations import Organizations
from calendar_service.journeys.overview import Overview
from calendar_service.journeys.receipts import Receipts
from calendar_service.journeys.register import Register
from calendar_service.journeys.renewal import Renewal
from calendar_service.journeys.replay import Replay
from calendar_service.journeys.reviewers import Reviewers
from calendar_service.journeys.rotation import Rotation
from calendar_service.journeys.schedule import Schedule
from calendar_service.journeys.sealing import Sealer
from calendar_service.journeys.shared_accounts import SharedAccounts
from calendar_service.journeys.signing import public_key_text
from calendar_service.journeys.stored import Stored
from calendar_service.journeys.sync import Sync
from calendar_service.journeys.terms import Terms
from calendar_service.journeys.writing import Writer
from calendar_service.log import Log
from calendar_service.store.census import Census
from calendar_service.store.channels import ChannelStore
from calendar_service.store.connections import Connections
from calendar_service.store.consents import Consents
from calendar_service.store.database import Database
from calendar_service.store.deployment import deployment
from calendar_service.store.files import Files
from calendar_service.store.flow import FlowBook, Limits
from calendar_service.store.grants import Grants
from calendar_service.store.holdings import Holdings
from calendar_service.store.leases import Leases
from calendar_service.store.legal_holds import LegalHoldStore
from calendar_service.store.letters import Letters
from calendar_service.store.marks import Marks
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.receipts import ReceiptStore
from calendar_service.store.reviewer_links import ReviewerLinks
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slots
from calendar_service.store.tickets import Tickets
from calendar_service.store.timers import Timers
from calendar_service.store.trail import Trail
from calendar_service.store.upkeep import Upkeep, WrongIdentityKey
from calendar_service.vault import Vault
from calendar_service.webhooks import Answer, Webhooks

THREADS = 16
"""Blocking threads of a web process; at most half of them wait on Google (law 2)."""


@dataclass(frozen=True)
class Service:
    """What web, worker and command line are given."""

    config: Config
    operator: Operator
    clock: Clock
    log: Log
    tickets: Tickets
    slots: Slots
    connections: Connections
    organization_index: OrganizationIndex
    sessions: Sessions
    timers: Timers
    upkeep: Upkeep
    files: Files
    access: Access
    connect: Connect
    schedule: Schedule
    order: Order
    flow: Flow
    sync: Sync
    channels: Channels
    look: Look
    overview: Overview
    export: Export
    disconnect: Disconnect
    organizations: Organizations
    shared_accounts: SharedAccounts
    terms: Terms
    register: Register
    holds: Holds
    renewal: Renewal
    reviewers: Reviewers
    stored: Stored
    rotation: Rotation
    notify: Notify
    sealer: Sealer
    audit: Audit
    replay: Replay
    transport: Transport
    identity: IdentityKey
    database: Database
    calls: "Calls"

    @property
    def public_keys(self) -> tuple[str, ...]:
        """The keys under which receipts verify, as they are published."""
        return tuple(self.audit.public_keys)

    def close(self) -> None:
        """Close what is open to the database and to Google."""
        self.transport.close()
        self.database.client.close()

    def ready(self) -> dict[str, bool]:
        """Tell what is there: the database with our data, the keys, and a local Google if one is configured."""
        found = {
            "store": self._store_is_ours(),
            "keys": not self.config.file_faults(),
            "consent": self._may_ask(),
        }
        if self.config.google.is_local:
            found["google"] = self.transport.reaches(self.oauth_origin)
        return found

    def metrics(self) -> dict[str, float]:
        """Return counters of this process and the backlog of all."""
        calls = {
            f'calendar_google_calls_total{{call="{name}",purpose="{purpose}",outcome="{outcome}"}}': float(
                count
            )
            for (name, purpose, outcome), count in sorted(self.calls.counted().items())
        }
        return {
            "calendar_store_round_trips_total": float(self.database.round_trips),
            **self._backlog(),
            **calls,
        }

    def _backlog(self) -> dict[str, float]:
        try:
            count, longest = self.timers.backlog()
            due = {"calendar_agents_due": float(count), "calendar_longest_wait_seconds": longest / SECOND}
            due["calendar_erasures_in_files_seconds"] = self.files.waiting() / SECOND
            return due | self.flow.numbers() | self.audit.numbers()
        except StoreUnavailable:
            return {}  # the other counters are wanted most when the database is away

    def _store_is_ours(self) -> bool:
        try:
            self.upkeep.check_identity(self.identity.check_value())
        except (StoreUnavailable, WrongIdentityKey):
            return False
        return True

    def _may_ask(self) -> bool:
        try:
            return not any(self.renewal.refusals())
        except StoreUnavailable:
            return False

    @property
    def oauth_origin(self) -> str:
        """The origin of the authorization endpoint: the one foreign place a form may lead to (CSP)."""
        return self.connect.oauth.consent_origin


class Calls:
    """Counts and logs calls at Google by name, purpose and outcome, without what they carried (LU-1)."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._counted: Counter[tuple[str, str, str]] = Counter()
        self._listeners: list[Callable[[Call], None]] = []

    def listen(self, listener: Callable[[Call], None]) -> None:
        """Tell this listener of every call from now on, in the thread that made it."""
        self._listeners.append(listener)

    def observe(self, call: Call) -> None:
        """Take one call as the transport saw it."""
        name, purpose = call.method.name.removeprefix("calendar."), call.method.purpose
        outcome = call.status if call.status is not None else call.fault or "interrupted"
        with self._lock:
            self._counted[name, purpose, str(outcome)] += 1
        told = {"status" if isinstance(outcome, int) else "reason": outcome}
        self._log.event("google.called", call=name, purpose=purpose, ms=round(call.seconds * 1000), **told)
        for listener in self._listeners:
            listener(call)

    def counted(self) -> dict[tuple[str, str, str], int]:
        """Return the counts so far, by name, purpose and outcome."""
        with self._lock:
            return dict(self._counted)


def build(
    config: Config,
    process: str = "service",
    limits: Limits = Limits(),  # noqa: B008 - a value
    log_to: IO[str] | None = None,
) -> Service:
    """Return the service as configured. Connects to nothing yet.

    `limits`: how much is asked of Google. `log_to`: where the log goes, standard error if nothing is given.
    """
    failpoints.configure(config.failpoints)
    if config.google.is_local and not config.is_production:
        permit_plain_http()
    log = Log(process, log_to)
    calls = Calls(log)
    clock = config.clock()
    policy = config.operator.policy
    identity = IdentityKey(config.identity_key)
    database = Database(
        deployment(config.database),
        clock,
        identity.shard,
        webhooks=bool(config.webhook_url),
        policy=policy.version,
    )
    connections, sessions, marks = Connections(database), Sessions(database), Marks(database)
    slots, leases, timers = Slots(database), Leases(database), Timers(database)
    organization_index, receipt_store = OrganizationIndex(database), ReceiptStore(database)
    hold_store, channel_store = LegalHoldStore(database), ChannelStore(database)
    tickets = Tickets(database)
    grants = Grants(Vault(lambda: config.keyring))
    transport = Transport(observe=calls.observe)
    google = config.google
    oauth = OAuth(
        OAuthClient(
            google.client_id,
            google.secret_source,
            config.redirect_uri,
            google.auth_uri,
            google.token_uri,
            google.revoke_uri,
        ),
        transport,
    )
    calendar = Calendar(transport, google.api_endpoint)
    operator = config.operator
    promises = operator.promises
    erase_after = promises.erase_after
    threads = threading.BoundedSemaphore(THREADS // 2)
    flow = Flow(FlowBook(database, limits), transport, Allowance(limits), threads, log, clock, limits)
    access = Access(slots, connections, leases, grants, oauth, flow, clock, erase_after)
    overview = Overview(
        slots,
        connections,
        organization_index,
        sessions,
        grants,
        access,
        calendar,
        transport,
        marks,
        promises,
        clock,
    )
    signing_key, issuer = Ed25519PrivateKey.from_private_bytes(config.signing_key), operator.identity.who
    receipts = Receipts(signing_key, issuer, clock)
    files = Files(database)
    disconnect = Disconnect(
        slots,
        connections,
        receipt_store,
        grants,
        marks,
        oauth,
        calendar,
        transport,
        overview,
        receipts,
        files,
        clock,
        erase_after,
    )
    attempts = Attempts(sessions, connections, access, Writer(calendar), identity, operator, flow)
    schedule = Schedule(sessions, slots, connections, grants, access, attempts, flow, clock)
    trail, census, links = Trail(database), Census(database), Links(identity)
    public_keys, term = (public_key_text(signing_key.public_key()),), operator.promises.audit_term
    audit = Audit(trail, census, slots, links, public_keys, issuer, term)
    return Service(
        config=config,
        operator=operator,
        clock=clock,
        log=log,
        tickets=tickets,
        slots=slots,
        connections=connections,
        organization_index=organization_index,
        sessions=sessions,
        timers=timers,
        upkeep=Upkeep(database),
        files=files,
        access=access,
        connect=Connect(
            tickets,
            slots,
            connections,
            leases,
            organization_index,
            grants,
            marks,
            access,
            disconnect,
            oauth,
            calendar,
            identity,
            operator,
            clock,
        ),
        schedule=schedule,
        order=Order(sessions, grants, clock),
        flow=flow,
        sync=Sync(slots, connections, sessions, grants, access, calendar, schedule),
        channels=Channels(
            slots,
            connections,
            channel_store,
            grants,
            access,
            calendar,
            identity,
            flow,
            clock,
            config.notifications_uri,
        ),
        look=Look(slots, connections, sessions, grants, access, calendar, flow, clock),
        overview=overview,
        export=Export(slots, sessions, overview, operator, clock),
        disconnect=disconnect,
        organizations=Organizations(slots, connections, organization_index, census, disconnect),
        shared_accounts=SharedAccounts(census, slots, marks, clock),
        terms=Terms(slots, connections, promises),
        register=Register(census, slots, timers, sessions, grants, disconnect),
        holds=Holds(slots, hold_store, census, clock),
        renewal=Renewal(Consents(database), slots, connections, census, policy),
        rotation=Rotation(census, slots, grants, lambda: [name for name, _ in config.keyring]),
        reviewers=Reviewers(ReviewerLinks(database), organization_index, disconnect, clock),
        stored=Stored(Holdings(database)),
        notify=Notify(Letters(database), sessions, timers, _webhooks(config, log)),
        sealer=Sealer(trail, census, links, signing_key, issuer, log, term),
        audit=audit,
        replay=Replay(audit, trail, census, slots, connections, hold_store, disconnect, erase_after),
        transport=transport,
        identity=identity,
        database=database,
        calls=calls,
    )


def _webhooks(config: Config, log: Log) -> Webhooks | None:
    def observe(answer: Answer) -> None:
        told = {"reason": answer.fault} if answer.status is None else {"status": answer.status}
        log.event("webhook.sent", **told)

    if not config.webhook_url:
        return None
    return Webhooks(config.webhook_url, lambda: config.webhook_secrets, observe=observe)
