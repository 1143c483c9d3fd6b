"""The runbooks name commands that exist, with the options that they have."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from calendar_service.cli import main

TEXT = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"calendar-service ((?:[a-z-]+)(?: [a-z]+)?)", TEXT)))


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_of_the_runbooks_exists(words: str) -> None:
    assert CliRunner().invoke(main, [*words.split(), "--help"]).exit_code == 0


def test_the_options_of_the_runbooks_exist() -> None:
    helps = "".join(CliRunner().invoke(main, [*words.split(), "--help"]).output for words in COMMANDS)
    assert {option for option in re.findall(r"--[a-z-]+", TEXT) if option not in helps} == set()
