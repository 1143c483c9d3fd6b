"""The words in which a command counts."""

from calendar_service.cli.asking import counted


def test_one_thing_is_told_as_one() -> None:
    assert [counted(number, "entry", "entries") for number in (0, 1, 2)] == [
        "0 entries",
        "1 entry",
        "2 entries",
    ]
    assert [counted(number, "record") for number in (1, 2)] == ["1 record", "2 records"]
