"""The one place where everything is put together, from the configuration alone. Must not be run at import."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.config import Config
from calendar_service.crypto.envelope import Vault
from calendar_service.crypto.identity import IdentityKey
from calendar_service.crypto.signed_note import verifier_key
from calendar_service.crypto.signing import public_key_text
from calendar_service.domain import failpoints
from calendar_service.domain.caller_limits import CallerLimits, SlotLimit
from calendar_service.domain.checkpoint import PATH
from calendar_service.domain.clock import Clock
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.operator import Operator
from calendar_service.domain.scope import SCOPE
from calendar_service.durations import REQUESTS, Durations
from calendar_service.google.calendar import CalendarApi
from calendar_service.google.call_log import CallLog
from calendar_service.google.oauth import OAuth, OAuthClient, permit_plain_http
from calendar_service.google.transport import Transport
from calendar_service.journeys.audit.audit_export import AuditExport
from calendar_service.journeys.audit.chain import ChainMacs
from calendar_service.journeys.audit.compaction import AuditReader, Compactor
from calendar_service.journeys.audit.sealing import Sealer
from calendar_service.journeys.audit.transparency import Transparency
from calendar_service.journeys.caller_limits.call_rate import CallRate
from calendar_service.journeys.caller_limits.known_visits import KnownVisits
from calendar_service.journeys.caller_limits.long_calls import LongCalls
from calendar_service.journeys.caller_limits.refusals import Refusals
from calendar_service.journeys.connection.access import Access
from calendar_service.journeys.connection.calendar_now import CalendarNow
from calendar_service.journeys.connection.channels import Channels, ChannelWatch
from calendar_service.journeys.connection.connection_end import ConnectionEnd
from calendar_service.journeys.connection.consent import ConsentJourney, PendingConsents
from calendar_service.journeys.connection.dedicated_calendar import DedicatedCalendar, MarkedCalendars
from calendar_service.journeys.connection.disconnect import Disconnect
from calendar_service.journeys.connection.erasure import Erasure
from calendar_service.journeys.connection.export import Export, PersonalRecords
from calendar_service.journeys.connection.legal_holds import Holds
from calendar_service.journeys.connection.new_grant import NewGrants
from calendar_service.journeys.connection.notifications import Notifications
from calendar_service.journeys.connection.pause import Pauses
from calendar_service.journeys.connection.receipts import Receipts
from calendar_service.journeys.connection.reconsent import Reconsent
from calendar_service.journeys.connection.refresh_tokens import RefreshTokens
from calendar_service.journeys.connection.retention import Retention
from calendar_service.journeys.connection.session_summary import SessionSummaries
from calendar_service.journeys.connection.settings_page import SettingsPage
from calendar_service.journeys.connection.shared_accounts import SharedAccountRepair, SharedAccounts
from calendar_service.journeys.connection.status import ConnectionStatus
from calendar_service.journeys.connection.teardown import Teardowns
from calendar_service.journeys.operations.adoption import Adoption
from calendar_service.journeys.operations.all_connections import AllConnections
from calendar_service.journeys.operations.calendar_check import CalendarCheck
from calendar_service.journeys.operations.far_timers import FarTimers
from calendar_service.journeys.operations.file_rewrites import FileRewrites
from calendar_service.journeys.operations.key_rotation import Rotation
from calendar_service.journeys.operations.organizations import Organizations
from calendar_service.journeys.operations.restore import RestorePlan, RestoreReplay
from calendar_service.journeys.operations.reviewer_links import ReviewerLinkJourney
from calendar_service.journeys.operations.stored_data import StoredData
from calendar_service.journeys.operations.totals import TotalCounts
from calendar_service.journeys.operations.waiting_repair import WaitingRepair
from calendar_service.journeys.sessions.attempt import Attempts
from calendar_service.journeys.sessions.change_detection import ChangeDetector
from calendar_service.journeys.sessions.event_writer import EventWriter
from calendar_service.journeys.sessions.queue import DueSessions
from calendar_service.journeys.sessions.reconcile import Reconcile
from calendar_service.journeys.sessions.schedule import Schedule
from calendar_service.journeys.sessions.session_reader import SessionReader
from calendar_service.journeys.sessions.unsettled import UnsettledSessions
from calendar_service.journeys.throttle.admission import Throttle
from calendar_service.journeys.throttle.breaker import GoogleBreaker
from calendar_service.journeys.throttle.budget import RateBudget
from calendar_service.journeys.throttle.client_check import GoogleClientCheck
from calendar_service.journeys.throttle.inline_slots import InlineSlots
from calendar_service.journeys.throttle.refusal import SharedRefusal
from calendar_service.journeys.throttle.testing_mode import RevocationAges
from calendar_service.journeys.webhooks.delivery import WebhookDelivery
from calendar_service.log import Log
from calendar_service.security_events import SecurityEvents
from calendar_service.store.account_refs import AccountRefs
from calendar_service.store.audit_chain import AuditChainStore
from calendar_service.store.breakers import BreakerStore, RefusalStore
from calendar_service.store.call_tokens import CallTokens
from calendar_service.store.channels import ChannelStore
from calendar_service.store.connections import Connections
from calendar_service.store.consents import Consents
from calendar_service.store.database import Database
from calendar_service.store.deployment import deployment
from calendar_service.store.durability import Durability
from calendar_service.store.file_rewrites import FileRewriteStore
from calendar_service.store.grants import Grants
from calendar_service.store.leases import Leases
from calendar_service.store.legal_holds import LegalHoldStore
from calendar_service.store.organizations import OrganizationIndex
from calendar_service.store.outbox import Outbox
from calendar_service.store.ownership import Ownership
from calendar_service.store.rate_budget import RateBudgetStore
from calendar_service.store.receipts import ReceiptStore
from calendar_service.store.replica_alarm import ReplicaAlarm
from calendar_service.store.reviewer_links import ReviewerLinks
from calendar_service.store.revocations import RevocationStore
from calendar_service.store.scan import Scan
from calendar_service.store.seal_samples import SealSamples
from calendar_service.store.server_checks import ServerChecks
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slots
from calendar_service.store.stored_fields import StoredFields
from calendar_service.store.throttle import Limits
from calendar_service.store.tickets import Tickets
from calendar_service.store.timers import Timers
from calendar_service.store.totals import TotalsStore
from calendar_service.store.waiting_load import ServiceLoad, WaitingCounts
from calendar_service.webhook_sender import DeliveryResult, WebhookSender

THREADS = 16
"""How many requests a web process works on at the same time; at most half of them wait on Google (law 2)."""
CONSENT_SLOTS = 2
"""How many of these places are kept for answers to consents."""


@dataclass(frozen=True)
class Store:
    """What is stored, by subject."""

    database: Database
    ownership: Ownership
    slots: Slots
    connections: Connections
    grants: Grants
    sessions: Sessions
    timers: Timers
    organization_index: OrganizationIndex
    tickets: Tickets
    legal_holds: LegalHoldStore
    scan: Scan
    file_rewrites: FileRewriteStore
    server_checks: ServerChecks
    durability: Durability
    seal_samples: SealSamples
    waiting_counts: WaitingCounts
    totals: TotalsStore
    load: ServiceLoad


@dataclass(frozen=True)
class Google:
    """The way to Google: the calls, who counts them, and whether they may go."""

    oauth: OAuth
    calendar: CalendarApi
    transport: Transport
    call_log: CallLog
    throttle: Throttle


@dataclass(frozen=True)
class ConnectionJourneys:
    """An agent's connection, from the consent to the erasure."""

    access: Access
    consent: ConsentJourney
    reconsent: Reconsent
    dedicated_calendar: DedicatedCalendar
    refresh_tokens: RefreshTokens
    channels: Channels
    notifications: Notifications
    status: ConnectionStatus
    settings_page: SettingsPage
    pauses: Pauses
    disconnect: Disconnect
    teardowns: Teardowns
    erasure: Erasure


