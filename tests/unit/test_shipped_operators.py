"""The shipped profiles: their sources, their additions, and what production requires of them."""

import re
from dataclasses import fields
from pathlib import Path

import calendar_service_templates
import pytest

from calendar_service import config, operators
from calendar_service.domain.operator import ADDITIONS, CLAUSES, Declaration, Operator
from calendar_service.operators.differences import tables
from tests.unit.overlays import ENCRYPTION
from tests.unit.test_config import environ  # noqa: F401 - a fixture

ALL = operators.shipped()
DRAFTS = tuple(name for name in ALL if name != "videsk")
TEMPLATES = Path(calendar_service_templates.__file__).parent
DOCUMENT = Path(__file__).parents[2] / "docs" / "operators.md"


def adopted(folder: Path, name: str, adopted_on: str = "2026-06-01") -> str:
    """Return an overlay that sets everything its operator has to set."""
    path = folder / "adopted.toml"
    host = operators.load(name).identity.domain or "operator.example"
    path.write_text(
        f"""
        extends = "{name}"
        console_url = "https://console.{host}/"
        identity.legal_name = "As registered"
        identity.city = "A city"
        identity.domain = "{host}"
        identity.logo = "/etc/calendar/logo.svg"
        identity.contact = "data@{host}"
        identity.terms_url = {{ en = "https://{host}/terms", es = "https://{host}/es/terms" }}
        policy.url = {{ en = "https://{host}/privacy", es = "https://{host}/es/privacy" }}
        policy.date = "2026-06-01"
        policy.adopted_on = "{adopted_on}"
        promises.minimum_age = 16
        contacts.data_protection_officer = "officer@{host}"
        hosting.sub_processors = "https://{host}/sub-processors"
        {ENCRYPTION}""",
        "utf-8",
    )
    return str(path)


def test_there_is_one_profile_for_each_of_the_five_policies() -> None:
    assert ALL == ("cticontrol", "optiwe", "vclerk", "videsk", "virtual-scale")


@pytest.mark.parametrize("name", ALL)
def test_a_profile_speaks_to_every_clause_in_both_languages(name: str) -> None:
    operator = operators.load(name)
    assert tuple(operator.clauses) == CLAUSES
    assert set(operator.languages) == {"en", "es"}
    for words in (*operator.clauses.values(), *operator.additions.values()):
        assert all(len(text) > 15 for text in words.text.values())
        assert words.text["en"] != words.text["es"]


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("videsk", set(CLAUSES)),
        ("virtual-scale", {"UP-1"}),
        ("vclerk", {"UP-1"}),
        ("cticontrol", {"UP-1"}),
        ("optiwe", set()),
    ],
)
def test_a_clause_is_published_only_where_the_policy_says_it(name: str, published: set[str]) -> None:
    clauses = operators.load(name).clauses
    assert {clause for clause, words in clauses.items() if words.source == "published"} == published


@pytest.mark.parametrize("name", ALL)
def test_the_deadline_and_the_statement_of_limited_use_are_kept(name: str) -> None:
    operator = operators.load(name)
    assert operator.promises.keep_the_deadline()
    assert operator.identity.who in operator.limited_use.sentence
    assert operator.limited_use.sentence.endswith("including the Limited Use requirements.")


RIGHTS_OF_ALL = {"access", "correction", "deletion", "restriction"}
PUBLISHED = {
    "videsk": {"administrators", *RIGHTS_OF_ALL, "encryption", "underage"},
    "virtual-scale": {
        *RIGHTS_OF_ALL, "portability", "protection-officer", "data-abroad", "encryption", "audits", "training",
        "underage",
    },
    "vclerk": {
        *RIGHTS_OF_ALL, "portability", "withdrawal", "customer-data", "data-abroad", "sub-processors", "roles",
        "legal-basis", "customer-keys", "legal-matters", "account-closure", "disclosure-notice",
        "improper-requests", "disputes", "underage",
    },
    "cticontrol": {*RIGHTS_OF_ALL, "suspension-notice", "own-term"},
    "optiwe": {
        "administrators", "access", "correction", "deletion", "customer-data", "hosting", "sub-processors",
        "partner-review", "backup-latency", "lesser-rights-notice", "successor-notice",
    },
}  # fmt: skip
"""By operator: the rights and duties that its policy names, beyond the clauses."""
PROPOSED = {
    "optiwe": {"no-transfer", "encryption"},
    "virtual-scale": {"cookies"},
    "vclerk": {"encryption"},
    "cticontrol": {"encryption"},
}
"""By operator: the additions that its policy does not name."""
FACTS: dict[str, dict[str, object]] = {
    "videsk": {},
    "virtual-scale": {
        "contacts.phones": ("+1 (954) 516-2901",),
        "contacts.postal_address": "CLL ANTONIO E SAVIGNAC 300 302 INTERIOR MZ 1 LT 1 SUPERMANZANA 4 B, CANCUN, "
        "BENITO JUARE, Q0, C.P. 77500-CR -77501",
    },
    "vclerk": {"contacts.dispute_address": "VClerk, Tordenskioldsgate 3, 0160 Oslo, Norway"},
    "cticontrol": {
        "contacts.phones": ("+57 1 635 6535", "+57 (601) 635 6535"),
        "contacts.support": ("support@calltechsa.com", "+57 (601) 635 6535 Ext: 911"),
        "contacts.postal_address": "Calle 128 B BIS N° 59 B 40, C.P. 111111, Bogotá D.C., Colombia",
    },
    "optiwe": {"hosting.countries": ("US",), "hosting.sub_processors": "Amazon AWS, Google Cloud"},
}
"""By operator: what its policy says of how it is reached and where data lies."""
UNSIGNED = Declaration(what="", who="", date="")


