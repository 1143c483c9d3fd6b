"""A report as HTML, as Markdown and as JSON, and the text that an operator publishes. Must not measure or judge."""

from collections.abc import Mapping
from importlib import resources
from typing import Any

from calendar_service.domain.clock import DAY, rfc3339
from calendar_service.domain.inventory import INVENTORY
from calendar_service.domain.methods import METHODS, PURPOSES
from calendar_service.domain.operator import Localized, Operator
from calendar_service.rendering.environment import environment
from calendar_service.rendering.language import TEMPLATES, Language
from calendar_service.report.judging import SOURCE, Report, groups
from calendar_service.report.proofs import ClauseEvidence, EvidenceStatus
from calendar_service.report.scopes import scope_tables

FORMATS = ("html", "markdown")
_FILES = {"html": "report/report.html", "markdown": "report/report.md"}


def write(report: Report, kind: str, code: str) -> str:
    """Return the report in a format of `FORMATS` and in a language of the pages; HTML needs nothing beside itself."""
    template = environment(code).get_template(_FILES[kind])
    return _purge_old_sessions(template.render(_words(report, Language(code))))


def policy_text(operator: Operator, code: str) -> str:
    """Return the section for this operator to publish, in Markdown, what is not set yet marked as such."""
    words = _common(operator, Language(code)) | {"clauses": list(_by_group(operator))}
    return _purge_old_sessions(environment(code).get_template("report/policy.md").render(words))


def as_json(report: Report) -> dict[str, Any]:
    """Return the verdicts for programs, in English."""
    return {
        "operator": report.operator.name,
        "environment": report.environment,
        "version": report.version,
        "made_at": rfc3339(report.made_at),
        "standing": report.standing.value,
        "clauses": [_one(kept) for kept in report.clauses],
        "additions": [_one(kept) for kept in report.additions],
    }


def _one(kept: ClauseEvidence) -> dict[str, Any]:
    enforced = kept.enforced
    return {
        "name": kept.name,
        "standing": kept.standing.value,
        "is_draft": kept.is_draft,
        "code": list(enforced.code) if enforced else [],
        "tests": list(enforced.tests) if enforced else [],
        "absent": list(enforced.absent) if enforced else [],
        "observed": [{"what": one.told(), "standing": one.standing.value} for one in kept.observed],
        "declared": [
            {"place": one.place, "who": one.who, "when": one.when or None, "standing": one.standing.value}
            for one in kept.declared
        ],
    }


def _words(report: Report, spoken: Language) -> dict[str, Any]:
    sheet = resources.files(TEMPLATES).joinpath("report/report.css").read_text("utf-8")
    return _common(report.operator, spoken) | {
        "report": report,
        "standings": {standing: report.count(standing) for standing in EvidenceStatus},
        "groups": list(groups(report.clauses)),
        "missing": [kept for kept in report.all if kept.standing is EvidenceStatus.MISSING],
        "open": [kept for kept in report.all if kept.standing is EvidenceStatus.OPEN],
        "made_at": spoken.moment(report.made_at, "UTC"),
        "sheet": sheet,
        "methods": METHODS.values(),
        "purposes": PURPOSES,
        "inventory": INVENTORY,
        "scope_tables": scope_tables(SOURCE),
        "term_days": f"{report.operator.promises.erase_after / DAY:g}",
    }


def _common(operator: Operator, spoken: Language) -> dict[str, Any]:
    def text(localized: Localized | str) -> str:
        return localized.get(spoken.code, "") if isinstance(localized, Mapping) else localized

    return {
        "lang": spoken.code,
        "operator": operator,
        "app": operator.identity.app_name,
        "who": operator.identity.who,
        "text": text,
        "say": spoken.say,
        "cell": lambda words: words.replace("|", "\\|"),
    }


def _by_group(operator: Operator) -> list[tuple[str, list[tuple[str, Localized]]]]:
    found: dict[str, list[tuple[str, Localized]]] = {}
    for name, clause in operator.clauses.items():
        found.setdefault(name[:2], []).append((name, clause.text))
    return list(found.items())


def _purge_old_sessions(text: str) -> str:
    """Return the text without empty lines in a row, which templates leave."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept = [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]
    return "\n".join(kept).strip() + "\n"
