"""/.well-known/security.txt is what RFC 9116 asks for, with the contact of the profile."""

from datetime import UTC, datetime, timedelta

import pytest

from calendar_service.web.app import create_app
from calendar_service.web.security_txt import PATH
from tests.conftest import MovableClock
from tests.support.local_google import LocalGoogle
from tests.support.service import PUBLIC_URL, TestService


@pytest.mark.parametrize(
    ("operator", "contact"), [("vclerk", "privacy@vclerk.com"), ("optiwe", "info@optiwe.com")]
)
def test_whoever_finds_a_weakness_is_told_whom_to_write_to(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock, operator: str, contact: str
) -> None:
    service = TestService.of(clean_store, google_process, test_clock, CALENDAR_OPERATOR=operator)
    for _ in range(2):
        answer = create_app(service.parts).test_client().get(PATH, base_url=PUBLIC_URL)
        assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
        lines = [line.split(": ") for line in answer.text.splitlines()]
        fields = dict(lines)
        assert len(fields) == len(lines), "each field once"
        now = datetime.now(UTC) + timedelta(seconds=test_clock.offset)
        left = datetime.fromisoformat(fields.pop("Expires")) - now
        assert timedelta(days=29) < left < timedelta(days=31), "RFC 9116, section 2.5.5"
        assert fields == {
            "Contact": f"mailto:{contact}",
            "Preferred-Languages": ", ".join(service.parts.operator.languages),
            "Canonical": f"{PUBLIC_URL}{PATH}",
        }
        test_clock.advance(timedelta(days=400).total_seconds())
    service.close()


def test_without_a_contact_in_the_profile_there_is_no_such_file(
    clean_store: str, google_process: LocalGoogle, test_clock: MovableClock
) -> None:
    service = TestService.of(clean_store, google_process, test_clock)
    assert not service.parts.operator.identity.contact
    answer = create_app(service.parts).test_client().get(PATH, base_url=PUBLIC_URL)
    assert answer.status_code == 404
    assert "Contact:" not in answer.text
    service.close()