@dataclass(frozen=True)
class PersonalDataJourneys:
    """What is kept of an agent: how long, shown to whom, and given out."""

    export: Export
    retention: Retention
    holds: Holds
    stored_data: StoredData


@dataclass(frozen=True)
class SessionJourneys:
    """The sessions of connected agents."""

    schedule: Schedule
    reader: SessionReader
    due_sessions: DueSessions
    unsettled: UnsettledSessions
    reconcile: Reconcile
    change_detector: ChangeDetector


@dataclass(frozen=True)
class AuditJourneys:
    """The audit log: sealed, and shown."""

    chain: AuditChainStore
    sealer: Sealer
    audit_export: AuditExport
    public_keys: tuple[str, ...]
    """The keys under which receipts and checkpoints verify, as they are published."""
    transparency: Transparency


@dataclass(frozen=True)
class OperationsJourneys:
    """What concerns many agents, or none."""

    organizations: Organizations
    all_connections: AllConnections
    reviewers: ReviewerLinkJourney
    rotation: Rotation
    restore_plan: RestorePlan
    restore_replay: RestoreReplay
    calendar_check: CalendarCheck
    adoption: Adoption
    shared_account_repair: SharedAccountRepair
    far_timers: FarTimers
    waiting_repair: WaitingRepair
    totals: TotalCounts
    file_rewrites: FileRewrites


