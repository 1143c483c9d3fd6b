"""The clauses' texts: nothing that the policy lists is dropped, and nothing is claimed that is not so."""

import pytest

from calendar_service import operators
from tests.support.evidence import shows

ALL = operators.shipped()
NAMED = {
    "ID-1": {"en": ("name", "logo", "domain", "policy"), "es": ("nombre", "logotipo", "dominio", "política")},
    "SC-6": {"en": ("smallest single",), "es": ("por sí solo",)},
    "LU-2": {
        "en": ("console gets the identifiers", "four cases"),
        "es": ("consola", "recibe", "cuatro casos"),
    },
    "LU-3": {"en": ("four cases", "can see at what time"), "es": ("cuatro casos", "a qué hora")},
    "LU-4": {
        "en": (
            "retargeted",
            "personalized",
            "credit",
            "lending",
            "advertising platforms",
            "brokers",
            "resellers",
        ),
        "es": (
            "retargeting",
            "personalizada",
            "créditos",
            "préstamos",
            "plataformas",
            "corredores",
            "revendedores",
        ),
    },
    "CO-1": {"en": ("contact",), "es": ("contacto",)},
}
"""By clause and language: the words without which its text would say less, or more, than is so."""


@shows("ID-1", "SC-6", "LU-2", "LU-3", "LU-4", "CO-1")
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_clause_names_what_the_policy_lists(name: str, language: str) -> None:
    clauses = operators.load(name).clauses
    absent = {
        (clause, word)
        for clause, words in NAMED.items()
        for word in words[language]
        if word not in clauses[clause].text[language]
    }
    assert absent == set()


@shows("SC-2")
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_calendars_name_stands_in_its_clause(name: str, language: str) -> None:
    operator = operators.load(name)
    assert operator.calendar_name[language] in operator.clauses["SC-2"].text[language]


@pytest.mark.parametrize("name", ALL)
def test_no_clause_claims_that_the_service_could_not_hand_anything_out(name: str) -> None:
    for clause in operators.load(name).clauses.values():
        assert "no way to do even that" not in clause.text["en"]
        assert "ni siquiera" not in clause.text["es"]
