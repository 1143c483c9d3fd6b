"""Operator profiles: complete, nothing invented, and all faults of a profile reported at once."""

from pathlib import Path

import pytest

from calendar_service import operators
from calendar_service.domain.clock import DAY
from calendar_service.domain.operator import CLAUSES
from calendar_service.operators import ProfileFaults
from tests.support.evidence import shows
from tests.unit.overlays import COMPLETE


def overlay(folder: Path, text: str) -> str:
    path = folder / "overlay.toml"
    path.write_text(text, "utf-8")
    return str(path)


def faults_of(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ProfileFaults) as refusal:
        operators.load(overlay(folder, text))
    return refusal.value.faults


def test_the_shipped_profile_says_what_was_published() -> None:
    videsk = operators.load("videsk")
    assert videsk.calendar_name["en"] == "Videsk · Scheduled Sessions"
    assert videsk.promises.deadline_days == 30
    assert videsk.promises.erase_after == 7 * DAY
    assert set(videsk.clauses) == set(CLAUSES)
    assert {clause.source for clause in videsk.clauses.values()} == {"published"}
    assert not videsk.is_draft


def test_what_nobody_gave_is_empty_and_named() -> None:
    assert set(operators.load("videsk").unset()) == {
        "identity.logo",
        "identity.contact",
        "identity.terms_url.en",
        "identity.terms_url.es",
        "policy.url.en",
        "policy.url.es",
        "policy.date",
        "console_url",
        "hosting.volume_encryption",
        "hosting.backup_encryption",
    }


@pytest.mark.parametrize("name", operators.shipped())
def test_every_shipped_profile_loads(name: str) -> None:
    assert operators.load(name).name == name


def test_an_overlay_sets_what_is_unset_and_keeps_the_rest(tmp_path: Path) -> None:
    operator = operators.load(overlay(tmp_path, COMPLETE))
    assert operator.unset() == ()
    assert operator.identity.legal_name == "Videsk SpA"


def test_a_proposed_clause_makes_a_draft_until_it_is_adopted(tmp_path: Path) -> None:
    proposed = COMPLETE + '\n[clauses.LU-5]\nsource = "proposed"\n'
    draft = operators.load(overlay(tmp_path, proposed))
    assert (draft.is_draft, draft.unset()) == (True, ("policy.adopted_on",))
    adopted = operators.load(overlay(tmp_path, 'policy.adopted_on = "2026-06-01"\n' + proposed))
    assert (adopted.is_draft, adopted.unset()) == (False, ())


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    faults = faults_of(
        tmp_path,
        """
        extends = "videsk"
        slogan = "hello"
        console_url = 7
        identity.logo = "https://example.com/logo.svg"
        colours.accent = "blue"
        calendar_name = { fr = "Rendez-vous" }
        organizations.acme = { return_urls = ["https://console.example.com/x"], frame_ancestors = ["https://a.b/c"] }
        clauses.XX-9 = { source = "published", text = { en = "a", es = "b" } }
        clauses.LU-1.source = "rumoured"
        promises.erase_after = "soon"
        """,
    )
    for place in (
        "slogan: is unknown",
        "console_url: must be a text",
        "identity.logo: must name a file on this machine",
        "colours.accent: must be a colour",
        "calendar_name.fr: has no place here",
        "organizations.acme.frame_ancestors: must be origins",
        "clauses.XX-9: is not a clause",
        "clauses.LU-1.source: must be one of published, proposed",
        "promises.erase_after: must be a length of time",
    ):
        assert sum(fault.startswith(place) for fault in faults) == 1, (place, faults)
    assert len(faults) == 9


@shows("backup-latency")
@pytest.mark.parametrize(
    ("term", "backups", "fits"),
    [
        ("13 days", 14, True),
        ("14 days", 14, False),
        ("7 days", 20, True),
        ("7 days", 21, False),
        ("1 day", 20, True),
        ("1 day", 21, False),  # keys are kept for 7 days, should Google not answer
        ("0 days", 14, False),
    ],
)
def test_a_term_that_misses_the_deadline_is_refused(
    tmp_path: Path, term: str, backups: int, *, fits: bool
) -> None:
    text = f'extends = "videsk"\npromises.erase_after = "{term}"\npromises.backup_days = {backups}\n'
    if fits:
        assert operators.load(overlay(tmp_path, text)).promises.backup_days == backups
    else:
        assert any(fault.startswith("promises.erase_after: ") for fault in faults_of(tmp_path, text))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "//evil.example",
        "http://console.example.com/",
        "https://user@console.example.com/",
        "https://console.example.com/a;b",
        "https://console.example.com/a b",
        "https://[",
    ],
)
def test_an_address_to_return_to_is_plain_https(tmp_path: Path, url: str) -> None:
    text = f'extends = "videsk"\norganizations.acme = {{ return_urls = ["{url}"], frame_ancestors = [] }}'
    assert faults_of(tmp_path, text)[0].startswith("organizations.acme.return_urls")


def test_an_organization_without_an_entry_gets_that_of_all_others(tmp_path: Path) -> None:
    operator = operators.load(
        overlay(
            tmp_path,
            'extends = "videsk"\n'
            'organizations.acme = { return_urls = ["https://a.example.com/"], frame_ancestors = [] }\n'
            'organizations."*" = { return_urls = ["https://b.example.com/"], frame_ancestors = [] }\n',
        )
    )
    assert operator.organization("acme").return_urls == ("https://a.example.com/",)
    assert operator.organization("other").return_urls == ("https://b.example.com/",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("console_url = ''", "extends"),
        ('extends = "nobody"', "extends"),
        ('extends = ["videsk"]', "extends"),
        ("extends = ", "not TOML"),
    ],
)
def test_an_overlay_of_nothing_known_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in faults_of(tmp_path, text)[0]


def test_a_name_of_no_profile_is_refused() -> None:
    with pytest.raises(ProfileFaults, match="neither a profile") as refusal:
        operators.load("videks")
    assert refusal.value.remedy.startswith("give a profile's name (cticontrol, optiwe, ")


@pytest.mark.parametrize(
    ("wanted", "language"), [("es-CL", "es"), ("ES_mx", "es"), ("pt-BR", "en"), ("", "en")]
)
def test_the_nearest_language_is_found(wanted: str, language: str) -> None:
    assert operators.load("videsk").language(wanted) == language
