"""Looks a configured service over and says what has to be mended. Must change nothing and show no secret."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from calendar_service import wiring
from calendar_service.config import Config
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.operator import Operator
from calendar_service.journeys.sealing import ABSENT_AFTER
from calendar_service.store.upkeep import WrongIdentityKey

DURABILITY = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
"""What the database has to be set to: acknowledged writes are on disk, and nothing is evicted (law 10)."""
_UNATTENDED = 5 * MINUTE
"""A worker that takes an agent moves its time on, also where it fails; so this long nobody came."""


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
    with contextlib.closing(wiring.build(config, "doctor")) as service:
        yield from _service(service)


def _service(service: wiring.Service) -> Iterator[Finding]:
    try:
        service.upkeep.ping()
    except StoreUnavailable:
        yield Finding("database", "fault", "does not answer", "start it, or mend CALENDAR_REDIS_URL")
        return
    yield Finding("database", "ok", "answers")
    yield from _durability(service)
    replicas = list(_copies(service))
    yield from replicas
    if any(found.level == "fault" for found in replicas):
        return  # what is looked at next also notes things, and nothing can be noted
    yield _identity(service)
    yield _clocks(service)
    yield _worker(service)
    yield from _consents(service)
    yield from _sealed(service)
    yield from _audit(service)
    yield from _google(service)
    yield _notifications(service)


def _key_files(config: Config) -> Iterator[Finding]:
    for fault in config.file_faults():
        yield Finding("key files", "fault", fault, "mend the file; the last good value is in force meanwhile")


def _profile(config: Config) -> Iterator[Finding]:
    operator = config.operator
    remedy = f'set it in a TOML file that says `extends = "{operator.name}"`, named in CALENDAR_OPERATOR'
    for place in operator.unset():
        yield Finding("operator", "note", f"{place} is unset; production refuses to start without it", remedy)
    if operator.is_draft:
        proposals = ", ".join(operator.proposed())
        yield Finding(
            "operator",
            "note",
            f"holds proposals that nobody has published: {proposals}",
            "publish and adopt them",
        )
    yield from _logo(operator)
    yield _google_button(operator)
    promises = operator.promises
    gone, deadline = promises.everything_gone_after / DAY, promises.deadline_days
    term = f"{promises.erase_after / DAY:g} days + 2 for the database's file + {promises.backup_days} of back-ups"
    yield Finding("retention", "ok", f"{term} = {gone:g}, of {deadline} promised")


def _logo(operator: Operator) -> Iterator[Finding]:
    logo = operator.identity.logo
    if logo and not Path(logo).is_file():
        yield Finding(
            "logo", "fault", f"not found: {logo}; pages show the name instead", "mend identity.logo"
        )


def _google_button(operator: Operator) -> Finding:
    if not operator.google_button:
        return Finding(
            "google button",
            "note",
            "Google's own button is not placed; a plain one stands in",
            "download it from Google's branding guidelines and name the files under google_button in the profile",
        )
    files = [name for button in operator.google_button.values() for name in (button.light, button.dark)]
    missing = [name for name in files if not Path(name).is_file()]
    if missing:
        return Finding("google button", "fault", f"not found: {', '.join(missing)}", "mend google_button")
    return Finding("google button", "ok", "Google's own files are in place")


def _durability(service: wiring.Service) -> Iterator[Finding]:
    try:
        found = service.upkeep.persistence()
    except StoreUnavailable:
        yield Finding("durability", "note", "the database does not tell its settings", "permit CONFIG GET")
        return
    wrong = {
        setting: wanted
        for setting, wanted in DURABILITY.items()
        if any(server.get(setting) != wanted for server in found)
    }
    for setting, wanted in wrong.items():
        yield Finding("durability", "fault", f"{setting} is not {wanted}", f"set {setting} {wanted}")
    if not wrong:
        yield Finding("durability", "ok", "acknowledged writes are on disk, and nothing is evicted")


def _copies(service: wiring.Service) -> Iterator[Finding]:
    """Compare how many replicas a write waits for with how many there are."""
    try:
        wanted, found = service.database.deployment.copies, service.upkeep.replicas()
    except StoreUnavailable:
        yield Finding("replicas", "note", "the database does not tell its replicas", "permit INFO")
        return
    if found < wanted:
        yield Finding(
            "replicas",
            "fault",
            f"{found} follow the primary, and writes wait for {wanted}: nothing is acknowledged",
            "start the replicas, or set `?copies=` in CALENDAR_REDIS_URL",
        )
    elif found and not wanted:
        yield Finding(
            "replicas",
            "note",
            f"{found} follow the primary, and no write waits for one: a failover may lose what was acknowledged",
            "set `?copies=1` in CALENDAR_REDIS_URL",
        )
    elif wanted:
        yield Finding("replicas", "ok", f"{found} follow the primary, and every write waits for {wanted}")


def _identity(service: wiring.Service) -> Finding:
    try:
        service.upkeep.check_identity(service.identity.check_value())
    except WrongIdentityKey as error:
        return Finding("identity key", "fault", "is not the one this data was made with", str(error))
    return Finding("identity key", "ok", "is the one of this data")


def _worker(service: wiring.Service) -> Finding:
    """Tell whether anybody looks after what is due: without, nothing is erased at its term (ST-5)."""
    count, longest = service.timers.backlog()
    if longest < _UNATTENDED:
        return Finding("worker", "ok", "nothing has been due for long")
    return Finding(
        "worker",
        "fault",
        f"{count} agents are due, the first since {longest // MINUTE} minutes: erasures and retries wait",
        "start `calendar-service work`, or more of them",
    )


def _consents(service: wiring.Service) -> Iterator[Finding]:
    """Compare what agents are asked with what they agreed to (SC-5)."""
    refusals = list(service.renewal.refusals())
    for what, remedy in refusals:
        yield Finding("consent", "fault", what, remedy)
    waiting = sum(1 for _ in service.renewal.outgrown())
    if waiting:
        yield Finding(
            "consent",
            "note",
            f"agents who have to agree again: {waiting}; nothing of theirs is used meanwhile",
        )
    elif not refusals:
        version = service.renewal.asked.policy
        yield Finding(
            "consent", "ok", f"nobody is asked for more than was agreed to, under version {version}"
        )


def _sealed(service: wiring.Service) -> Iterator[Finding]:
    for sealed in service.rotation.status():
        if sealed.total and not sealed.known:
            yield Finding(
                "keys",
                "fault",
                f"{sealed.total} records are sealed by `{sealed.key_id}`, which is not in the keyring",
                "give the key back in CALENDAR_KEYRING; without it these agents have to connect again",
            )
        elif sealed.total and not sealed.current:
            yield Finding(
                "keys", "note", f"`{sealed.key_id}` still seals {sealed.total} records", "run `keys rotate`"
            )


def _audit(service: wiring.Service) -> Iterator[Finding]:
    """Tell what the newest checkpoint states, whether there is one, and what is past its time now."""
    overdue = service.audit.ends().overdue
    if overdue:
        yield Finding(
            "erasures",
            "fault",
            f"{overdue} are past their time by more than an hour",
            "start a worker, and see its log; the promise of ST-5 is at stake",
        )
    else:
        yield Finding("erasures", "ok", "none is past its time")
    newest, age = service.audit.newest_checkpoint(), service.audit.checkpoint_age()
    if newest is None or age is None:
        yield Finding("audit trail", "note", "has no checkpoint yet", "start a worker: it makes one each day")
    elif age > ABSENT_AFTER:
        words = f"the newest checkpoint is {age / HOUR:.0f} hours old"
        yield Finding("audit trail", "fault", words, "start a worker, and see its log (docs/audit.md)")
    elif newest.get("faults"):
        words = f"the checkpoint of {newest['made_at']} found {newest['faults']} faults"
        yield Finding("audit trail", "fault", words, "run `audit verify` (docs/audit.md)")
    else:
        yield Finding("audit trail", "ok", f"checkpoint {newest['number']} of {newest['made_at']}")


def _google(service: wiring.Service) -> Iterator[Finding]:
    """Tell what all replicas have learnt of the way to Google."""
    numbers = service.flow.numbers()
    if numbers["calendar_google_client_rejected"]:
        yield Finding(
            "google",
            "fault",
            "does not take the client's credentials; no token is refreshed",
            "mend CALENDAR_GOOGLE_CLIENT_ID and CALENDAR_GOOGLE_CLIENT_SECRET; no connection is lost meanwhile",
        )
    if numbers["calendar_google_testing_mode_suspected"]:
        yield Finding(
            "google",
            "fault",
            f"{numbers['calendar_google_deaths_at_seven_days']:.0f} permissions ended at seven days of age",
            "publish the Google project (publishing status: in production); then these agents connect again",
        )
    if numbers["calendar_google_breaker_open"]:
        yield Finding("google", "note", "does not answer; one call each ten seconds asks whether it is back")


def _notifications(service: wiring.Service) -> Finding:
    """Tell whether Google sends notifications; without them the same changes are found within a day."""
    if not service.config.notifications_uri:
        return Finding(
            "notifications", "ok", "none: Google sends to https addresses only; a daily look finds changes"
        )
    if service.flow.numbers()["calendar_google_notifications_refused"]:
        return Finding(
            "notifications",
            "note",
            f"Google refuses to send to {service.config.notifications_uri}; a daily look finds changes meanwhile",
            "verify the domain with Google (docs/notifications.md); it is tried again each hour",
        )
    return Finding("notifications", "ok", f"Google sends to {service.config.notifications_uri}")


def _clocks(service: wiring.Service) -> Finding:
    apart = service.upkeep.clocks_differ()
    words = f"differ by {abs(apart) / SECOND:.1f} s"
    if abs(apart) > HOUR:
        return Finding(
            "clocks", "fault", words, "set this host's and the database's clock; nothing is erased until then"
        )
    return Finding("clocks", "ok", words)