@pytest.mark.parametrize("name", ALL)
def test_a_profile_carries_each_right_that_its_policy_names_and_no_other(name: str) -> None:
    additions = operators.load(name).additions
    by_source: dict[str, set[str]] = {"published": set(), "proposed": set()}
    for addition, words in additions.items():
        by_source[words.source].add(addition)
    assert by_source == {"published": PUBLISHED[name], "proposed": PROPOSED.get(name, set())}


@pytest.mark.parametrize("name", ALL)
def test_a_profile_carries_each_fact_that_its_policy_gives_and_no_other(name: str) -> None:
    operator = operators.load(name)
    places = [
        f"{table}.{field.name}" for table in ("contacts", "hosting") for field in fields(operator.fact(table))
    ]
    given = {place: value for place in places if (value := operator.fact(place)) and value != UNSIGNED}
    assert given == FACTS[name]


def test_the_sub_processors_of_a_policy_without_a_list_are_promised_and_not_claimed() -> None:
    promised = operators.load("vclerk").additions["sub-processors"].text
    assert "will be published" in promised["en"]
    assert "Se publicará" in promised["es"]


def test_every_addition_of_the_list_is_somebodys() -> None:
    assert {name for operator in map(operators.load, ALL) for name in operator.additions} == set(ADDITIONS)


def test_spanish_operators_speak_spanish_first() -> None:
    assert {operators.load(name).languages[0] for name in ("cticontrol", "optiwe")} == {"es"}


def test_only_one_operator_lets_agents_choose_a_term() -> None:
    assert [name for name in ALL if operators.load(name).promises.shorter_terms] == ["cticontrol"]


def test_two_legal_names_are_none_and_an_age_that_nobody_gave_is_unset() -> None:
    operator = operators.load("cticontrol")
    assert (operator.identity.legal_name, operator.identity.who) == ("", "CTiContRol")
    assert {"identity.legal_name", "promises.minimum_age"} <= set(operator.unset())


def test_masked_and_missing_addresses_are_unset() -> None:
    assert {"identity.contact", "contacts.data_protection_officer"} <= set(
        operators.load("virtual-scale").unset()
    )
    assert "hosting.sub_processors" in operators.load("vclerk").unset()
    assert "identity.domain" in operators.load("optiwe").unset()


@pytest.mark.parametrize("name", DRAFTS)
def test_a_draft_runs_in_development(name: str, environ: dict[str, str]) -> None:  # noqa: F811
    changed = {
        "CALENDAR_ENVIRONMENT": "development",
        "CALENDAR_PUBLIC_URL": "http://localhost:8080",
        "CALENDAR_OPERATOR": name,
    }
    assert config.load(environ | changed).operator.is_draft


@pytest.mark.parametrize("name", DRAFTS)
def test_production_refuses_a_draft_and_names_its_proposals(
    name: str,
    environ: dict[str, str],  # noqa: F811
) -> None:
    messages = refused(environ | {"CALENDAR_OPERATOR": name})
    assert f"CALENDAR_OPERATOR ({name}): policy.adopted_on" in messages
    assert f"CALENDAR_OPERATOR ({name}): policy.url.es" in messages
    assert "PR-1" in messages[f"CALENDAR_OPERATOR ({name})"]
    assert ("UP-1" in messages[f"CALENDAR_OPERATOR ({name})"]) == (name == "optiwe")


@pytest.mark.parametrize("name", DRAFTS)
def test_production_takes_it_once_adopted(name: str, environ: dict[str, str], tmp_path: Path) -> None:  # noqa: F811
    operator = operators.load(adopted(tmp_path, name))
    host = operator.identity.domain
    variables = environ | {
        "CALENDAR_OPERATOR": adopted(tmp_path, name),
        "CALENDAR_PUBLIC_URL": f"https://calendar.{host}",
    }
    assert (operator.is_draft, operator.unset()) == (False, ())
    assert config.load(variables).operator.policy.adopted_on == "2026-06-01"


