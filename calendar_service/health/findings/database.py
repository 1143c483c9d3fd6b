"""Findings about the database as a whole."""

from collections.abc import Iterator
from typing import Final

from calendar_service.config.declaration import DURABILITY
from calendar_service.domain.clock import SECOND
from calendar_service.health.finding import Finding
from calendar_service.health.measures.database import (
    MEMORY_HIGH,
    MEMORY_NEARLY_FULL,
    DatabaseMeasures,
    Writes,
)
from calendar_service.net.obstacles import Obstacle
from calendar_service.store.database import DatabaseRefused
from calendar_service.store.ownership import Owner

_RUN_STOPPED: Final = Finding(
    "database",
    "fault",
    "is not running, because `run` is not",
    "start `make run` (or `calendar-service run`), then try again",
)
_UNREACHED: Final = {
    Obstacle.NOBODY_LISTENS: Finding(
        "database", "fault", "nobody listens at its address", "start it, or mend CALENDAR_REDIS_URL"
    ),
    Obstacle.UNKNOWN_HOST: Finding(
        "database", "fault", "its host's name is not known", "mend the host in CALENDAR_REDIS_URL"
    ),
    Obstacle.SILENCE: Finding(
        "database",
        "fault",
        "does not answer in time",
        "look whether its host runs, whether a firewall lets this host through, and at the server's own log",
    ),
    Obstacle.WRONG_LOGIN: Finding(
        "database",
        "fault",
        "does not accept the user or the password",
        "mend them in CALENDAR_REDIS_URL (`/`, `:`, `@` and `%%` in a password are percent-encoded)",
    ),
    Obstacle.FORBIDDEN: Finding(
        "database",
        "fault",
        "does not permit its user what the service needs",
        "give the user the commands of deploy/redis-users.acl",
    ),
    Obstacle.UNKNOWN_AUTHORITY: Finding(
        "database",
        "fault",
        "its certificate is signed by an authority that this host does not trust",
        "name the authority's file: `?ssl_ca_certs=/path/ca.pem` in CALENDAR_REDIS_URL",
    ),
    Obstacle.BAD_CERTIFICATE: Finding(
        "database",
        "fault",
        "its certificate is over, or is not one of its host",
        "renew the certificate, or write the host in CALENDAR_REDIS_URL as the certificate names it",
    ),
    Obstacle.NO_TLS: Finding(
        "database",
        "fault",
        "takes the connection and begins no TLS, as a port of plain text does",
        "give its TLS port; `redis://` in CALENDAR_REDIS_URL only if it is on this host",
    ),
    Obstacle.CLOSED_AT_ONCE: Finding(
        "database",
        "fault",
        "closes the connection without an answer, as a TLS port does to plain text",
        "write `rediss://` in CALENDAR_REDIS_URL; if it does, read the server's own log",
    ),
    Obstacle.LOADING: Finding("database", "fault", "is loading its data", "wait until it has"),
    Obstacle.UNKNOWN_PRIMARY: Finding(
        "database",
        "fault",
        "no sentinel knows the primary's name",
        "write the name after the hosts in CALENDAR_REDIS_URL, as the sentinels have it",
    ),
    Obstacle.NO_CLUSTER: Finding(
        "database", "fault", "is no cluster", "leave `+cluster` out of CALENDAR_REDIS_URL"
    ),
    Obstacle.OTHER: Finding(
        "database",
        "fault",
        "does not answer",
        "read the server's own log, or mend CALENDAR_REDIS_URL",
    ),
}


def answers(database: DatabaseMeasures, *, is_of_run: bool) -> Finding:
    """Return whether the database answers. `is_of_run`: it is the one that `run` starts."""
    if database.obstacle is None:
        return Finding("database", "ok", "answers")
    return unreached(database.obstacle, is_of_run=is_of_run)


def unreached(obstacle: Obstacle, *, is_of_run: bool) -> Finding:
    """Return why the database cannot be reached, and what to do. `is_of_run`: it is the one that `run` starts."""
    return _RUN_STOPPED if is_of_run and obstacle is Obstacle.NOBODY_LISTENS else _UNREACHED[obstacle]


def writes(database: DatabaseMeasures) -> Finding:
    """Return whether the database takes a change, as `/readyz` says it."""
    match database.writes:
        case Writes.ACCEPTED:
            return Finding("writes", "ok", "a change is accepted, and confirmed by every server that has to")
        case Writes.REFUSED:
            return Finding(
                "writes",
                "fault",
                "new changes are refused, because the memory is used up",
                "raise `maxmemory` (docs/runbooks.md); disconnects and erasures still work",
            )
        case Writes.UNKNOWN:
            return Finding(
                "writes",
                "fault",
                "no change is acknowledged: the database is read-only, or too few replicas confirm",
                "read the server's own log (is its disk full?), and look at the replicas",
            )


def durability(database: DatabaseMeasures, *, is_production: bool) -> Iterator[Finding]:
    """Yield each setting under which an acknowledged write can be lost, and what is declared of the others."""
    state, declaration = database.durability_state, database.declaration
    for setting, servers in state.wrong.items():
        yield Finding(
            "durability",
            "fault",
            "%(setting)s is not %(wanted)s at %(servers)s",
            "set %(setting)s %(wanted)s there, also in the server's configuration file",
            {"setting": setting, "wanted": DURABILITY[setting], "servers": ", ".join(servers)},
        )
    if state.untold:
        yield Finding(
            "durability",
            "fault" if is_production else "note",
            "the database does not tell %(settings)s",
            "permit INFO and CONFIG GET, or declare the settings in CALENDAR_DATABASE_DECLARED",
            {"settings": ", ".join(state.untold)},
        )
    if state.declared and declaration:
        yield Finding(
            "durability",
            "ok",
            "declared, not measured: %(settings)s (%(who)s, %(date)s)",
            "",
            {
                "settings": ", ".join(f"{name} {DURABILITY[name]}" for name in state.declared),
                "who": declaration.who,
                "date": declaration.date,
            },
        )
    elif state.is_sound:
        yield Finding("durability", "ok", "acknowledged writes are on disk, and nothing is evicted")


