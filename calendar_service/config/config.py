"""The configuration as one frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from calendar_service import operators
from calendar_service.config import run_data
from calendar_service.config.database import DatabaseAddress, database
from calendar_service.config.declaration import DatabaseDeclaration, database_declaration
from calendar_service.config.faults import ConfigurationFaults
from calendar_service.config.keys import (
    WEBHOOK_SECRET,
    ApiKey,
    api_keys,
    base64_key,
    keyring,
    opaque,
    webhook_secrets,
)
from calendar_service.config.production import refusals
from calendar_service.config.variables import AnySecret, Variables
from calendar_service.domain.clock import Clock
from calendar_service.domain.operator import Operator
from calendar_service.domain.secret import Secret

Keyring = tuple[tuple[str, bytes], ...]
_Source = (
    AnySecret[Keyring] | AnySecret[tuple[ApiKey, ...]] | AnySecret[tuple[Secret, ...]] | AnySecret[Secret]
)

AUTH_URI = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
REVOKE_URI = "https://oauth2.googleapis.com/revoke"
API_ENDPOINT = "https://www.googleapis.com/calendar/v3/"
DATA_DIR = ".data"
_THIS_HOST = frozenset({"localhost", "127.0.0.1", "::1"})

_FROM_RUN = "set it, or start `calendar-service run` once with this CALENDAR_DATA_DIR"
_KEYS = "make it with `calendar-service keys new` (development: `calendar-service run` does)"
_API_KEYS = "make one with `calendar-service api-keys new` (development: `calendar-service run` does)"
_CLIENT = (
    "give the OAuth client of the operator's Google project (development: `calendar-service run` has its own)"
)


class Environment(StrEnum):
    """Where the service runs. Without the variable it is production, so that nothing is relaxed by forgetting it."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True)
class GoogleClient:
    """The OAuth client, and the addresses of Google; development may name others."""

    client_id: str
    secret_source: AnySecret[Secret] = field(repr=False)
    auth_uri: str
    token_uri: str
    revoke_uri: str
    api_endpoint: str
    """The base of the Calendar API with its path and a trailing slash, as `client_options` expects it."""

    @property
    def secret(self) -> Secret:
        """The client secret as it is now (re-read when its file changes)."""
        return self.secret_source()

    @property
    def is_local(self) -> bool:
        """True if these are not the real Google's addresses."""
        return self.api_endpoint != API_ENDPOINT or self.token_uri != TOKEN_URI


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration. A secret in a file is read again when the file changes."""

    environment: Environment
    public_url: str
    """Scheme, host and port, without a trailing slash."""
    port: int
    google_port: int
    """The port on which `run` starts the local Google."""
    worker_metrics_port: int | None
    """The port on which a worker serves /metrics; None: on none."""
    data_dir: Path
    database: DatabaseAddress
    is_run_database: bool
    """The database is the one that `run` starts on this machine."""
    database_declaration: DatabaseDeclaration | None
    """What the operator says of settings that the database does not tell."""
    keyring_source: AnySecret[Keyring] = field(repr=False)
    identity_key: bytes = field(repr=False)
    """32 bytes, never rotated: the key of the markers by which our calendars and events are recognized."""
    signing_key: bytes = field(repr=False)
    """The 32-byte seed of the Ed25519 key that signs receipts and checkpoints (RFC 8032)."""
    api_keys_source: AnySecret[tuple[ApiKey, ...]] = field(repr=False)
    operator: Operator
    webhook_url: str
    """Empty: no webhook is queued or sent."""
    webhook_secrets_source: AnySecret[tuple[Secret, ...]] | None = field(repr=False)
    google: GoogleClient
    test_clock: Path | None
    """A file with an offset in seconds; None outside tests."""
    test_skew: float
    """Seconds by which a test makes this process's clock wrong."""
    are_limits_lifted: bool
    """A bench lifted the service's own limits, towards Google and towards callers."""
    failpoints: Mapping[str, str]

    @property
    def is_production(self) -> bool:
        """True in production."""
        return self.environment is Environment.PRODUCTION

    @property
    def keyring(self) -> Keyring:
        """`(id, 32 bytes)` of the key-encryption keys as they are now, the current one first."""
        return self.keyring_source()

    @property
    def api_keys(self) -> tuple[ApiKey, ...]:
        """The present keys of the internal API."""
        return self.api_keys_source()

    @property
    def webhook_secrets(self) -> tuple[Secret, ...]:
        """The present webhook secrets, each of which signs every webhook; none without a webhook URL."""
        return self.webhook_secrets_source() if self.webhook_secrets_source else ()

    @property
    def redirect_uri(self) -> str:
        """The address to which Google sends the browser back. It is never built from a request."""
        return f"{self.public_url}/oauth/callback"

    @property
    def notifications_uri(self) -> str:
        """The address for Google's notifications; empty without https, to which alone Google sends."""
        return f"{self.public_url}/google/notifications" if self.public_url.startswith("https://") else ""

    def secret_files(self) -> tuple[Path, ...]:
        """Return the files of secrets that are read while the service runs."""
        return tuple(source.path for source in self._sources() if source.path)

    def file_faults(self) -> tuple[str, ...]:
        """Return what is wrong with these files now; their last good values stay in force."""
        return tuple(
            f"{source.path.name} {source.fault}" for source in self._sources() if source.path and source.fault
        )

    def _sources(self) -> tuple[_Source, ...]:
        webhook = (self.webhook_secrets_source,) if self.webhook_secrets_source else ()
        return self.keyring_source, self.api_keys_source, self.google.secret_source, *webhook

    def clock(self) -> Clock:
        """Return the clock of this process, which tests can move (law 12)."""
        if self.test_clock is None:
            return Clock()
        file = self.test_clock
        return Clock(lambda: _offset(file), self.test_skew)


