"""Loads scripts: assembles each from its file, the shared parts that it names, and the tables of keys and lifetimes.

A script's header is the comment under its first line. It says what the script does, then lists in lines of their own:

- `keys:` `slot` (the keys of an agent's slot, from `keys.SlotKeys`), or its own names for the keys it is given;
- `args:` its arguments in order, or `none`; a last name with `...` takes a sequence; each is explained below;
- `answers:` the words it may answer first, each explained below, or `returns:` what it returns where that is no word;
- `use:` shared parts of `scripts/lib/`, which may name further ones.

In the script `KEY.facts` is a key, `arg.session` an argument (always a text), `LIFETIME.lease` a number of milliseconds
from `keys.py`, and `TIMER.erase` a kind of timer.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from calendar_service.domain.timers import TimerKind
from calendar_service.store import keys

Value = str | int | Sequence[str | int]
"""The type of an argument; a sequence only for the last one, if the header says so."""

SLOT: Final = "slot"
"""Stands in a header for the keys of an agent's slot."""
SLOT_ARGS: Final = ("clock_offset", "member", "entry", "webhooks")
"""Arguments that every script of an agent's slot gets first. Headers do not list them."""
OWN_ARGS: Final = ("clock_offset",)
"""The same for scripts that belong to no slot."""
LIFETIMES: Final[Mapping[str, int]] = {
    name.lower(): value for name, value in vars(keys).items() if name.isupper() and isinstance(value, int)
}
TIMERS: Final[Mapping[str, str]] = {kind.name.lower(): f"'{kind.value}'" for kind in TimerKind}
_FIELD: Final = re.compile(r"^-- (keys|args|answers|returns|use): (.*)$", re.MULTILINE)
_SCRIPTS: Final = files("calendar_service.store").joinpath("scripts")


_ONE_VALUE: Final = (str, int)
"""The types of an argument that is no sequence."""


class WrongCall(Exception):
    """The program called a script with other keys or arguments than the script's header lists."""


@dataclass(frozen=True, slots=True)
class Script:
    """One script, ready to be run."""

    name: str
    text: str
    digest: str
    """The SHA-1 under which the database keeps it. It depends on the text, so two versions can run side by side."""
    keys: tuple[str, ...]
    """The script's names for its keys, in order."""
    is_of_slot: bool
    args: tuple[str, ...]
    """The arguments that its header lists, in order."""
    takes_many: bool
    """The last argument is a sequence."""
    answers: tuple[str, ...]
    """The words it may answer first; empty if it returns something else."""

    def key_list(self, named_keys: Mapping[str, str]) -> list[str]:
        """Return the keys in the script's order; raise `WrongCall` unless they are those of the header."""
        if named_keys.keys() != set(self.keys):
            raise WrongCall(f"{self.name} takes the keys {self.keys}, not {tuple(named_keys)}")
        return [named_keys[name] for name in self.keys]

    def argument_list(self, arguments: Mapping[str, Value]) -> list[str | int]:
        """Return the arguments in the script's order; raise `WrongCall` unless they are those of the header."""
        if arguments.keys() != set(self.args):
            raise WrongCall(f"{self.name} takes the arguments {self.args}, not {tuple(arguments)}")
        values: list[str | int] = []
        for name in self.args:
            value = arguments[name]
            is_many = self.takes_many and name == self.args[-1]
            if isinstance(value, _ONE_VALUE):
                if is_many:
                    raise WrongCall(f"{self.name} takes {name} as a sequence")
                values.append(value)
            elif is_many:
                values.extend(value)
            else:
                raise WrongCall(f"{self.name} takes {name} as one value")
        return values


def names() -> list[str]:
    """Return the names of all scripts."""
    return sorted(file.name.removesuffix(".lua") for file in _SCRIPTS.iterdir() if file.name.endswith(".lua"))


@cache
def load(name: str) -> Script:
    """Return the script of this name."""
    return parse(name, source(name))


def source(name: str) -> str:
    """Return the text of a script's file."""
    return _SCRIPTS.joinpath(f"{name}.lua").read_text("utf-8")


def parse(name: str, source: str) -> Script:
    """Return the script of this source; raise `KeyError` if it uses a key, argument, lifetime or timer not listed."""
    flags, _, body = source.partition("\n")
    header = header_of(body)
    is_of_slot = header["keys"] == SLOT
    key_names = tuple(keys.SlotKeys("", "", 0).declared()) if is_of_slot else tuple(header["keys"].split())
    args = () if header["args"] == "none" else tuple(header["args"].split())
    takes_many = bool(args) and args[-1].endswith("...")
    args = tuple(arg.removesuffix("...") for arg in args)
    steps = "".join(part(lib) for lib in _used(header.get("use", ""))) + body
    all_args = [*(SLOT_ARGS if is_of_slot else OWN_ARGS), *args]
    values = {arg: f"ARGV[{number}]" for number, arg in enumerate(all_args, 1)}
    if takes_many:
        values[args[-1]] = f"{{unpack(ARGV, {len(all_args)})}}"
    text = "".join(
        (
            f"{flags}\n",
            _table("KEY", {key: f"KEYS[{number}]" for number, key in enumerate(key_names, 1)}, steps),
            _table("arg", values, steps),
            _table("LIFETIME", LIFETIMES, steps),
            _table("TIMER", TIMERS, steps),
            steps,
        )
    )
    digest = sha1(text.encode(), usedforsecurity=False).hexdigest()
    answers = tuple(header["answers"].split(" | ")) if "answers" in header else ()
    return Script(name, text, digest, key_names, is_of_slot, args, takes_many, answers)


def header_of(body: str) -> dict[str, str]:
    """Return the fields that the header of a script or of a shared part lists."""
    return dict(_FIELD.findall(body))


@cache
def part(name: str) -> str:
    """Return the text of a shared part."""
    return _library().joinpath(f"{name}.lua").read_text("utf-8")


def _used(uses: str) -> list[str]:
    """Return the shared parts of a `use:` line, each once and behind those that it uses itself."""
    order: list[str] = []

    def add(name: str) -> None:
        for needed in header_of(part(name)).get("use", "").split():
            add(needed)
        if name not in order:
            order.append(name)

    for name in uses.split():
        add(name)
    return order


def _library() -> Traversable:
    return _SCRIPTS.joinpath("lib")


def _table(table: str, values: Mapping[str, object], steps: str) -> str:
    """Return the line that gives the script those entries of a table that its steps use."""
    used = list(dict.fromkeys(re.findall(rf"\b{table}\.([a-z_]+)", steps)))
    entries = ", ".join(f"{name} = {values[name]}" for name in used)
    return f"local {table} = {{{entries}}}\n" if used else ""
