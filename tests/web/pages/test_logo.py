"""The operator's logo, from a file on this machine; the name as text without one."""

from pathlib import Path

from calendar_service.health.doctor import examine
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor, words


def test_the_logo_stands_for_the_name_and_a_lost_file_leaves_the_name(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock, tmp_path: Path
) -> None:
    logo, profile = tmp_path / "logo.svg", tmp_path / "operator.toml"
    logo.write_text("<svg/>", "utf-8")
    profile.write_text(f'extends = "videsk"\nidentity.logo = "{logo}"\n', "utf-8")
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_OPERATOR=str(profile))
    page = Visitor(create_app(service.parts), service).get("/").text
    address = page.partition('<img src="')[2].partition('"')[0]
    answer = Visitor(create_app(service.parts), service).get(address)
    assert (answer.text, answer.mimetype) == ("<svg/>", "image/svg+xml")
    assert 'alt="Videsk"' in page

    logo.unlink()
    page = Visitor(create_app(service.parts), service).get("/")
    assert "<img" not in page.text
    assert "Videsk" in words(page)
    verdicts = [
        (finding.level, finding.texts()[0]) for finding in examine(service.config) if finding.check == "logo"
    ]
    assert verdicts == [("fault", f"not found: {logo}; pages show the name instead")]
    service.close()
