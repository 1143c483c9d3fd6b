"""The facts of an operator's profile as its readers see them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from calendar_service.domain.operator import OPTIONAL_FACTS, STATED_FACTS, Declaration, Operator
from calendar_service.rendering.language import Language

_COUNTRIES = ("identity.country", "hosting.countries")


def fact_text(operator: Operator, place: str, language: Language) -> str:
    """Return the fact at a dotted place as readers of this language see it; empty if it is unset.

    Of a declaration it tells what and when; who vouches for it is for the report alone.
    """
    value = operator.fact(place)
    if isinstance(value, Declaration):
        return f"{value.what} ({language.written_date(value.date)})" if value.is_complete else ""
    if isinstance(value, Mapping):
        return str(value.get(language.code, ""))
    several = value if isinstance(value, tuple) else (value,)
    texts = [str(one) for one in several if one]
    return ", ".join(map(language.country, texts) if place in _COUNTRIES else texts)


def fact_words(operator: Operator, language: Language) -> dict[str, Any]:
    """Return what templates need to show facts: `shown(place)`, and the places of two kinds."""
    return {
        "shown": partial(_shown, operator, language),
        "stated_facts": STATED_FACTS,
        "optional_facts": OPTIONAL_FACTS,
    }


def _shown(operator: Operator, language: Language, place: str) -> str:
    return fact_text(operator, place, language)
