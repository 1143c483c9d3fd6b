"""Times of the contract: exact to the second, also around changes of clocks."""

import importlib.resources
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calendar_service.domain.clock import rfc3339
from calendar_service.domain.errors import InvalidRequest
from calendar_service.web.api.times import instant, zone

SANTIAGO = ZoneInfo("America/Santiago")
MADRID = ZoneInfo("Europe/Madrid")


@pytest.mark.parametrize(
    ("text", "local", "utc"),
    [
        ("2026-05-03T14:00:00Z", None, "2026-05-03T14:00:00Z"),
        ("2026-05-03t14:00:00z", None, "2026-05-03T14:00:00Z"),
        ("2026-05-03T14:00:00-04:00", None, "2026-05-03T18:00:00Z"),
        ("2026-05-03T14:00:00+05:45", None, "2026-05-03T08:15:00Z"),
        ("2026-05-03T14:00:00-00:00", None, "2026-05-03T14:00:00Z"),
        ("2026-05-03T14:00:00+23:59", None, "2026-05-02T14:01:00Z"),
        ("2026-05-03T14:00:00.000Z", None, "2026-05-03T14:00:00Z"),
        ("2024-02-29T12:00:00Z", None, "2024-02-29T12:00:00Z"),
        ("1970-01-01T00:00:00Z", None, "1970-01-01T00:00:00Z"),
        ("2999-12-31T23:59:59Z", None, "2999-12-31T23:59:59Z"),
        ("2026-05-03T14:00:00", SANTIAGO, "2026-05-03T18:00:00Z"),
        ("2026-12-03T14:00:00", SANTIAGO, "2026-12-03T17:00:00Z"),
        ("2026-05-03T14:00:00-04:00", MADRID, "2026-05-03T18:00:00Z"),
        ("2026-10-25T02:30:00", MADRID, "2026-10-25T00:30:00Z"),
        ("2026-04-04T23:30:00", SANTIAGO, "2026-04-05T02:30:00Z"),
        # Three zones whose rules changed in 2026: files of 2025 give another hour.
        ("2026-12-15T10:00:00", ZoneInfo("America/Vancouver"), "2026-12-15T17:00:00Z"),
        ("2026-12-15T10:00:00", ZoneInfo("America/Edmonton"), "2026-12-15T16:00:00Z"),
        ("2026-12-15T10:00:00", ZoneInfo("America/Winnipeg"), "2026-12-15T15:00:00Z"),
    ],
)
def test_a_time_is_one_instant(text: str, local: ZoneInfo | None, utc: str) -> None:
    assert rfc3339(instant(text, "start", local)) == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-05-03",
        "2026-05-03T14:00Z",
        "2026-05-03 14:00:00Z",
        "20260503T140000Z",
        "2026-W18-7T14:00:00Z",
        "2026-5-3T14:00:00Z",
        "2026-05-03T14:00:00+0400",
        "2026-05-03T14:00:00+04",
        "2026-05-03T14:00:00 +04:00",
        "2026-05-03T14:00:00Z\n",
        " 2026-05-03T14:00:00Z",
        "\uff12\uff10\uff12\uff16-05-03T14:00:00Z",
        "2026-05-03T14:00:00\u221204:00",
        "+2026-05-03T14:00:00Z",
        "12026-05-03T14:00:00Z",
        "2026-05-03T14:00:00Z[America/Santiago]",
        "1777816800",
        "2026-05-03T14:00:00,5Z",
        "2026-05-03T14:00:00.Z",
        "\ud8002026-05-03T14:00:00Z",
    ],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="has to be written as") as refused:
        instant(text, "start", SANTIAGO)
    assert refused.value.field == "start"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-02-29T14:00:00Z", "not a day"),
        ("2026-13-01T14:00:00Z", "not a day"),
        ("2026-04-31T14:00:00Z", "not a day"),
        ("2026-05-03T24:00:00Z", "not a day"),
        ("2026-05-03T14:60:00Z", "not a day"),
        ("2026-05-03T14:00:61Z", "not a day"),
        ("2016-12-31T23:59:60Z", "leap second"),
        ("2026-05-03T14:00:00.5Z", "whole second"),
        ("2026-05-03T14:00:00.000000001Z", "whole second"),
        ("2026-05-03T14:00:00+24:00", "offset"),
        ("2026-05-03T14:00:00+23:60", "offset"),
        ("0000-01-01T00:00:00Z", "not a day"),
        ("0001-01-01T00:00:00+01:00", "years"),
        ("1969-12-31T23:59:59Z", "years"),
        ("3000-01-01T00:00:00Z", "years"),
        ("9999-12-31T23:59:59-12:00", "years"),
        ("2999-12-31T23:59:59-00:01", "years"),
    ],
)
def test_an_impossible_time_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason) as refused:
        instant(text, "end", None)
    assert refused.value.field == "end"


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2026-03-29T02:30:00", MADRID),
        ("2026-09-06T00:15:00", SANTIAGO),
        ("2011-12-30T12:00:00", ZoneInfo("Pacific/Apia")),
    ],
)
def test_a_local_time_that_the_night_skips_is_refused(text: str, local: ZoneInfo) -> None:
    with pytest.raises(InvalidRequest, match="does not exist in") as refused:
        instant(text, "start", local)
    assert refused.value.field == "start"


