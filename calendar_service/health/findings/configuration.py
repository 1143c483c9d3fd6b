"""Findings about configuration and profile."""

from collections.abc import Iterator

import tzdata

from calendar_service.config import Config
from calendar_service.domain.clock import DAY
from calendar_service.domain.operator import Hosting, Operator, Promises
from calendar_service.health.finding import Finding
from calendar_service.health.measures.keys import KeyMeasures
from calendar_service.health.measures.profile import ProfileMeasures


def ready_for(config: Config) -> Finding:
    """Return that the configuration is complete: one with a fault is refused before."""
    return Finding("configuration", "ok", "complete, for %(use)s", "", {"use": config.environment})


def time_zone_rules() -> Finding:
    """Return which edition of the IANA time zone database this process computes local times by."""
    return Finding("time zones", "ok", "IANA rules %(version)s", "", {"version": tzdata.IANA_VERSION})


def key_files(keys: KeyMeasures) -> Iterator[Finding]:
    """Yield each secret's file that cannot be used."""
    for fault in keys.file_faults:
        yield Finding(
            "key files",
            "fault",
            "not as it should be: %(fault)s",
            "mend the file; the last good value is in force meanwhile",
            {"fault": fault},
        )


def profile(measures: ProfileMeasures) -> Iterator[Finding]:
    """Yield what the profile lacks, which clauses are unpublished, and the sum of its retention periods."""
    operator = measures.operator
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
    if measures.missing_logo:
        yield Finding(
            "logo",
            "fault",
            "not found: %(file)s; pages show the name instead",
            "mend identity.logo",
            {"file": measures.missing_logo},
        )
    yield from _encryption_at_rest(operator.hosting)
    yield _google_button(operator, measures.missing_button_files)
    yield _retention(operator.promises)


def _encryption_at_rest(hosting: Hosting) -> Iterator[Finding]:
    """Yield what the operator declares; `profile` names what is unset."""
    volume, backups = hosting.volume_encryption, hosting.backup_encryption
    if volume.is_complete and backups.is_complete:
        yield Finding(
            "encryption at rest",
            "ok",
            "declared, not measured: the database's volume %(volume)s (%(volume_who)s, %(volume_date)s), "
            "back-ups %(backups)s (%(backups_who)s, %(backups_date)s)",
            "",
            {
                "volume": volume.what,
                "volume_who": volume.who,
                "volume_date": volume.date,
                "backups": backups.what,
                "backups_who": backups.who,
                "backups_date": backups.date,
            },
        )


def _google_button(operator: Operator, missing: tuple[str, ...]) -> Finding:
    if not operator.google_button:
        return Finding(
            "google button",
            "note",
            "Google's own button is not placed; a plain one stands in",
            "download it from Google's branding guidelines and name the files under google_button in the profile",
        )
    if missing:
        return Finding(
            "google button",
            "fault",
            "not found: %(files)s",
            "mend google_button",
            {"files": ", ".join(missing)},
        )
    return Finding("google button", "ok", "Google's own files are in place")


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