@dataclass(frozen=True)
class CallerLimitJourneys:
    """Whether a caller may ask for more."""

    calls: CallRate
    changes: CallRate
    visit: CallRate
    long_calls: LongCalls
    slots: SlotLimit
    known_visits: KnownVisits
    refusals: Refusals


@dataclass(frozen=True)
class Service:
    """What web, worker and command line take their groups from."""

    config: Config
    identity: IdentityKey
    clock: Clock
    log: Log
    store: Store
    google: Google
    caller_limits: CallerLimitJourneys
    security_events: SecurityEvents
    request_durations: Durations
    connection: ConnectionJourneys
    personal_data: PersonalDataJourneys
    sessions: SessionJourneys
    webhook_delivery: WebhookDelivery
    audit: AuditJourneys
    operations: OperationsJourneys

    @property
    def operator(self) -> Operator:
        """The profile of the organization that runs this service."""
        return self.config.operator

    def close(self) -> None:
        """Close what is open to the database and to Google."""
        self.google.transport.close()
        self.store.database.deployment.close()


def require_ours(store: Store) -> None:
    """Refuse a database that is not this service's, as commands do."""
    store.ownership.require()


def begin(store: Store) -> None:
    """Refuse a database that forgets, then make an empty one this service's, as `serve` and `work` do."""
    store.durability.require()
    store.ownership.begin()


def build(
    config: Config,
    process: str = "service",
    limits: Limits | None = None,
    caller_limits: CallerLimits | None = None,
    log_to: IO[str] | None = None,
    before_first_use: Callable[[Store], None] = require_ours,
) -> Service:
    """Return the service as configured. Connects to nothing yet.

    `limits`: how much is asked of Google; `caller_limits`: how much callers may ask for. `log_to`: where the log goes,
    standard error if nothing is given. `before_first_use`: examines the database, before anything of the service's
    is read or written in it.
    """
    failpoints.configure(config.failpoints)
    if config.google.is_local and not config.is_production:
        permit_plain_http()
    log, clock, identity = Log(process, log_to), config.clock(), IdentityKey(config.identity_key)
    limits = limits or (Limits.lifted() if config.are_limits_lifted else Limits())
    allowed = caller_limits or (CallerLimits.lifted() if config.are_limits_lifted else CallerLimits())
    store = _store(config, clock, identity, log, before_first_use, allowed)
    google = _google(config, store, limits, log, clock)
    webhook_delivery = WebhookDelivery(
        Outbox(store.database), store.sessions, store.timers, _terms(config), _webhooks(config, log)
    )
    connection = _connection(config, store, google, webhook_delivery, identity, log, clock)
    sessions = _sessions(config, store, google, connection.access, identity, log, clock)
    audit = _audit(config, store, identity, log, clock)
    return Service(
        config=config,
        identity=identity,
        clock=clock,
        log=log,
        store=store,
        google=google,
        caller_limits=_caller_limits(store, allowed, identity, clock),
        security_events=SecurityEvents(log),
        request_durations=Durations(REQUESTS),
        connection=connection,
        personal_data=_personal_data(config, store, connection.access, clock),
        sessions=sessions,
        webhook_delivery=webhook_delivery,
        audit=audit,
        operations=_operations(config, store, connection, sessions, google.throttle, audit, log, clock),
    )


