"""Writes a report as HTML, Markdown and JSON, and the text that an operator publishes."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from calendar_service.domain.clock import DAY, rfc3339
from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS, PURPOSES
from calendar_service.domain.operator import Localized, Operator
from calendar_service.domain.scope import SCOPE
from calendar_service.rendering.environment import environment
from calendar_service.rendering.language import TEMPLATES, Language
from calendar_service.rendering.operator_facts import fact_words
from calendar_service.report.judging import SOURCE, Report, groups
from calendar_service.report.proofs import ClauseEvidence, EvidenceStatus
from calendar_service.report.scopes import scope_tables

FORMATS = ("html", "markdown")
_FILES = {"html": "report/report.html", "markdown": "report/report.md"}


def write(report: Report, kind: str, code: str) -> str:
    """Return the report in a format of `FORMATS` and a language of the pages; HTML is a single file."""
    template = environment(code).get_template(_FILES[kind])
    return _collapse_blank_lines(template.render(_words(report, Language(code))))


def policy_text(operator: Operator, code: str) -> str:
    """Return the section for this operator to publish, in Markdown; unset values are marked."""
    language = Language(code)
    words = _common(operator, language) | {
        "clauses": list(_by_group(operator)),
        "permission": SCOPE,
        "audit_term": language.duration(operator.promises.audit_term),
    }
    return _collapse_blank_lines(environment(code).get_template("report/policy.md").render(words))


def as_json(report: Report) -> dict[str, Any]:
    """Return the status of each clause for programs, in English."""
    return {
        "operator": report.operator.name,
        "environment": report.environment,
        "version": report.version,
        "made_at": rfc3339(report.made_at),
        "standing": report.standing.value,
        "clauses": [_clause(one) for one in report.clauses],
        "additions": [_clause(one) for one in report.additions],
    }


def _clause(evidence: ClauseEvidence) -> dict[str, Any]:
    enforced = evidence.enforced
    return {
        "name": evidence.name,
        "standing": evidence.standing.value,
        "is_draft": evidence.is_draft,
        "code": list(enforced.code) if enforced else [],
        "tests": list(enforced.tests) if enforced else [],
        "absent": list(enforced.absent) if enforced else [],
        "observed": [{"what": one.text(), "standing": one.standing.value} for one in evidence.observed],
        "declared": [
            {"place": one.place, "who": one.who, "when": one.when or None, "standing": one.standing.value}
            for one in evidence.declared
        ],
        "proposals": [one.place for one in evidence.proposals],
    }


def _words(report: Report, language: Language) -> dict[str, Any]:
    sheet = resources.files(TEMPLATES).joinpath("report/report.css").read_text("utf-8")
    return _common(report.operator, language) | {
        "report": report,
        "standings": {standing: report.count(standing) for standing in EvidenceStatus},
        "groups": list(groups(report.clauses)),
        "missing": [one for one in report.all if one.standing is EvidenceStatus.MISSING],
        "open": [one for one in report.all if one.standing is EvidenceStatus.OPEN],
        "made_at": language.moment(report.made_at, "UTC"),
        "sheet": sheet,
        "methods": METHODS.values(),
        "purposes": PURPOSES,
        "inventory": INVENTORY,
        "scope_tables": scope_tables(SOURCE),
        "term_days": f"{report.operator.promises.erase_after / DAY:g}",
    }


def _common(operator: Operator, language: Language) -> dict[str, Any]:
    def text(localized: Localized | str) -> str:
        return localized.get(language.code, "") if isinstance(localized, Mapping) else localized

    return {
        "lang": language.code,
        "operator": operator,
        "app": operator.identity.app_name,
        "who": operator.identity.who,
        "text": text,
        "say": language.say,
        "written_date": language.written_date,
        "cell": lambda words: words.replace("|", "\\|"),
    } | fact_words(operator, language)


def _by_group(operator: Operator) -> list[tuple[str, list[tuple[str, Localized]]]]:
    by_group: dict[str, list[tuple[str, Localized]]] = {}
    for name, clause in operator.clauses.items():
        by_group.setdefault(name[:2], []).append((name, clause.text))
        if name == "LU-1":
            by_group["LU"].append(("external_changes", operator.external_changes.text))
    return list(by_group.items())


def _collapse_blank_lines(text: str) -> str:
    """Return the text with one blank line where templates leave several."""
    lines = [line.rstrip() for line in text.splitlines()]
    single = [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
    return "\n".join(single).strip() + "\n"
