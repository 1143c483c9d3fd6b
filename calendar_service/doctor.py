"""Looks a configured service over and says what has to be mended. Must change nothing and show no secret."""

from collections.abc import Iterator
from dataclasses import dataclass

from calendar_service import wiring
from calendar_service.config import Config
from calendar_service.domain.clock import HOUR, SECOND
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.store.upkeep import WrongIdentityKey

DURABILITY = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
"""What the database has to be set to: acknowledged writes are on disk, and nothing is evicted (law 10)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `level`: `ok`, `note` (to be mended before production) or `fault`."""

    check: str
    level: str
    detail: str
    remedy: str = ""


def examine(config: Config) -> Iterator[Finding]:
    """Yield what was found, the configuration itself having been read without a fault."""
    yield Finding("configuration", "ok", f"complete, for {config.environment}")
    yield from _key_files(config)
    yield from _profile(config)
    service = wiring.build(config, "doctor")
    try:
        service.upkeep.ping()
    except StoreUnavailable:
        yield Finding("database", "fault", "does not answer", "start it, or mend CALENDAR_REDIS_URL")
        return
    yield Finding("database", "ok", "answers")
    yield from _durability(service)
    yield _identity(service)
    yield _clocks(service)


def _key_files(config: Config) -> Iterator[Finding]:
    for fault in config.file_faults():
        yield Finding("key files", "fault", fault, "mend the file; the last good value is in force meanwhile")


def _profile(config: Config) -> Iterator[Finding]:
    operator = config.operator
    remedy = f'set it in a TOML file that says `extends = "{operator.name}"`, named in CALENDAR_OPERATOR'
    for place in operator.unset():
        yield Finding("operator", "note", f"{place} is unset; production refuses to start without it", remedy)
    if operator.is_draft:
        yield Finding(
            "operator", "note", "holds clauses that are not published yet", "publish and adopt them"
        )


def _durability(service: wiring.Service) -> Iterator[Finding]:
    try:
        found = service.upkeep.persistence()
    except StoreUnavailable:
        yield Finding("durability", "note", "the database does not tell its settings", "permit CONFIG GET")
        return
    for setting, wanted in DURABILITY.items():
        if found.get(setting) != wanted:
            yield Finding("durability", "fault", f"{setting} is not {wanted}", f"set {setting} {wanted}")


def _identity(service: wiring.Service) -> Finding:
    try:
        service.upkeep.check_identity(service.identity.check_value())
    except WrongIdentityKey as error:
        return Finding("identity key", "fault", "is not the one this data was made with", str(error))
    return Finding("identity key", "ok", "is the one of this data")


def _clocks(service: wiring.Service) -> Finding:
    apart = service.upkeep.clocks_differ()
    words = f"differ by {abs(apart) / SECOND:.1f} s"
    if abs(apart) > HOUR:
        return Finding(
            "clocks", "fault", words, "set this host's and the database's clock; nothing is erased until then"
        )
    return Finding("clocks", "ok", words)