def _store(
    config: Config,
    clock: Clock,
    identity: IdentityKey,
    log: Log,
    before_first_use: Callable[[Store], None],
    allowed: CallerLimits,
) -> Store:
    database = Database(
        deployment(config.database, ReplicaAlarm(log).observe),
        clock,
        identity.shard,
        webhooks=bool(config.webhook_url),
        before_first_use=lambda: before_first_use(store),
    )
    grants = Grants(Vault(lambda: config.keyring))
    server_checks, waiting_counts = ServerChecks(database), WaitingCounts(database)
    load = ServiceLoad(waiting_counts, server_checks, allowed, clock)
    google_client = identity.google_client_check_value(config.google.client_id)
    store = Store(
        database=database,
        ownership=Ownership(database, identity.check_value(), google_client),
        slots=Slots(database),
        connections=Connections(database),
        grants=grants,
        sessions=Sessions(database, load),
        timers=Timers(database),
        organization_index=OrganizationIndex(database),
        tickets=Tickets(database),
        legal_holds=LegalHoldStore(database),
        scan=Scan(database),
        file_rewrites=FileRewriteStore(database),
        server_checks=server_checks,
        durability=Durability(server_checks, config.database_declaration, is_required=config.is_production),
        seal_samples=SealSamples(database, grants),
        waiting_counts=waiting_counts,
        totals=TotalsStore(database),
        load=load,
    )
    return store


def _google(config: Config, store: Store, limits: Limits, log: Log, clock: Clock) -> Google:
    settings, call_log = config.google, CallLog(log)
    transport = Transport(observe=call_log.observe)
    client = OAuthClient(
        settings.client_id,
        settings.secret_source,
        config.redirect_uri,
        settings.auth_uri,
        settings.token_uri,
        settings.revoke_uri,
    )
    return Google(
        oauth=OAuth(client, transport),
        calendar=CalendarApi(transport, settings.api_endpoint),
        transport=transport,
        call_log=call_log,
        throttle=throttle_of(store.database, store.ownership, transport, limits, log, clock),
    )


def _caller_limits(
    store: Store, limits: CallerLimits, identity: IdentityKey, clock: Clock
) -> CallerLimitJourneys:
    tokens = CallTokens(store.database)
    calls, changes, visit = (
        CallRate(limit, tokens, identity.caller_hash, clock)
        for limit in (limits.calls, limits.changes, limits.visit)
    )
    return CallerLimitJourneys(
        calls, changes, visit, LongCalls(limits.long_calls), limits.slots, KnownVisits(), Refusals()
    )