def restarts(database: DatabaseMeasures) -> Finding:
    """Return whether a restarted server has everything again that scripts wrote."""
    versions = database.forgetful_versions
    if versions is None:
        return Finding(
            "restarts",
            "note",
            "the database does not tell the rights of its user `default`",
            "permit ACL DRYRUN and INFO",
        )
    if versions:
        return Finding(
            "restarts",
            "fault",
            "the user `default` lacks rights; this version (%(versions)s) then loses at a restart what scripts wrote",
            "write `user default off ~* &* +@all`: off, but with its rights (docs/configuration.md)",
            {"versions": ", ".join(sorted(set(versions)))},
        )
    return Finding("restarts", "ok", "a restarted server has again what scripts wrote")


def memory(database: DatabaseMeasures, *, is_production: bool) -> Finding:
    """Return how full the permitted memory is. A full database accepts nothing, but still ends and erases."""
    try:
        ratio = database.memory_ratio
    except DatabaseRefused:
        return Finding("memory", "note", "the database does not tell its memory", "permit INFO")
    if ratio is None:
        return Finding(
            "memory",
            "fault" if is_production else "note",
            "the database has no `maxmemory`, so the host's own limit ends it without a warning",
            "set `maxmemory` below what the host has (docs/configuration.md)",
        )
    values = {"percent": f"{100 * ratio:.0f}"}
    if ratio >= 1:
        return Finding(
            "memory",
            "fault",
            "%(percent)s %% of the permitted memory is used: new changes are refused",
            "raise `maxmemory` (docs/runbooks.md); disconnects and erasures still work",
            values,
        )
    if ratio >= MEMORY_HIGH:
        return Finding(
            "memory",
            "fault" if ratio >= MEMORY_NEARLY_FULL else "note",
            "%(percent)s %% of the permitted memory is used",
            "raise `maxmemory` in time (docs/runbooks.md)",
            values,
        )
    return Finding("memory", "ok", "%(percent)s %% of the permitted memory is used", "", values)


def replicas(database: DatabaseMeasures) -> Iterator[Finding]:
    """Yield how many replicas a write waits for, and how many there are; nothing if both are 0."""
    present = database.replicas
    if present is None:
        yield Finding("replicas", "note", "the database does not tell its replicas", "permit INFO")
        return
    numbers = {"found": present.following, "wanted": present.required}
    if present.missing:
        yield Finding(
            "replicas",
            "fault",
            "following the primary: %(found)s; writes wait for %(wanted)s, so nothing is acknowledged",
            "start the replicas, or lower `?copies=` in CALENDAR_REDIS_URL",
            numbers,
        )
    elif present.following > present.required:
        yield Finding(
            "replicas",
            "note",
            "following the primary: %(found)s; writes wait for %(wanted)s, "
            "so a failover may lose what was acknowledged",
            "set `?copies=%(found)s` in CALENDAR_REDIS_URL",
            numbers,
        )
    elif present.required:
        yield Finding(
            "replicas",
            "ok",
            "following the primary: %(found)s; every write waits for %(wanted)s",
            "",
            numbers,
        )


def identity_key(database: DatabaseMeasures) -> Finding:
    """Return whether the database was begun with our identity key."""
    match database.owner:
        case Owner.OURS:
            return Finding("identity key", "ok", "is the one of this data")
        case Owner.NOBODY:
            return Finding(
                "identity key",
                "note",
                "the database is empty, so nothing else can be examined",
                "start `serve` or `work`: the first one begins it",
            )
        case Owner.UNKNOWN:
            return Finding(
                "identity key",
                "fault",
                "the database holds data without the check value of an identity key",
                "type `calendar-service keys adopt` if the data is this service's; else use an empty database",
            )
        case Owner.ANOTHER:
            return Finding(
                "identity key",
                "fault",
                "is not the one this data was made with",
                "give back the former key, which is never rotated, in CALENDAR_IDENTITY_KEY, or use an empty database",
            )
        case Owner.ANOTHER_FORMAT:
            return Finding(
                "format",
                "fault",
                "the database was begun by a version of the service with another format",
                "start that version again, or use an empty database; the identity key may be right",
            )


def google_client(database: DatabaseMeasures) -> Finding:
    """Return whether the stored permissions were given to our Google client."""
    if not database.is_google_client_ours:
        return Finding(
            "Google client",
            "fault",
            "is not the one to which the stored permissions were given, so nothing is refreshed and nobody can connect",
            "give back the former one in CALENDAR_GOOGLE_CLIENT_ID, or type `calendar-service google-client adopt`, "
            "which ends every connection",
        )
    return Finding("Google client", "ok", "is the one of the stored permissions")


def clocks(database: DatabaseMeasures) -> Finding:
    """Return the difference between this host's clock and the database's."""
    values = {"seconds": f"{database.clock_difference / SECOND:.1f}"}
    if not database.clocks_agree:
        return Finding(
            "clocks",
            "fault",
            "differ by %(seconds)s s",
            "set this host's and the database's clock; nothing is erased until then",
            values,
        )
    return Finding("clocks", "ok", "differ by %(seconds)s s", "", values)
