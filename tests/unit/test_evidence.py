"""The report's evidence: each clause has some, and each item of it exists."""

import html
from dataclasses import replace
from pathlib import Path

import pytest

from calendar_service import operators
from calendar_service.domain.operator import ADDITIONS, CLAUSES
from calendar_service.journeys.operations.all_connections import ConnectionTotals
from calendar_service.report.evidence import ADDED, EVIDENCE
from calendar_service.report.judging import PACKAGE, SOURCE, judge, suite_of
from calendar_service.report.observing import CHECKS
from calendar_service.report.proofs import ClauseEvidence, Declared, EvidenceStatus, Observed
from calendar_service.report.shown_by import SHOWN_BY
from calendar_service.report.writing import FORMATS, as_json, policy_text, write
from tests.unit.overlays import COMPLETE

MEASURES = {
    "permission", "methods", "narrower permissions", "inventory", "encryption", "sealed", "proofs", "teardowns",
    "checkpoint", "audit_log", *CHECKS,
}  # fmt: skip
NOW = 1_777_831_200_000
ALL = {**EVIDENCE, **ADDED}


def test_every_clause_has_its_evidence() -> None:
    assert tuple(EVIDENCE) == CLAUSES
    assert tuple(SHOWN_BY) == tuple(ALL)
    assert all(one.does and one.code and SHOWN_BY[name] for name, one in ALL.items())


def test_every_addition_that_the_service_keeps_has_its_evidence() -> None:
    profiles = map(operators.load, operators.shipped())
    additions = {
        name for one in profiles for name, addition in one.additions.items() if addition.kept_by == "service"
    }
    assert set(ADDED) == additions
    assert additions <= set(ADDITIONS)


@pytest.mark.parametrize("name", ALL)
def test_what_evidence_names_is_there(name: str) -> None:
    evidence, there = ALL[name], suite_of(SOURCE)
    assert there is not None
    assert [test for test in SHOWN_BY[name] if test not in there] == []
    assert [file for file in evidence.code if not (PACKAGE / file).is_file()] == []
    assert set(evidence.observed) <= MEASURES


def report_of(name: str = "videsk", **measured: Observed):  # type: ignore[no-untyped-def]
    all_shown = {measure: Observed("It is so.") for measure in MEASURES}
    return judge(operators.load(name), "development", all_shown | measured, (), ConnectionTotals(), NOW)


def test_a_clause_that_was_not_measured_lacks_its_evidence() -> None:
    report = judge(operators.load("videsk"), "development", {}, (), ConnectionTotals(), NOW)
    missing = {clause.name for clause in report.clauses if clause.standing is EvidenceStatus.MISSING}
    assert missing == {name for name, one in EVIDENCE.items() if one.observed}
    assert report.standing is EvidenceStatus.MISSING


def test_one_measure_that_fails_makes_its_clause_and_the_whole_red() -> None:
    late = Observed("%(count)s are late.", {"count": 3}, EvidenceStatus.MISSING)
    report = report_of(proofs=late)
    assert [clause.name for clause in report.all if clause.standing is EvidenceStatus.MISSING] == ["RV-1"]
    page = write(report, "html", "en")
    assert "3 are late." in page
    assert "lacks its evidence just now" in page


def test_what_the_operator_has_not_set_is_open_and_never_red() -> None:
    report = report_of()
    assert report.standing is EvidenceStatus.OPEN
    opened = {clause.name for clause in report.clauses if clause.standing is EvidenceStatus.OPEN}
    assert opened == {name for name, one in EVIDENCE.items() if one.declared or one.proposable}


@pytest.mark.parametrize("name", operators.shipped())
def test_watching_for_changes_is_open_until_the_policy_names_it(name: str) -> None:
    report = report_of(name)
    [limited_use] = [clause for clause in report.clauses if clause.name == "LU-1"]
    sentence = report.operator.external_changes
    assert (sentence.source, limited_use.standing) == ("proposed", EvidenceStatus.OPEN)
    for language in ("en", "es"):
        assert sentence.text[language] in policy_text(report.operator, language)
        for kind in FORMATS:
            assert sentence.text[language] in html.unescape(write(report, kind, language))


