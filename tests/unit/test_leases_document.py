"""The numbers in docs/leases.md are those of the code."""

import re
from pathlib import Path
from typing import Final

import pytest

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.store import file_rewrites, keys
from calendar_service.store.throttle import Limits
from calendar_service.worker.loop import BATCH

TEXT: Final = (Path(__file__).parents[2] / "docs" / "leases.md").read_text("utf-8")
UNITS: Final = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY}
NUMBERS: Final = re.findall(r"^\| `(\w+)\.(\w+)` \| (\d+) (second|minute|hour|day)s? \|", TEXT, re.MULTILINE)


@pytest.mark.parametrize(("module", "name", "number", "unit"), NUMBERS)
def test_a_length_in_the_table_is_the_constant(module: str, name: str, number: str, unit: str) -> None:
    constant = getattr({"keys": keys, "files": file_rewrites}[module], name)
    assert constant == int(number) * UNITS[unit]


def test_every_lease_and_limit_on_the_page_of_keys_has_its_line() -> None:
    named = {name for module, name, _, _ in NUMBERS if module == "keys"}
    leases = {name for name in vars(keys) if name.endswith("LEASE") or name.startswith("TEARDOWN")}
    assert leases <= named


def test_a_call_lasts_shorter_than_its_lease_as_the_page_says() -> None:
    limits = Limits()
    longest, inline = f"{limits.worker_seconds:g}", f"{limits.inline_seconds:g}"
    sentence = f"at most {longest} seconds in all, one within a request at most {inline}"
    assert sentence in TEXT.replace("\n", " ")
    assert limits.worker_seconds * SECOND < keys.LEASE


def test_a_worker_claims_as_many_agents_as_the_page_says() -> None:
    assert f"up to {BATCH} agents" in TEXT


def test_a_teardown_deletes_the_calendar_as_long_as_the_page_says() -> None:
    assert "2. Delete the calendar, if it was asked for, for 1 hour at most." in TEXT
    assert keys.CALENDAR_DELETION_MAX == HOUR