def _connection(
    config: Config,
    store: Store,
    google: Google,
    webhook_delivery: WebhookDelivery,
    identity: IdentityKey,
    log: Log,
    clock: Clock,
) -> ConnectionJourneys:
    slots, connections, database, operator = store.slots, store.connections, store.database, config.operator
    leases, files = Leases(database), store.file_rewrites
    connection_end = ConnectionEnd(connections, files, operator.promises.erase_after)
    access = Access(
        slots, leases, connections, store.grants, google.oauth, google.throttle, connection_end, clock
    )
    refresh_tokens = RefreshTokens(AccountRefs(database), log)
    shared_accounts = SharedAccounts(
        AccountRefs(database), refresh_tokens, store.scan, google.calendar, google.oauth, identity, clock
    )
    terms, status = _terms(config), ConnectionStatus(slots, _terms(config))
    teardowns = Teardowns(slots, connections, access, shared_accounts, google.calendar, files, clock)
    disconnect = Disconnect(connection_end, teardowns, status, google.throttle)
    marked_calendars = MarkedCalendars(google.calendar, identity, operator, log)
    dedicated_calendar = DedicatedCalendar(
        slots, leases, connections, access, shared_accounts, marked_calendars, google.throttle, terms
    )
    new_grants = NewGrants(
        slots,
        store.organization_index,
        connections,
        store.grants,
        shared_accounts,
        dedicated_calendar,
        disconnect,
        files,
        clock,
    )
    receipts = Receipts(_signing_key(config), operator.identity.who, clock)
    channel_store = ChannelStore(database)
    watch = ChannelWatch(channel_store, google.calendar, identity, config.notifications_uri)
    return ConnectionJourneys(
        access=access,
        consent=_consent(config, store, google, new_grants, clock),
        reconsent=Reconsent(Consents(database), connections, store.scan, terms, operator.policy.changes),
        dedicated_calendar=dedicated_calendar,
        refresh_tokens=refresh_tokens,
        channels=Channels(slots, channel_store, access, watch, google.throttle, terms, clock),
        notifications=Notifications(channel_store, identity),
        status=status,
        settings_page=_settings_page(config, store, google, access, shared_accounts, identity, clock),
        pauses=Pauses(connections, status),
        disconnect=disconnect,
        teardowns=teardowns,
        erasure=Erasure(
            slots, ReceiptStore(database), connections, receipts, store.tickets, files, webhook_delivery
        ),
    )


def _consent(
    config: Config, store: Store, google: Google, new_grants: NewGrants, clock: Clock
) -> ConsentJourney:
    return ConsentJourney(
        PendingConsents(store.tickets, store.slots, store.connections, store.grants, clock),
        store.organization_index,
        google.oauth,
        google.throttle,
        config.operator,
        new_grants,
    )


def _settings_page(
    config: Config,
    store: Store,
    google: Google,
    access: Access,
    shared_accounts: SharedAccounts,
    identity: IdentityKey,
    clock: Clock,
) -> SettingsPage:
    return SettingsPage(
        store.slots,
        store.organization_index,
        shared_accounts,
        CalendarNow(access, google.calendar, google.throttle, identity, _terms(config), clock),
        SessionSummaries(store.sessions, access, clock),
        store.file_rewrites,
        config.operator.promises,
        _terms(config),
    )


def _personal_data(config: Config, store: Store, access: Access, clock: Clock) -> PersonalDataJourneys:
    operator, summaries = config.operator, SessionSummaries(store.sessions, access, clock)
    records = PersonalRecords(store.sessions, summaries, store.tickets, AuditChainStore(store.database))
    return PersonalDataJourneys(
        export=Export(store.slots, records, operator, _terms(config), clock),
        retention=Retention(store.slots, store.connections, operator.promises),
        holds=Holds(store.slots, store.legal_holds, store.scan, clock),
        stored_data=StoredData(StoredFields(store.database)),
    )


def _sessions(
    config: Config,
    store: Store,
    google: Google,
    access: Access,
    identity: IdentityKey,
    log: Log,
    clock: Clock,
) -> SessionJourneys:
    slots, sessions, calendar, throttle = store.slots, store.sessions, google.calendar, google.throttle
    event_writer, terms = EventWriter(calendar), _terms(config)
    attempts = Attempts(sessions, access, event_writer, identity, config.operator, throttle, log)
    schedule = Schedule(sessions, access, attempts, throttle, terms, clock)
    return SessionJourneys(
        schedule=schedule,
        reader=SessionReader(sessions, slots, access, event_writer, throttle, terms),
        due_sessions=DueSessions(sessions, store.grants, terms, clock),
        unsettled=UnsettledSessions(sessions, store.connections, access, attempts, throttle, terms, clock),
        reconcile=Reconcile(slots, sessions, access, calendar, schedule, throttle, identity, terms),
        change_detector=ChangeDetector(slots, sessions, access, calendar, throttle, terms, clock),
    )


