"""Compares what the suite writes to the database, recorded by MONITOR, with the inventory (law 11, ST-3)."""

import ast
import json
import re
import socket
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from calendar_service.domain.inventory import INVENTORY

Places = Mapping[str, set[str]]
"""The fields at each place; of a place without fields, none."""

FILE: Final = "written"
"""The name of the file beside the suite's database."""
JSON: Final = {"sessions", "teardowns", "ticket", "state", "browser", "consent-asked", "reviewer-links"}
"""Places whose values are JSON objects with fields of their own."""
HASHES: Final = {"facts", "rewrite", "audit-chain"}
"""Places that are one hash of named fields."""
WITH_REPLICAS_ONLY: Final = {"copied"}
"""Written to databases of several servers, which the tests of deployments start for themselves."""

_IN_SLOT: Final = re.compile(r"\{s\d+\}:a:[^/]+/.+:([a-z-]+)")
_TAGGED: Final = re.compile(r"\{[^}]+\}:([a-z-]+)(:.+)?")
_COMMANDS: Final = (b"HSET", b"HINCRBY", b"SET", b"PSETEX", b"SETEX", b"ZADD", b"SADD", b"XADD", b"INCR")
_WORD: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"')


class Monitor(threading.Thread):
    """Records every writing command until the database ends."""

    def __init__(self, url: str, file: Path) -> None:
        super().__init__(daemon=True)
        self._file = file
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.connect(url.removeprefix("unix://"))
        self._line.sendall(b"MONITOR\r\n")

    def run(self) -> None:
        rest = b""
        with self._line, self._file.open("wb") as file:
            while more := self._line.recv(1 << 20):
                *lines, rest = (rest + more).split(b"\r\n")
                file.writelines(line + b"\n" for line in lines if _writes(line))


def _writes(line: bytes) -> bool:
    return line.partition(b'] "')[2].upper().startswith(_COMMANDS)


def written(file: Path) -> Places:
    """Return the keys and fields that the recorded commands have written."""
    places: dict[str, set[str]] = defaultdict(set)
    for line in file.read_bytes().splitlines():
        command, key, *values = [
            ast.literal_eval(f'b"{word.decode()}"').decode() for word in _WORD.findall(line)
        ]
        if key.startswith("{s") and b" lua] " not in line:
            continue  # a slot is written by scripts alone: this is a test that tampers with one
        places[place_of(key)] |= set(_fields(command.upper(), place_of(key), values))
    return places


def place_of(key: str) -> str:
    """Return the kind of this key, as the inventory names it."""
    slot = _IN_SLOT.fullmatch(key) or _TAGGED.fullmatch(key)
    if slot:
        return slot[1]
    of_two_words = [
        item.place for item in INVENTORY if key.startswith(f"{item.place}:") and ":" in item.place
    ]
    return of_two_words[0] if of_two_words else key.partition(":")[0]


def names_in(place: str, text: str) -> Iterator[str]:
    """Yield the names of the fields in this JSON object; a session's `copy` has fields of its own."""
    for name, value in json.loads(text).items():
        if (place, name) == ("sessions", "copy"):
            yield from (f"{name}_{field}" for field in value)
        else:
            yield name


def _fields(command: str, place: str, values: Sequence[str]) -> Iterator[str]:
    if place in JSON:
        for value in values:
            if value.startswith("{"):
                yield from names_in(place, value)
    elif command == "XADD":
        yield from values[1::2]
    elif place in HASHES:
        yield from values[::2]


def union(all_places: Iterable[Places]) -> Places:
    """Return the fields at each place in any of these."""
    fields: dict[str, set[str]] = defaultdict(set)
    for places in all_places:
        for place, names in places.items():
            fields[place] |= names
    return fields


def unlisted(places: Places) -> Iterator[str]:
    """Yield what is written and not in the inventory."""
    named = _named()
    for place in sorted(places):
        surplus = places[place] - named[place] if place in named else {"the whole key"}
        for field in sorted(surplus):
            yield f"{place}: {field} is written, and in no item of domain/inventory.py: add it, with reason and end"


def unwritten(places: Places) -> Iterator[str]:
    """Yield what is in the inventory and never written."""
    named = _named()
    for place in sorted(named):
        if place not in places and place not in WITH_REPLICAS_ONLY:
            yield f"{place} is in domain/inventory.py, and nothing writes it: take it out, or test what writes it"
        for field in sorted(named[place] - places.get(place, named[place])):
            yield f"{place}: {field} is in domain/inventory.py, and nothing writes it: take it out, or test it"


def _named() -> Mapping[str, set[str]]:
    named: dict[str, set[str]] = defaultdict(set)
    for item in INVENTORY:
        named[item.place] |= set(item.fields)
    return named
