"""Google's own button, unmodified, once the operator placed its files; a plain one until then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from calendar_service.health.doctor import examine
from calendar_service.operators import ProfileFaults, load
from calendar_service.web.app import create_app
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService
from tests.web.pages.visitor import Visitor

NAMES = ("en-light", "en-dark", "es-light", "es-dark")


def _overlay(folder: Path) -> str:
    places = "\n".join(
        f'{code} = {{ light = "{folder}/{code}-light.svg", dark = "{folder}/{code}-dark.svg" }}'
        for code in ("en", "es")
    )
    profile = folder / "operator.toml"
    profile.write_text(f'extends = "videsk"\n[google_button]\n{places}\n', "utf-8")
    return str(profile)


@pytest.fixture
def placed(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock, tmp_path: Path
) -> Iterator[Visitor]:
    """A visitor where the operator placed the four files."""
    for name in NAMES:
        (tmp_path / f"{name}.svg").write_text(f"<svg>{name}</svg>", "utf-8")
    operator = _overlay(tmp_path)
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_OPERATOR=operator)
    yield Visitor(create_app(service.parts), service)
    service.close()


def _verdicts(service: TestService) -> list[tuple[str, str]]:
    return [
        (finding.level, finding.texts()[0])
        for finding in examine(service.config)
        if finding.check == "google button"
    ]


@pytest.mark.parametrize(
    ("locale", "words"), [("en", "Continue with Google"), ("es", "Continuar con Google")]
)
def test_googles_files_are_shown_as_they_are(placed: Visitor, locale: str, words: str) -> None:
    page = placed.enter(locale=locale).text
    for scheme in ("light", "dark"):
        address = page.partition(f"/static/google-button/{locale}-{scheme}")[2].partition('"')[0]
        answer = placed.get(f"/static/google-button/{locale}-{scheme}{address}")
        assert (answer.text, answer.mimetype) == (f"<svg>{locale}-{scheme}</svg>", "image/svg+xml")
        assert "immutable" in answer.headers["Cache-Control"]
    assert f'alt="{words}"' in page
    assert placed.begin().status_code == 303
    assert _verdicts(placed.service) == [("ok", "Google's own files are in place")]


def test_a_plain_button_stands_in_and_doctor_says_so(visitor: Visitor, service: TestService) -> None:
    assert (
        '<button class="button primary google" type="submit">Continue with Google</button>'
        in visitor.enter().text
    )
    assert visitor.get("/static/google-button/en-light").status_code == 404
    assert _verdicts(service) == [("note", "Google's own button is not placed; a plain one stands in")]


def test_a_file_that_is_gone_leaves_the_plain_button_and_is_a_fault(placed: Visitor, tmp_path: Path) -> None:
    (tmp_path / "es-dark.svg").unlink()
    assert "button primary google" in placed.enter().text
    assert _verdicts(placed.service) == [("fault", f"not found: {tmp_path}/es-dark.svg")]


def test_a_button_in_one_language_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    profile = tmp_path / "operator.toml"
    profile.write_text('extends = "videsk"\ngoogle_button.en = { light = "a.gif", dark = "b.svg" }', "utf-8")
    with pytest.raises(ProfileFaults) as refused:
        load(str(profile))
    assert [fault.partition(":")[0] for fault in refused.value.faults] == [
        "google_button.es",
        "google_button.en.light",
    ]