def test_the_locked_rules_decide_and_not_the_files_of_the_host(tmp_path: Path) -> None:
    """The host's file of this zone is as wrong as can be: it says UTC."""
    files = tmp_path / "America"
    files.mkdir()
    (files / "Vancouver").write_bytes(
        importlib.resources.files("tzdata.zoneinfo").joinpath("UTC").read_bytes()
    )
    script = (
        "from zoneinfo import ZoneInfo; before = ZoneInfo('America/Vancouver');"
        "from calendar_service.domain.clock import rfc3339;"
        "from calendar_service.web.api.times import instant, zone;"
        "print(rfc3339(instant('2026-12-15T10:00:00', 'start', zone('America/Vancouver', 'time_zone'))))"
    )
    command = [sys.executable, "-c", script]
    host = os.environ | {"PYTHONTZPATH": str(tmp_path)}
    assert (
        subprocess.run(command, env=host, check=True, capture_output=True, text=True).stdout
        == "2026-12-15T17:00:00Z\n"
    )


@pytest.mark.parametrize(("zone_field", "named"), [("time_zone", "time_zone"), ("", "start")])
def test_a_local_time_needs_a_zone(zone_field: str, named: str) -> None:
    with pytest.raises(InvalidRequest, match="no offset") as refused:
        instant("2026-05-03T14:00:00", "start", None, zone_field)
    assert refused.value.field == named


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Olympus", "america/santiago", "../../etc/passwd", "/etc/localtime", "localtime", "Factory", "CLST",
     "America/Santiago ", "America/Santiago\0", "posix/UTC", "UTC+3", "\ud800"],
)  # fmt: skip
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        zone(name, "time_zone")
    assert refused.value.field == "time_zone"


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - local times have no zone


@settings(deadline=None)
@given(MOMENTS, st.sampled_from([SANTIAGO, MADRID]))
def test_a_local_time_that_exists_is_shown_again_as_it_was_given(moment: datetime, local: ZoneInfo) -> None:
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    shown, reason = read(text, local)
    assert shown == text or "does not exist" in reason


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_time_or_refused(text: str) -> None:
    shown, reason = read(text, SANTIAGO)
    assert shown or "`start`" in reason


def read(text: str, local: ZoneInfo) -> tuple[str, str]:
    """Return the local time as shown afterwards, or the reason of the refusal."""
    try:
        moment = instant(text, "start", local)
    except InvalidRequest as refused:
        return "", refused.detail
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(local).strftime("%Y-%m-%dT%H:%M:%S"), ""