def _offset(file: Path) -> float:
    try:
        return float(file.read_text("ascii").strip() or "0")
    except FileNotFoundError:
        return 0.0


def load(environ: Mapping[str, str]) -> Config:
    """Return the configuration, or raise `ConfigurationFaults` with all its faults."""
    variables, data_dir = _variables(environ)
    environment = _environment(variables)
    store = variables.secret("CALENDAR_REDIS_URL", database, _FROM_RUN)
    declaration = variables.parsed("CALENDAR_DATABASE_DECLARED", database_declaration)
    ring = variables.secret("CALENDAR_KEYRING", keyring, _KEYS)
    identity = variables.secret("CALENDAR_IDENTITY_KEY", base64_key, _KEYS)
    signing = variables.secret("CALENDAR_SIGNING_KEY", base64_key, _KEYS)
    keys = variables.secret("CALENDAR_API_KEYS", api_keys, _API_KEYS)
    operator = _operator(variables)
    public_url = variables.origin("CALENDAR_PUBLIC_URL", "give the address that agents open")
    google = _google(variables)
    webhook_url, webhook = _webhook(variables)
    _one_purpose_each(variables, ring, identity, signing)
    port, google_port = variables.port("CALENDAR_PORT", 8080), variables.port("CALENDAR_GOOGLE_PORT", 8081)
    worker_metrics_port = variables.port_if_set("CALENDAR_WORKER_METRICS_PORT")
    test_clock = variables.text("CALENDAR_TEST_CLOCK")
    skew, failpoints = variables.seconds("CALENDAR_TEST_SKEW"), variables.failpoints("CALENDAR_FAILPOINTS")
    are_limits_lifted = variables.is_off("CALENDAR_TEST_LIMITS")
    if environment is Environment.PRODUCTION:
        variables.faults.extend(refusals(variables, operator, store() if store else None))
    if not (store and ring and identity and signing and keys and operator and google) or variables.faults:
        raise ConfigurationFaults(tuple(variables.faults))
    return Config(
        environment=environment,
        public_url=public_url,
        port=port,
        google_port=google_port,
        worker_metrics_port=worker_metrics_port,
        data_dir=data_dir,
        database=store(),
        is_run_database=not any(
            environ.get(name, "").strip() for name in ("CALENDAR_REDIS_URL", "CALENDAR_REDIS_URL_FILE")
        )
        and variables.is_set("CALENDAR_REDIS_URL"),
        database_declaration=declaration,
        keyring_source=ring,
        identity_key=identity(),
        signing_key=signing(),
        api_keys_source=keys,
        operator=operator,
        webhook_url=webhook_url,
        webhook_secrets_source=webhook,
        google=google,
        test_clock=Path(test_clock) if test_clock else None,
        test_skew=skew,
        are_limits_lifted=are_limits_lifted,
        failpoints=failpoints,
    )


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return the absolute data directory: CALENDAR_DATA_DIR, else `.data` in the working directory."""
    return Path(environ.get("CALENDAR_DATA_DIR", "").strip() or DATA_DIR).absolute()


def _variables(environ: Mapping[str, str]) -> tuple[Variables, Path]:
    data_dir = data_directory(environ)
    if environ.get("CALENDAR_ENVIRONMENT", "").strip() == Environment.PRODUCTION:
        variables = Variables(environ)  # what `run` wrote for development is ignored
    else:
        try:
            variables = Variables(run_data.beneath(environ, run_data.read(data_dir)))
        except (OSError, ValueError):
            variables = Variables(environ)
            variables.refuse(
                "CALENDAR_DATA_DIR",
                f"holds a {run_data.FILE} that cannot be read",
                "start `calendar-service run` again",
            )
    variables.misspelt()
    return variables, data_dir


def _environment(variables: Variables) -> Environment:
    text = variables.text("CALENDAR_ENVIRONMENT", Environment.PRODUCTION)
    if text not in set(Environment):
        variables.refuse(
            "CALENDAR_ENVIRONMENT", "is neither production nor development", "give one of the two"
        )
        return Environment.PRODUCTION
    return Environment(text)


def _operator(variables: Variables) -> Operator | None:
    name = variables.required("CALENDAR_OPERATOR", operators.ANY_PROFILE)
    if not name:
        return None
    try:
        return operators.load(name)
    except operators.ProfileFaults as error:
        for fault in error.faults:
            variables.refuse(f"CALENDAR_OPERATOR ({name})", fault, error.remedy)
        return None


def _google(variables: Variables) -> GoogleClient | None:
    client_id = variables.required("CALENDAR_GOOGLE_CLIENT_ID", _CLIENT)
    secret = variables.secret("CALENDAR_GOOGLE_CLIENT_SECRET", opaque, _CLIENT)
    auth_uri = variables.address("CALENDAR_GOOGLE_AUTH_URI", AUTH_URI)
    token_uri = variables.address("CALENDAR_GOOGLE_TOKEN_URI", TOKEN_URI)
    revoke_uri = variables.address("CALENDAR_GOOGLE_REVOKE_URI", REVOKE_URI)
    endpoint = _with_service_path(variables.address("CALENDAR_GOOGLE_API_ENDPOINT", API_ENDPOINT))
    if not secret:
        return None
    return GoogleClient(client_id, secret, auth_uri, token_uri, revoke_uri, endpoint)


def _with_service_path(endpoint: str) -> str:
    # Google's client library takes this as the whole base: with the root alone it would leave /calendar/v3 out.
    base = endpoint.rstrip("/")
    return f"{base}/" if base.endswith("/calendar/v3") else f"{base}/calendar/v3/"


def _webhook(variables: Variables) -> tuple[str, AnySecret[tuple[Secret, ...]] | None]:
    before = len(variables.faults)
    url = variables.address("CALENDAR_WEBHOOK_URL")
    well_formed = len(variables.faults) == before
    if well_formed and url.startswith("http://") and urlsplit(url).hostname not in _THIS_HOST:
        variables.refuse(
            "CALENDAR_WEBHOOK_URL", "leaves this host without encryption", "give an https address"
        )
    secrets = variables.secret("CALENDAR_WEBHOOK_SECRET", webhook_secrets, WEBHOOK_SECRET if url else "")
    if secrets and not url:
        variables.refuse(
            "CALENDAR_WEBHOOK_SECRET", "is set without CALENDAR_WEBHOOK_URL", "set both or neither"
        )
    return url, secrets


def _one_purpose_each(
    variables: Variables,
    ring: AnySecret[Keyring] | None,
    identity: AnySecret[bytes] | None,
    signing: AnySecret[bytes] | None,
) -> None:
    keys = [key for _, key in ring()] if ring else []
    keys += [single() for single in (identity, signing) if single]
    if len(set(keys)) < len(keys) and not variables.faults:
        variables.refuse(
            "CALENDAR_IDENTITY_KEY",
            "is the same key as another one",
            "make a key for each purpose with `keys new`",
        )
