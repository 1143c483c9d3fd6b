"""Rules for a profile, whatever the environment. `config/production.py` has more for production."""

import re
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit

from babel import Locale

from calendar_service.domain.clock import DAY
from calendar_service.domain.consent import is_version
from calendar_service.domain.operator import ADDITIONS, CLAUSES, LimitedUse, Localized, Operator
from calendar_service.operators.contrast import unreadable

Rule = tuple[str, str]
"""The place, and what is wrong there."""

_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?")
_URL_TEXT = re.compile(
    r"[!-:<-~]+"
)  # printable ASCII without blank and `;`: they would end a directive of the CSP header


def broken_rules(operator: Operator) -> Iterator[Rule]:
    """Yield every rule that the profile breaks."""
    yield from _languages(operator)
    yield from _addresses(operator)
    yield from _countries(operator)
    yield from _declarations(operator)
    yield from _policy(operator)
    yield from _promises(operator)
    yield from _clauses(operator)
    yield from _google_button(operator)
    yield from ((f"colours.{name}", what) for name, what in unreadable(operator.colours))


def _languages(operator: Operator) -> Iterator[Rule]:
    if not operator.languages or not all(_LANGUAGE.fullmatch(code) for code in operator.languages):
        yield "languages", 'must be a list of two-letter codes such as ["en", "es"]'
        return
    for place, text in _localized(operator):
        yield from _same_languages(place, set(text), set(operator.languages))
    statement = operator.limited_use
    others = set(operator.languages) - {statement.language}
    yield from _same_languages("limited_use.translations", set(statement.translations), others)
    yield from _limited_use(statement)


def _localized(operator: Operator) -> Iterator[tuple[str, Localized]]:
    yield "identity.terms_url", operator.identity.terms_url
    yield "policy.url", operator.policy.url
    if operator.policy.changes:
        yield "policy.changes", operator.policy.changes
    yield "promises.cookies", operator.promises.cookies
    yield "calendar_name", operator.calendar_name
    yield "session_title", operator.session_title
    yield "external_changes.text", operator.external_changes.text
    for clause_id, clause in operator.clauses.items():
        yield f"clauses.{clause_id}.text", clause.text
    for name, addition in operator.additions.items():
        yield f"additions.{name}.text", addition.text


def _google_button(operator: Operator) -> Iterator[Rule]:
    if operator.google_button:
        yield from _same_languages("google_button", set(operator.google_button), set(operator.languages))
    for code, button in operator.google_button.items():
        for scheme, file in (("light", button.light), ("dark", button.dark)):
            if not file.endswith((".svg", ".png")):
                yield f"google_button.{code}.{scheme}", "must name Google's file, an .svg or .png"


def _same_languages(place: str, present: set[str], required: set[str]) -> Iterator[Rule]:
    for code in sorted(required - present):
        yield f"{place}.{code}", "is missing: every text exists in every language of the profile"
    for code in sorted(present - required):
        yield f"{place}.{code}", "has no place here: the profile does not name this language for it"


def _limited_use(statement: LimitedUse) -> Iterator[Rule]:
    if not 0 < len(statement.sentence) < 500:  # Google: the disclosure has fewer than 500 characters
        yield "limited_use.sentence", "must be given, with fewer than 500 characters"
    if not _is_address(statement.link):
        yield "limited_use.link", "must be an https address"


def _addresses(operator: Operator) -> Iterator[Rule]:
    logo = operator.identity.logo
    if logo and ("://" in logo or not logo.endswith((".svg", ".png"))):
        yield (
            "identity.logo",
            "must name a file on this machine, an .svg or .png: pages show nothing of other sites",
        )
    if operator.identity.domain and not _DOMAIN.fullmatch(operator.identity.domain):
        yield "identity.domain", "must be a domain such as example.com, in lower case"
    if operator.console_url and not _is_address(operator.console_url):
        yield "console_url", "must be an https address"
    for name, organization in operator.organizations.items():
        place = f"organizations.{name}"
        if not all(_is_address(url) for url in organization.return_urls):
            yield f"{place}.return_urls", "must be https addresses (http on localhost, for development)"
        if not all(_ORIGIN.fullmatch(origin) for origin in organization.frame_ancestors):
            yield (
                f"{place}.frame_ancestors",
                "must be origins such as https://console.example.com, without a path",
            )


def _countries(operator: Operator) -> Iterator[Rule]:
    if operator.identity.country and not _is_country(operator.identity.country):
        yield "identity.country", _A_COUNTRY
    for index, code in enumerate(operator.hosting.countries):
        if not _is_country(code):
            yield f"hosting.countries[{index}]", _A_COUNTRY


_A_COUNTRY = "must be a country's two-letter code (ISO 3166-1) such as CL"


def _is_country(code: str) -> bool:
    return bool(_COUNTRY.fullmatch(code)) and code in Locale("en").territories


def _declarations(operator: Operator) -> Iterator[Rule]:
    for name in ("volume_encryption", "backup_encryption"):
        declaration = getattr(operator.hosting, name)
        if declaration.date and not _is_date(declaration.date):
            yield f"hosting.{name}.date", "must be a date such as 2026-06-01"


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        return False
    return bool(_URL_TEXT.fullmatch(url)) and bool(_ORIGIN.fullmatch(origin))


def _policy(operator: Operator) -> Iterator[Rule]:
    if not is_version(operator.policy.version):
        yield "policy.version", "must be numbers such as 2 or 2.1"
    for name in ("date", "adopted_on"):
        text = getattr(operator.policy, name)
        if text and not _is_date(text):
            yield f"policy.{name}", "must be a date such as 2026-06-01"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _promises(operator: Operator) -> Iterator[Rule]:
    promises = operator.promises
    for name in ("deadline_days", "backup_days", "minimum_age", "minimum_age_in_eea"):
        if getattr(promises, name) < 0:
            yield f"promises.{name}", "must not be negative"
    if operator.contacts.answer_days < 0:
        yield "contacts.answer_days", "must not be negative"
    for index, term in enumerate(promises.shorter_terms):
        if not 0 < term < promises.erase_after:
            yield (
                f"promises.shorter_terms[{index}]",
                "must be longer than nothing and shorter than erase_after",
            )
    if promises.erase_after and not promises.keep_the_deadline():
        longest = promises.everything_gone_after / DAY
        yield (
            "promises.erase_after",
            f"leaves remains for {longest:g} days (with 2 for the database's file and {promises.backup_days} of "
            f"back-ups), but {promises.deadline_days - 1} is the most that keeps the deadline of "
            f"{promises.deadline_days}: shorten the term or the back-ups",
        )
    if not promises.erase_after:
        yield "promises.erase_after", "must be longer than nothing"
    if promises.audit_term < promises.deadline_days * DAY:
        yield "promises.audit_term", "must be as long as the deadline: the trail has to show that it was kept"


def _clauses(operator: Operator) -> Iterator[Rule]:
    for missing in sorted(set(CLAUSES) - set(operator.clauses)):
        yield f"clauses.{missing}", "is missing: a profile speaks to every clause"
    for unknown in sorted(set(operator.clauses) - set(CLAUSES)):
        yield f"clauses.{unknown}", "is not a clause of the promise"
    for unknown in sorted(set(operator.additions) - set(ADDITIONS)):
        yield f"additions.{unknown}", f"is not known; known are {', '.join(ADDITIONS)}"
