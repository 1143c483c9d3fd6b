"""docs/leases.md: its numbers and its scripts are the program's."""

import re
from pathlib import Path
from typing import Final

import pytest

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.store import keys, script_loader
from calendar_service.store.throttle import Limits
from calendar_service.worker.loop import BATCH

TEXT: Final = (Path(__file__).parents[2] / "docs" / "leases.md").read_text("utf-8")
UNITS: Final = {"second": SECOND, "minute": MINUTE, "hour": HOUR, "day": DAY}
NUMBERS: Final = re.findall(r"^\| `keys\.(\w+)` \| (\d+) (second|minute|hour|day)s? \|", TEXT, re.MULTILINE)
LEASES: Final = r"LIFETIME\.(lease|outbox_lease|file_rewrite_pause)\b|\barg\.(lease|length|teardown_lease)\b"
"""What a script names that takes a lease, or judges one."""


@pytest.mark.parametrize(("name", "number", "unit"), NUMBERS)
def test_a_length_in_the_table_is_the_constant(name: str, number: str, unit: str) -> None:
    assert getattr(keys, name) == int(number) * UNITS[unit]


def test_every_constant_that_is_named_stands_in_the_table() -> None:
    assert set(re.findall(r"`keys\.(\w+)`", TEXT)) == {name for name, _, _ in NUMBERS}


def test_every_lease_and_limit_on_the_page_of_keys_has_its_line() -> None:
    leases = {name for name in vars(keys) if name.endswith("LEASE") or name.startswith("TEARDOWN")}
    assert leases <= {name for name, _, _ in NUMBERS}


def test_every_script_that_takes_a_lease_is_named() -> None:
    taking = {name for name in script_loader.names() if re.search(LEASES, script_loader.source(name))}
    assert len(taking) >= 8
    assert {name for name in taking if f"`{name}.lua`" not in TEXT} == set()


def test_a_call_lasts_shorter_than_its_lease_as_the_page_says() -> None:
    limits = Limits()
    lengths = limits.worker_seconds, limits.inline_seconds
    sentence = "at most {:g} seconds in all, one within a request at most {:g} seconds".format(*lengths)
    assert sentence in TEXT.replace("\n", " ")
    assert limits.worker_seconds * SECOND < keys.LEASE


def test_a_worker_claims_as_many_agents_as_the_page_says() -> None:
    assert f"up to {BATCH} agents" in TEXT.replace("\n", " ")


def test_a_teardown_deletes_the_calendar_as_long_as_the_page_says() -> None:
    assert "2. Delete the calendar, if it was asked for, for 1 hour at most." in TEXT
    assert keys.CALENDAR_DELETION_MAX == HOUR