@pytest.mark.parametrize("name", DRAFTS)
def test_adopting_without_the_policys_address_is_not_enough(
    name: str,
    environ: dict[str, str],  # noqa: F811
    tmp_path: Path,
) -> None:
    path = Path(adopted(tmp_path, name))
    path.write_text(path.read_text("utf-8").replace("policy.url = {", "# {"), "utf-8")
    messages = refused(environ | {"CALENDAR_OPERATOR": str(path)})
    assert f"CALENDAR_OPERATOR ({name}): policy.url.en" in messages
    assert f"CALENDAR_OPERATOR ({name})" not in messages


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('policy.adopted_on = "yes"', "policy.adopted_on: must be a date"),
        ('policy.version = "spring"', "policy.version: must be numbers"),
        ('policy.changes = { en = "More." }', "policy.changes.es: is missing"),
        ('policy.date = "1 June 2026"', "policy.date: must be a date"),
        ('promises.shorter_terms = ["7 days"]', "promises.shorter_terms[0]: must be longer"),
        ('promises.shorter_terms = ["1 hour", "0 days"]', "promises.shorter_terms[1]: must be longer"),
        ('promises.shorter_terms = ["soon"]', "promises.shorter_terms[0]: must be a length"),
        ('identity.country = "Colombia"', "identity.country: must be a country's two-letter code"),
        ('identity.country = "XQ"', "identity.country: must be a country's two-letter code"),
        ('hosting.countries = ["US", "us"]', "hosting.countries[1]: must be a country's two-letter code"),
        ('hosting.backup_encryption.date = "yesterday"', "hosting.backup_encryption.date: must be a date"),
        ('hosting.volume_encryption = "LUKS"', "hosting.volume_encryption: must be a table"),
        ("contacts.answer_days = -1", "contacts.answer_days: must not be negative"),
        ('contacts.phones = "+57"', "contacts.phones: must be a list"),
        ("promises.minimum_age_in_eea = -1", "promises.minimum_age_in_eea: must not be negative"),
        ('additions.telepathy = { source = "published", kept_by = "service", text = { en = "a", es = "b" } }',
         "additions.telepathy: is not known"),
        ('additions.own-term.kept_by = "nobody"', "additions.own-term.kept_by: must be one of"),
        ('additions.own-term.text = { fr = "Bonjour" }', "additions.own-term.text.fr: has no place"),
        ("hosting.sub_processors = 3", "hosting.sub_processors: must be a text"),
    ],
)  # fmt: skip
def test_a_wrong_profile_is_told_by_its_place(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(f'extends = "cticontrol"\n{text}\n', "utf-8")
    with pytest.raises(operators.ProfileFaults) as refusal:
        operators.load(str(path))
    assert [fault for fault in refusal.value.faults if fault.startswith(place)], refusal.value.faults


def test_the_document_shows_the_differences_as_they_are() -> None:
    text = tables([operators.load(name) for name in ALL])
    assert DOCUMENT.read_text("utf-8").endswith(f"-->\n\n{text}")


DEFAULT_OF_RUN = 'or "videsk"'
"""`run` has to start under some name where none is set; nothing else asks for one."""


def test_no_code_and_no_page_knows_an_operator_by_name() -> None:
    names = {part.lower() for operator in map(operators.load, ALL) for part in _names(operator)}
    profiles = Path(operators.__file__).parent
    files = [path for folder in (profiles.parent, TEMPLATES) for path in folder.rglob("*") if path.is_file()]
    read = [path for path in files if path.parent != profiles and path.suffix in _TEXTS]
    assert {path.suffix for path in read} == _TEXTS
    for file in read:
        text = file.read_text("utf-8").replace(DEFAULT_OF_RUN, "").lower()
        assert not [name for name in names if name in text], file


_TEXTS = {".py", ".lua", ".html", ".css", ".po"}


def _names(operator: Operator) -> set[str]:
    identity = operator.identity
    return {operator.name, identity.app_name, identity.legal_name, identity.domain} - {""}


def refused(variables: dict[str, str]) -> dict[str, str]:
    with pytest.raises(config.ConfigurationFaults) as refusal:
        config.load(variables)
    return {fault.where: fault.what for fault in refusal.value.faults}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("missing", ["what", "who", "date"])
@pytest.mark.parametrize("place", ["hosting.volume_encryption", "hosting.backup_encryption"])
def test_production_refuses_until_somebody_vouches_for_the_encryption_at_rest(
    environ: dict[str, str],  # noqa: F811
    tmp_path: Path,
    name: str,
    place: str,
    missing: str,
) -> None:
    path = Path(adopted(tmp_path, name))
    line = next(line for line in ENCRYPTION.splitlines() if line.startswith(place))
    path.write_text(
        path.read_text("utf-8").replace(line, re.sub(f'{missing} = "[^"]+"', f'{missing} = ""', line))
    )
    host = operators.load(str(path)).identity.domain
    variables = {"CALENDAR_OPERATOR": str(path), "CALENDAR_PUBLIC_URL": f"https://calendar.{host}"}
    assert refused(environ | variables) == {f"CALENDAR_OPERATOR ({name}): {place}": "is unset"}