@pytest.mark.parametrize("adopted", ["source", "adopted_on"])
def test_watching_for_changes_is_no_proposal_once_it_is_published(adopted: str) -> None:
    operator = operators.load("videsk")
    operator = (
        replace(operator, external_changes=replace(operator.external_changes, source="published"))
        if adopted == "source"
        else replace(operator, policy=replace(operator.policy, adopted_on="2026-06-01"))
    )
    measures = {measure: Observed("It is so.") for measure in MEASURES}
    report = judge(operator, "development", measures, (), ConnectionTotals(), NOW)
    [limited_use] = [clause for clause in report.clauses if clause.name == "LU-1"]
    assert (limited_use.proposals, limited_use.standing) == ((), EvidenceStatus.SHOWN)
    assert operator.external_changes.text["en"] in policy_text(operator, "en")


def test_the_encryption_at_rest_is_open_until_somebody_vouches_for_it_and_shown_with_who_and_when(
    tmp_path: Path,
) -> None:
    def encryption(profile: str) -> ClauseEvidence:
        return next(one for one in report_of(profile).additions if one.name == "encryption")

    assert encryption("videsk").standing is EvidenceStatus.OPEN
    overlay = tmp_path / "complete.toml"
    overlay.write_text(COMPLETE, "utf-8")
    shown = encryption(str(overlay))
    assert shown.standing is EvidenceStatus.SHOWN
    assert [(one.value, one.who, one.when) for one in shown.declared[1:]] == [
        ("LUKS, AES-256", "A. Operator", "2026-05-01"),
        ("age, AES-256", "A. Operator", "2026-05-02"),
    ]
    for kind in ("html", "markdown"):
        assert "A. Operator, 2 May 2026" in write(report_of(str(overlay)), kind, "en")


def test_a_word_counts_only_with_its_day() -> None:
    assert Declared("identity.contact", "data@example.com", "Somebody", "").standing is EvidenceStatus.OPEN
    assert Declared("identity.contact", "", "Somebody", "2026-06-01").standing is EvidenceStatus.OPEN
    assert (
        Declared("identity.contact", "data@example.com", "Somebody", "2026-06-01").standing
        is EvidenceStatus.SHOWN
    )


@pytest.mark.parametrize("name", [name for name in operators.shipped() if name != "videsk"])
def test_a_drafts_proposals_are_open(name: str) -> None:
    report = report_of(name)
    proposed = set(report.operator.proposed())
    assert {clause.name for clause in report.all if clause.is_draft} == proposed
    assert {clause.standing for clause in report.all if clause.is_draft} == {EvidenceStatus.OPEN}
    assert "has not published this yet" in write(report, "html", "en")


def test_without_the_source_beside_it_the_report_says_so(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_other.py").write_text("def test_of_somebody_else(): ...", "utf-8")
    assert suite_of(tmp_path) is None  # another package's suite is no evidence, and its lack no fault
    there = report_of()
    assert "Each file and each test named here was looked for and found" in write(there, "html", "en")
    installed = write(replace(there, tests_found=False), "html", "en")
    assert "tests are not installed with it" in installed
    assert SHOWN_BY["ST-2"][0].partition("::")[0] in installed


@pytest.mark.parametrize("name", operators.shipped())
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_report_stands_alone_and_speaks_as_one(name: str, language: str) -> None:
    report = report_of(name)
    page = write(report, "html", language)
    assert f'<html lang="{language}">' in page
    assert "<script" not in page
    assert "src=" not in page
    assert 'href="http' not in page.replace('href="#', "")
    for clause in report.all:
        assert f'id="{clause.name}"' in page
    assert report.operator.colours.accent in page
    text = write(report, "markdown", language)
    assert {"en": "# Conformance report", "es": "# Informe de conformidad"}[language] in text
    assert all(f"#### {clause.name} · " in text for clause in report.all)
    assert "&#" not in text


def test_programs_get_the_verdicts() -> None:
    document = as_json(report_of(audit_log=Observed("Changed.", {}, EvidenceStatus.MISSING)))
    assert document["standing"] == "missing"
    assert [one["name"] for one in document["clauses"] if one["standing"] == "missing"] == ["LU-6"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_text_to_publish_holds_every_clause_and_names_what_is_not_set(language: str) -> None:
    operator = operators.load("optiwe")
    text = policy_text(operator, language)
    for clause in (*operator.clauses.values(), *operator.additions.values()):
        assert clause.text[language] in text
    assert operator.limited_use.sentence in text
    assert operator.limited_use.link in text
    cases = {"en": "after your explicit consent", "es": "tras su consentimiento expreso"}
    assert cases[language] in text
    unset = {"en": "[not set by the operator yet]", "es": "[el operador aún no lo ha indicado]"}[language]
    assert text.count(unset) == 3  # the city, and the encryption of volume and back-ups
