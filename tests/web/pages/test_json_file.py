"""Files that are written entry by entry: the same JSON, and no more memory than their text."""

import json
import tracemalloc
from typing import Any

import pytest

from calendar_service.web.pages.json_file import written


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"text": 'Reunión "1"\n\u2028', "none": None, "number": 1, "whole": {"a": [1, 2]}},
        {"empty": []},
        {"one": [{"a": 1}], "after": [{"b": 2}, {"c": [3]}]},
    ],
)
def test_it_reads_as_what_was_written(value: dict[str, Any]) -> None:
    members = ((name, iter(one) if isinstance(one, list) else one) for name, one in value.items())
    assert json.loads(written(members)) == value


def test_each_entry_has_a_line() -> None:
    file = written([("operator", "Videsk"), ("sessions", iter([{"session": "s1"}, {"session": "s2"}]))])
    assert file.decode().splitlines() == [
        "{",
        '  "operator": "Videsk",',
        '  "sessions": [',
        '    {"session": "s1"},',
        '    {"session": "s2"}',
        "  ]",
        "}",
    ]


def test_memory_holds_the_text_and_not_the_values() -> None:
    def entries() -> Any:
        return ({"session": f"s{number}", "status": "scheduled", "reason": None} for number in range(20_000))

    size = len(written([("sessions", entries())]))
    tracemalloc.start()
    written([("sessions", entries())])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2.5 * size
