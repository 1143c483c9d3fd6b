"""Looks a configured service over and says what has to be mended. Must change nothing and show no secret."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from calendar_service import wiring
from calendar_service.config import Config
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.operator import Operator, Promises
from calendar_service.journeys.sealing import ABSENT_AFTER
from calendar_service.store.database import Refused
from calendar_service.store.files import IN_FILES_AT_MOST
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
    sentence: str
    """In English, with places such as `%(count)s`."""
    advice: str = ""
    """The same."""
    values: Mapping[str, object] = field(default_factory=dict)

    def told(self, say: Callable[[str], str] = str) -> tuple[str, str]:
        """Return what was found and what to do about it, each sentence first brought into another language."""
        return say(self.sentence) % self.values, self.advice and say(self.advice) % self.values


def examine(config: Config) -> Iterator[Finding]:
    """Yield what was found, the configuration itself having been read without a fault."""
    yield Finding("configuration", "ok", "complete, for %(use)s", "", {"use": config.environment})
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
    yield from _files(service)
    yield from _google(service)
    yield _notifications(service)


def _key_files(config: Config) -> Iterator[Finding]:
    for fault in config.file_faults():
        yield Finding(
            "key files",
            "fault",
            "not as it should be: %(fault)s",
            "mend the file; the last good value is in force meanwhile",
            {"fault": fault},
        )


def _profile(config: Config) -> Iterator[Finding]:
    operator = config.operator
    for place in operator.unset():
        yield Finding(
            "operator",
            "note",
            "%(place)s is unset; production refuses to start without it",
            'set it in a TOML file that says `extends = "%(profile)s"`, named in CALENDAR_OPERATOR',
            {"place": place, "profile": operator.name},
        )
    if operator.is_draft:
        yield Finding(
            "operator",
            "note",
            "holds proposals that nobody has published: %(proposals)s",
            "publish and adopt them",
            {"proposals": ", ".join(operator.proposed())},
        )
    yield from _logo(operator)
    yield _google_button(operator)
    yield _retention(operator.promises)


def _retention(promises: Promises) -> Finding:
    return Finding(
        "retention",
        "ok",
        "in days: %(term)s + 2 for the database's file + %(backup)s of back-ups "
        "= %(gone)s, of %(deadline)s promised",
        "",
        {
            "term": f"{(promises.everything_gone_after - promises.copies_kept) / DAY:g}",
            "backup": promises.backup_days,
            "gone": f"{promises.everything_gone_after / DAY:g}",
            "deadline": promises.deadline_days,
        },
    )


def _logo(operator: Operator) -> Iterator[Finding]:
    logo = operator.identity.logo
    if logo and not Path(logo).is_file():
        yield Finding(
            "logo",
            "fault",
            "not found: %(file)s; pages show the name instead",
            "mend identity.logo",
            {"file": logo},
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
        return Finding(
            "google button",
            "fault",
            "not found: %(files)s",
            "mend google_button",
            {"files": ", ".join(missing)},
        )
    return Finding("google button", "ok", "Google's own files are in place")


def _durability(service: wiring.Service) -> Iterator[Finding]:
    try:
        found = service.upkeep.persistence()
    except Refused:
        yield Finding("durability", "note", "the database does not tell its settings", "permit CONFIG GET")
        return
    wrong = {
        setting: wanted
        for setting, wanted in DURABILITY.items()
        if any(server.get(setting) != wanted for server in found)
    }
    for setting, wanted in wrong.items():
        yield Finding(
            "durability",
            "fault",
            "%(setting)s is not %(wanted)s",
            "set %(setting)s %(wanted)s",
            {"setting": setting, "wanted": wanted},
        )
    if not wrong:
        yield Finding("durability", "ok", "acknowledged writes are on disk, and nothing is evicted")


def _copies(service: wiring.Service) -> Iterator[Finding]:
    """Compare how many replicas a write waits for with how many there are."""
    try:
        wanted, found = service.database.deployment.copies, service.upkeep.replicas()
    except Refused:
        yield Finding("replicas", "note", "the database does not tell its replicas", "permit INFO")
        return
    numbers = {"found": found, "wanted": wanted}
    if found < wanted:
        yield Finding(
            "replicas",
            "fault",
            "following the primary: %(found)s; writes wait for %(wanted)s, so nothing is acknowledged",
            "start the replicas, or set `?copies=` in CALENDAR_REDIS_URL",
            numbers,
        )
    elif found and not wanted:
        yield Finding(
            "replicas",
            "note",
            "following the primary: %(found)s; no write waits for one, "
            "so a failover may lose what was acknowledged",
            "set `?copies=1` in CALENDAR_REDIS_URL",
            numbers,
        )
    elif wanted:
        yield Finding(
            "replicas",
            "ok",
            "following the primary: %(found)s; every write waits for %(wanted)s",
            "",
            numbers,
        )


def _identity(service: wiring.Service) -> Finding:
    try:
        service.upkeep.check_identity(service.identity.check_value())
    except WrongIdentityKey:
        return Finding(
            "identity key",
            "fault",
            "is not the one this data was made with",
            "give back the former key, which is never rotated, in CALENDAR_IDENTITY_KEY, or use an empty database",
        )
    return Finding("identity key", "ok", "is the one of this data")


def _worker(service: wiring.Service) -> Finding:
    """Tell whether anybody looks after what is due: without, nothing is erased at its term (ST-5)."""
    count, longest = service.timers.backlog()
    if longest < _UNATTENDED:
        return Finding("worker", "ok", "nothing has been due for long")
    return Finding(
        "worker",
        "fault",
        "agents that are due: %(count)s; the first has been for %(minutes)s min: erasures and retries wait",
        "start `calendar-service work`, or more of them",
        {"count": count, "minutes": longest // MINUTE},
    )


def _consents(service: wiring.Service) -> Iterator[Finding]:
    """Compare what agents are asked with what they agreed to (SC-5)."""
    refusals = list(service.renewal.refusals())
    for why, _ in refusals:
        yield Finding(
            "consent",
            "fault",
            "nobody may be asked for this yet: %(why)s",
            "publish it in a newer policy, raise policy.version, and say in policy.changes what is new",
            {"why": why},
        )
    waiting = sum(1 for _ in service.renewal.outgrown())
    if waiting:
        yield Finding(
            "consent",
            "note",
            "agents who have to agree again: %(count)s; nothing of theirs is used meanwhile",
            "",
            {"count": waiting},
        )
    elif not refusals:
        yield Finding(
            "consent",
            "ok",
            "nobody is asked for more than was agreed to, under version %(version)s",
            "",
            {"version": service.renewal.asked.policy},
        )


def _sealed(service: wiring.Service) -> Iterator[Finding]:
    for sealed in service.rotation.status():
        values = {"count": sealed.total, "key": sealed.key_id}
        if sealed.total and not sealed.known:
            yield Finding(
                "keys",
                "fault",
                "records that are sealed by `%(key)s`, which is not in the keyring: %(count)s",
                "give the key back in CALENDAR_KEYRING; without it these agents have to connect again",
                values,
            )
        elif sealed.total and not sealed.current:
            yield Finding(
                "keys",
                "note",
                "records that `%(key)s` still seals: %(count)s",
                "run `keys rotate`",
                values,
            )


def _audit(service: wiring.Service) -> Iterator[Finding]:
    """Tell what the newest checkpoint states, whether there is one, and what is past its time now."""
    ends = service.audit.ends()
    if ends.overdue:
        yield Finding(
            "erasures",
            "fault",
            "past their time by more than an hour: %(count)s",
            "start a worker, and see its log; the promise of ST-5 is at stake",
            {"count": ends.overdue},
        )
    else:
        yield Finding("erasures", "ok", "none is past its time")
    if ends.unproved:
        yield Finding(
            "permissions",
            "fault",
            "not proved alive for three days: %(count)s",
            "start a worker, and see in its log what the token endpoint answers; the promise of RV-1 is at stake",
            {"count": ends.unproved},
        )
    else:
        yield Finding("permissions", "ok", "none was without a proof of life for three days")
    newest, age = service.audit.newest_checkpoint(), service.audit.checkpoint_age()
    if newest is None or age is None:
        yield Finding("audit trail", "note", "has no checkpoint yet", "start a worker: it makes one each day")
    elif age > ABSENT_AFTER:
        yield Finding(
            "audit trail",
            "fault",
            "the newest checkpoint is %(hours)s hours old",
            "start a worker, and see its log (docs/audit.md)",
            {"hours": f"{age / HOUR:.0f}"},
        )
    elif newest.get("faults"):
        yield Finding(
            "audit trail",
            "fault",
            "faults that the checkpoint of %(made)s found: %(count)s",
            "run `audit verify` (docs/audit.md)",
            {"made": newest["made_at"], "count": newest["faults"]},
        )
    else:
        yield Finding(
            "audit trail",
            "ok",
            "checkpoint %(number)s of %(made)s",
            "",
            {"number": newest["number"], "made": newest["made_at"]},
        )


def _files(service: wiring.Service) -> Iterator[Finding]:
    """Tell whether what was erased is gone from the database's files too (law 7)."""
    waiting, outcome = service.files.waiting(), service.files.outcome()
    if waiting > IN_FILES_AT_MOST:
        yield Finding(
            "erasures",
            "fault",
            "may still stand in the database's files: what was erased up to %(hours)s hours ago",
            "permit BGREWRITEAOF, make room on its disk, and see a worker's log (docs/audit.md)",
            {"hours": f"{waiting / HOUR:.0f}"},
        )
    if outcome == "failed":
        yield Finding(
            "erasures",
            "fault",
            "a database server could not rewrite its file, so what was erased is still in it",
            "make room on its disk, and see its log; a worker tries again each hour",
        )
    elif outcome == "refused":
        yield Finding(
            "erasures", "note", "the database does not tell how its files were rewritten", "permit INFO"
        )


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
            "permissions that ended at seven days of age: %(count)s",
            "publish the Google project (publishing status: in production); then these agents connect again",
            {"count": f"{numbers['calendar_google_deaths_at_seven_days']:.0f}"},
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
            "Google refuses to send to %(address)s; a daily look finds changes meanwhile",
            "verify the domain with Google (docs/notifications.md); it is tried again each hour",
            {"address": service.config.notifications_uri},
        )
    return Finding(
        "notifications",
        "ok",
        "Google sends to %(address)s",
        "",
        {"address": service.config.notifications_uri},
    )


def _clocks(service: wiring.Service) -> Finding:
    apart = service.upkeep.clocks_differ()
    values = {"seconds": f"{abs(apart) / SECOND:.1f}"}
    if abs(apart) > HOUR:
        return Finding(
            "clocks",
            "fault",
            "differ by %(seconds)s s",
            "set this host's and the database's clock; nothing is erased until then",
            values,
        )
    return Finding("clocks", "ok", "differ by %(seconds)s s", "", values)
