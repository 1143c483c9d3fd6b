"""What doctor says about a profile."""

from pathlib import Path

import pytest

from calendar_service import operators
from calendar_service.health.finding import Finding
from calendar_service.health.findings.configuration import profile
from calendar_service.health.measures.profile import ProfileMeasures
from tests.unit.overlays import COMPLETE


def findings_of(name: str) -> list[Finding]:
    return list(profile(ProfileMeasures(operators.load(name))))


@pytest.mark.parametrize("name", operators.shipped())
def test_doctor_notes_that_nobody_vouches_for_the_encryption_at_rest(name: str) -> None:
    noted = {one.values["place"]: one.level for one in findings_of(name) if "place" in one.values}
    assert set(noted) == set(operators.load(name).unset())
    assert noted["hosting.volume_encryption"] == noted["hosting.backup_encryption"] == "note"
    assert "encryption at rest" not in {one.check for one in findings_of(name)}


def test_doctor_shows_who_vouches_for_the_encryption_at_rest_and_measures_nothing(tmp_path: Path) -> None:
    path = tmp_path / "complete.toml"
    path.write_text(COMPLETE, "utf-8")
    (finding,) = [one for one in findings_of(str(path)) if one.check == "encryption at rest"]
    sentence, _ = finding.texts(str)
    assert finding.level == "ok"
    assert sentence == (
        "declared, not measured: the database's volume LUKS, AES-256 (A. Operator, 2026-05-01), "
        "back-ups age, AES-256 (A. Operator, 2026-05-02)"
    )