def _audit(config: Config, store: Store, identity: IdentityKey, log: Log, clock: Clock) -> AuditJourneys:
    chain, chain_macs, scan = AuditChainStore(store.database), ChainMacs(identity), store.scan
    reader = AuditReader(chain, chain_macs)
    signing_key, issuer = _signing_key(config), config.operator.identity.who
    origin = f"{urlsplit(config.public_url).netloc}{PATH}"
    public_keys, retention = (public_key_text(signing_key.public_key()),), config.operator.promises.audit_term
    return AuditJourneys(
        chain=chain,
        sealer=Sealer(
            chain,
            reader,
            Compactor(chain, reader, log),
            scan,
            chain_macs,
            signing_key,
            origin,
            log,
            retention,
        ),
        audit_export=AuditExport(chain, reader, scan, chain_macs, public_keys, issuer, retention),
        public_keys=public_keys,
        transparency=Transparency(chain, verifier_key(origin, signing_key), clock),
    )


def _operations(
    config: Config,
    store: Store,
    connection: ConnectionJourneys,
    sessions: SessionJourneys,
    throttle: Throttle,
    audit: AuditJourneys,
    log: Log,
    clock: Clock,
) -> OperationsJourneys:
    scan, slots, connections, grants = store.scan, store.slots, store.connections, store.grants
    index, disconnect, erasure = store.organization_index, connection.disconnect, connection.erasure
    erase_after = config.operator.promises.erase_after
    connection_end = ConnectionEnd(connections, store.file_rewrites, erase_after)
    all_connections = AllConnections(scan, slots, store.sessions, grants, disconnect, erasure, _terms(config))
    return OperationsJourneys(
        organizations=Organizations(connection.status, index, scan, disconnect),
        all_connections=all_connections,
        reviewers=ReviewerLinkJourney(ReviewerLinks(store.database), index, disconnect, erasure, clock),
        rotation=Rotation(scan, slots, grants, lambda: [name for name, _ in config.keyring]),
        adoption=Adoption(store.ownership, scan, slots, grants, all_connections),
        restore_plan=RestorePlan(audit.audit_export, scan, slots, store.sessions, erase_after),
        restore_replay=RestoreReplay(
            audit.chain, connections, store.legal_holds, store.sessions, connection_end, erasure
        ),
        calendar_check=CalendarCheck(scan, sessions.change_detector, sessions.reconcile, throttle, clock),
        shared_account_repair=SharedAccountRepair(
            scan, slots, AccountRefs(store.database), connection.refresh_tokens, clock
        ),
        far_timers=FarTimers(store.timers),
        waiting_repair=WaitingRepair(scan, store.waiting_counts),
        totals=TotalCounts(scan, Outbox(store.database), store.totals, _terms(config)),
        file_rewrites=FileRewrites(store.file_rewrites, log, clock),
    )


def _terms(config: Config) -> ConsentTerms:
    return ConsentTerms(SCOPE, config.operator.policy.version)


def _signing_key(config: Config) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(config.signing_key)


def throttle_of(
    database: Database, ownership: Ownership, transport: Transport, limits: Limits, log: Log, clock: Clock
) -> Throttle:
    """Return the throttle of one process."""
    credentials = RefusalStore(database, "credentials", limits.trial_request)
    notifications = RefusalStore(database, "notifications", limits.watch_trial_request)
    return Throttle(
        InlineSlots(THREADS // 2, CONSENT_SLOTS),
        GoogleBreaker(BreakerStore(database, limits), log),
        RateBudget(RateBudgetStore(database, limits), limits, clock),
        GoogleClientCheck(ownership, log),
        SharedRefusal(credentials, log, alarm="google.client_rejected", end="google.client_accepted"),
        SharedRefusal(
            notifications, log, alarm="google.notifications_refused", end="google.notifications_accepted"
        ),
        RevocationAges(RevocationStore(database), log, clock),
        transport,
        limits,
        log,
    )


def _webhooks(config: Config, log: Log) -> WebhookSender | None:
    def observe(answer: DeliveryResult) -> None:
        fields = {"reason": answer.fault} if answer.status is None else {"status": answer.status}
        log.event("webhook.sent", **fields)

    if not config.webhook_url:
        return None
    return WebhookSender(config.webhook_url, lambda: config.webhook_secrets, observe=observe)
