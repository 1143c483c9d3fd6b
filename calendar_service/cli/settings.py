"""Shared by commands: the configuration or its faults, and JSON. Loads no more than the configuration."""

import json
import os
import sys
from collections.abc import Iterable
from typing import NoReturn

import click

from calendar_service import config
from calendar_service.config import Config, ConfigurationFault, ConfigurationFaults

UNUSABLE = 2
"""The exit status for an unusable configuration or argument."""

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def refuse(faults: Iterable[ConfigurationFault]) -> NoReturn:
    """Print every fault with its remedy, and exit with 2."""
    click.echo("The configuration cannot be used:", err=True)
    for fault in faults:
        click.echo(f"  {fault}", err=True)
    sys.exit(UNUSABLE)


def configured() -> Config:
    """Return the configuration, or print all its faults and exit."""
    try:
        return config.load(os.environ)
    except ConfigurationFaults as error:
        refuse(error.faults)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    click.echo(_json(value))


def print_json_list(values: Iterable[object]) -> None:
    """Print a list as `print_json` does, each value as it comes."""
    before = "["
    for value in values:
        indented = _json(value).replace("\n", "\n  ")
        click.echo(f"{before}\n  {indented}", nl=False)
        before = ","
    click.echo("[]" if before == "[" else "\n]")


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
