"""The one place where everything is put together, from the configuration alone. Must not be run at import."""

from dataclasses import dataclass
from typing import IO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.config import Config
from calendar_service.crypto.envelope import Vault
from calendar_service.crypto.identity import IdentityKey
from calendar_service.crypto.signing import public_key_text
from calendar_service.domain import failpoints
from calendar_service.domain.clock import Clock
from calendar_service.domain.operator import Operator
from calendar_service.google.calendar import CalendarApi
from calendar_service.google.call_log import CallLog
from calendar_service.google.oauth import OAuth, OAuthClient, permit_plain_http
from calendar_service.google.transport import Transport
from calendar_service.journeys.audit.audit_export import AuditExport
from calendar_service.journeys.audit.chain import ChainMacs
from calendar_service.journeys.audit.sealing import Sealer
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.connection.channels import Channels
from calendar_service.journeys.connection.connection_end import ConnectionEnd
from calendar_service.journeys.connection.consent import ConsentJourney, PendingConsents
from calendar_service.journeys.connection.dedicated_calendar import DedicatedCalendar
from calendar_service.journeys.connection.disconnect import Disconnect
from calendar_service.journeys.connection.erasure import Erasure
from calendar_service.journeys.connection.export import Export
from calendar_service.journeys.connection.legal_holds import Holds
from calendar_service.journeys.connection.new_grant import NewGrants
from calendar_service.journeys.connection.receipts import Receipts
from calendar_service.journeys.connection.reconsent import Reconsent
from calendar_service.journeys.connection.retention import Retention
from calendar_service.journeys.connection.shared_accounts import SharedAccountRepair, SharedAccounts
from calendar_service.journeys.connection.status import StatusPage
from calendar_service.journeys.connection.teardown import Teardowns
from calendar_service.journeys.operations.all_connections import AllConnections
from calendar_service.journeys.operations.file_rewrites import FileRewrites
from calendar_service.journeys.operations.key_rotation import Rotation
from calendar_service.journeys.operations.organizations import Organizations
from calendar_service.journeys.operations.restore import RestoreReplay
from calendar_service.journeys.operations.reviewer_links import ReviewerLinkJourney
from calendar_service.journeys.operations.stored_data import StoredData
from calendar_service.journeys.sessions.attempt import Attempts
from calendar_service.journeys.sessions.change_detection import ChangeDetector
from calendar_service.journeys.sessions.event_writer import EventWriter
from calendar_service.journeys.sessions.queue import DueSessions
from calendar_service.journeys.sessions.reconcile import Reconcile
from calendar_service.journeys.sessions.schedule import Schedule
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.throttle.breaker import GoogleBreaker
from calendar_service.journeys.throttle.budget import RateBudget
from calendar_service.journeys.throttle.inline_slots import InlineSlots
from calendar_service.journeys.throttle.refusal import SharedRefusal
from calendar_service.journeys.throttle.testing_mode import RevocationAges
from calendar_service.journeys.webhooks.delivery import WebhookDelivery
from calendar_service.log import Log
from calendar_service.store.account_refs import AccountRefs
from calendar_service.store.audit_chain import AuditChainStore
from calendar_service.store.breakers import BreakerStore, RefusalStore
from calendar_service.store.channels import ChannelStore
from calendar_service.store.connections import Connections
from calendar_service.store.consents import Consents
from calendar_service.store.database import Database
from calendar_service.store.deployment import deployment
from calendar_service.store.file_rewrites import FileRewriteStore
from calendar_service.store.grants import Grants
from calendar_service.store.leases import Leases
from calendar_service.store.legal_holds import LegalHoldStore
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.outbox import Outbox
from calendar_service.store.rate_budget import RateBudgetStore
from calendar_service.store.receipts import ReceiptStore
from calendar_service.store.reviewer_links import ReviewerLinks
from calendar_service.store.revocations import RevocationStore
from calendar_service.store.scan import Scan
from calendar_service.store.server_checks import ServerChecks
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slots
from calendar_service.store.stored_fields import StoredFields
from calendar_service.store.throttle import Limits
from calendar_service.store.tickets import Tickets
from calendar_service.store.timers import Timers
from calendar_service.webhook_sender import DeliveryResult, WebhookSender

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
    server_checks: ServerChecks
    files: FileRewriteStore
    file_rewrites: FileRewrites
    access: Access
    consent: ConsentJourney
    dedicated_calendar: DedicatedCalendar
    schedule: Schedule
    due_sessions: DueSessions
    throttle: Throttle
    reconcile: Reconcile
    channels: Channels
    change_detector: ChangeDetector
    status_page: StatusPage
    export: Export
    disconnect: Disconnect
    teardowns: Teardowns
    erasure: Erasure
    organizations: Organizations
    shared_account_repair: SharedAccountRepair
    retention: Retention
    all_connections: AllConnections
    holds: Holds
    reconsent: Reconsent
    reviewers: ReviewerLinkJourney
    stored_data: StoredData
    rotation: Rotation
    webhook_delivery: WebhookDelivery
    sealer: Sealer
    audit: AuditExport
    replay: RestoreReplay
    transport: Transport
    identity: IdentityKey
    database: Database
    call_log: CallLog

    @property
    def public_keys(self) -> tuple[str, ...]:
        """The keys under which receipts verify, as they are published."""
        return tuple(self.audit.public_keys)

    def close(self) -> None:
        """Close what is open to the database and to Google."""
        self.transport.close()
        self.database.client.close()

    @property
    def oauth_origin(self) -> str:
        """The origin of the authorization endpoint: the one foreign place a form may lead to (CSP)."""
        return self.consent.oauth.consent_origin


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
    call_log = CallLog(log)
    clock = config.clock()
    policy = config.operator.policy
    identity = IdentityKey(config.identity_key)
    database = Database(
        deployment(config.database),
        clock,
        identity.shard,
        webhooks=bool(config.webhook_url),
    )
    connections, sessions, account_refs = (
        Connections(database),
        Sessions(database, policy.version),
        AccountRefs(database),
    )
    slots, leases, timers = Slots(database, policy.version), Leases(database), Timers(database)
    organization_index, receipt_store = OrganizationIndex(database), ReceiptStore(database)
    hold_store, channel_store = LegalHoldStore(database), ChannelStore(database)
    tickets = Tickets(database)
    grants = Grants(Vault(lambda: config.keyring))
    transport = Transport(observe=call_log.observe)
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
    calendar = CalendarApi(transport, google.api_endpoint)
    operator = config.operator
    promises = operator.promises
    throttle = throttle_of(database, transport, limits, log, clock)
    connection_end = ConnectionEnd(connections, promises.erase_after)
    access = Access(slots, leases, connections, grants, oauth, throttle, connection_end, clock)
    shared_accounts = SharedAccounts(account_refs, slots, oauth, identity, clock)
    status_page = StatusPage(
        slots,
        connections,
        organization_index,
        sessions,
        grants,
        access,
        calendar,
        transport,
        account_refs,
        promises,
        clock,
    )
    signing_key, issuer = Ed25519PrivateKey.from_private_bytes(config.signing_key), operator.identity.who
    receipts = Receipts(signing_key, issuer, clock)
    files = FileRewriteStore(database)
    erasure = Erasure(slots, receipt_store, connections, receipts, files)
    teardowns = Teardowns(slots, connections, grants, access, shared_accounts, calendar, clock)
    disconnect = Disconnect(connection_end, teardowns, status_page, transport)
    dedicated_calendar = DedicatedCalendar(
        slots, leases, connections, access, shared_accounts, calendar, identity, operator
    )
    new_grants = NewGrants(
        slots, organization_index, connections, grants, shared_accounts, dedicated_calendar, disconnect, clock
    )
    pending = PendingConsents(tickets, grants, clock)
    attempts = Attempts(sessions, connections, access, EventWriter(calendar), identity, operator, throttle)
    schedule = Schedule(sessions, slots, connections, grants, access, attempts, throttle, clock)
    audit_chain, scan, chain_macs = AuditChainStore(database), Scan(database), ChainMacs(identity)
    public_keys, retention = (public_key_text(signing_key.public_key()),), operator.promises.audit_term
    audit = AuditExport(audit_chain, scan, slots, chain_macs, public_keys, issuer, retention)
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
        server_checks=ServerChecks(database),
        files=files,
        file_rewrites=FileRewrites(files, log, clock),
        access=access,
        consent=ConsentJourney(pending, slots, organization_index, connections, oauth, operator, new_grants),
        dedicated_calendar=dedicated_calendar,
        schedule=schedule,
        due_sessions=DueSessions(sessions, grants, clock),
        throttle=throttle,
        reconcile=Reconcile(slots, connections, sessions, grants, access, calendar, schedule),
        channels=Channels(
            slots,
            connections,
            channel_store,
            grants,
            access,
            calendar,
            identity,
            throttle,
            clock,
            config.notifications_uri,
        ),
        change_detector=ChangeDetector(
            slots, connections, sessions, grants, access, calendar, throttle, clock
        ),
        status_page=status_page,
        export=Export(slots, sessions, status_page, operator, clock),
        disconnect=disconnect,
        teardowns=teardowns,
        erasure=erasure,
        organizations=Organizations(slots, connections, organization_index, scan, disconnect),
        shared_account_repair=SharedAccountRepair(scan, slots, account_refs, clock),
        retention=Retention(slots, connections, promises),
        all_connections=AllConnections(scan, slots, timers, sessions, grants, disconnect, erasure),
        holds=Holds(slots, hold_store, scan, clock),
        reconsent=Reconsent(Consents(database), slots, connections, scan, policy),
        rotation=Rotation(scan, slots, grants, lambda: [name for name, _ in config.keyring]),
        reviewers=ReviewerLinkJourney(
            ReviewerLinks(database), organization_index, disconnect, erasure, clock
        ),
        stored_data=StoredData(StoredFields(database)),
        webhook_delivery=WebhookDelivery(Outbox(database), sessions, timers, _webhooks(config, log)),
        sealer=Sealer(audit_chain, scan, chain_macs, signing_key, issuer, log, retention),
        audit=audit,
        replay=RestoreReplay(
            audit, audit_chain, scan, slots, connections, hold_store, connection_end, erasure
        ),
        transport=transport,
        identity=identity,
        database=database,
        call_log=call_log,
    )


def throttle_of(database: Database, transport: Transport, limits: Limits, log: Log, clock: Clock) -> Throttle:
    """Return the throttle of one process."""
    credentials = RefusalStore(database, "credentials", limits.trial_request)
    notifications = RefusalStore(database, "notifications", limits.watch_trial_request)
    return Throttle(
        InlineSlots(THREADS // 2),
        GoogleBreaker(BreakerStore(database, limits), log),
        RateBudget(RateBudgetStore(database, limits), limits, clock),
        SharedRefusal(credentials, log, alarm="google.client_rejected", end="google.client_taken"),
        SharedRefusal(
            notifications, log, alarm="google.notifications_refused", end="google.notifications_taken"
        ),
        RevocationAges(RevocationStore(database), log, clock),
        transport,
        limits,
        log,
    )


def _webhooks(config: Config, log: Log) -> WebhookSender | None:
    def observe(answer: DeliveryResult) -> None:
        told = {"reason": answer.fault} if answer.status is None else {"status": answer.status}
        log.event("webhook.sent", **told)

    if not config.webhook_url:
        return None
    return WebhookSender(config.webhook_url, lambda: config.webhook_secrets, observe=observe)
