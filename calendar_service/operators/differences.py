"""The differences between the shipped profiles, as Markdown tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from calendar_service.domain.clock import DAY
from calendar_service.domain.operator import ADDITIONS, CLAUSES, Addition, Clause, Operator

UNSET = "*unset*"
NOTHING = "no"


def tables(operators: Sequence[Operator]) -> str:
    """Return three tables with one column per operator: facts, additions, and the source of each clause."""
    parts = (
        ("Facts and numbers", _rows(operators, _FACTS.items())),
        ("Beyond the clauses", _sources(operators, ADDITIONS, lambda operator: operator.additions)),
        ("Clauses", _sources(operators, CLAUSES, lambda operator: operator.clauses)),
    )
    heads = [operator.name for operator in operators]
    return "\n".join(f"### {title}\n\n{_table(heads, rows)}" for title, rows in parts)


def _days(length: int) -> str:
    return f"{length / DAY:g} days" if length != DAY else "1 day"


def _age(operator: Operator) -> str:
    promises = operator.promises
    if not promises.minimum_age_in_eea:
        return str(promises.minimum_age or UNSET)
    return f"{promises.minimum_age}, {promises.minimum_age_in_eea} in the EEA"


_FACTS: Mapping[str, Callable[[Operator], str]] = {
    "application": lambda operator: operator.identity.app_name or UNSET,
    "legal name": lambda operator: operator.identity.legal_name or UNSET,
    "city": lambda operator: operator.identity.city or UNSET,
    "country": lambda operator: operator.identity.country or UNSET,
    "domain": lambda operator: operator.identity.domain or UNSET,
    "contact": lambda operator: operator.identity.contact or UNSET,
    "telephones": lambda operator: ", ".join(operator.contacts.phones) or NOTHING,
    "technical support": lambda operator: ", ".join(operator.contacts.support) or NOTHING,
    "postal address": lambda operator: operator.contacts.postal_address or NOTHING,
    "address for disputes": lambda operator: operator.contacts.dispute_address or NOTHING,
    "data lies in": lambda operator: ", ".join(operator.hosting.countries) or NOTHING,
    "sub-processors": lambda operator: operator.hosting.sub_processors or NOTHING,
    "policy's date": lambda operator: operator.policy.date or UNSET,
    "languages, the first by default": lambda operator: ", ".join(operator.languages),
    "calendar": lambda operator: operator.calendar_name[operator.languages[0]],
    "watching for changes in Google": lambda operator: operator.external_changes.source,
    "minimum age": _age,
    "everything gone within": lambda operator: f"{operator.promises.deadline_days} days",
    "identifiers erased after": lambda operator: _days(operator.promises.erase_after),
    "shorter terms to choose": lambda operator: (
        ", ".join(map(_days, operator.promises.shorter_terms)) or NOTHING
    ),
    "back-ups kept": lambda operator: f"{operator.promises.backup_days} days",
    "audit trail kept": lambda operator: f"{operator.promises.audit_term // DAY} days",
    "checkpoints published": lambda operator: "yes" if operator.promises.publishes_checkpoints else NOTHING,
    "draft": lambda operator: f"yes, {len(operator.proposed())} proposals" if operator.is_draft else "no",
    "to be set before production": lambda operator: ", ".join(f"`{place}`" for place in operator.unset()),
}


def _rows(
    operators: Sequence[Operator], facts: Iterable[tuple[str, Callable[[Operator], str]]]
) -> list[list[str]]:
    return [[label, *map(fact, operators)] for label, fact in facts]


def _sources(
    operators: Sequence[Operator],
    names: Sequence[str],
    texts_of: Callable[[Operator], Mapping[str, Clause] | Mapping[str, Addition]],
) -> list[list[str]]:
    return [[name, *(_source(texts_of(operator).get(name)) for operator in operators)] for name in names]


def _source(text: Clause | Addition | None) -> str:
    if text is None:
        return NOTHING
    return f"{text.source}, by the {text.kept_by}" if isinstance(text, Addition) else text.source


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [["", *heads], ["---"] * (len(heads) + 1), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
