"""Names: the words that were given up are nowhere, and a class name stands for one thing. Must not judge prose.

`python .ci/check_names.py` prints each name with its place; `--count` prints how many there are of each word.
"""

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("calendar_service", "local_google", "faults", "tests", "bench")

GIVEN_UP = frozenset(
    [
        "allowance",
        "begin_consent_",
        "canary",
        "census",
        "deed",
        "dial",
        "errand",
        "errands",
        "fate",
        "flowbook",
        "greedy",
        "holdings",
        "house",
        "household",
        "keyed_",
        "leash",
        "letter",
        "letters",
        "matter",
        "matters",
        "mover",
        "newkeys",
        "nudge",
        "oracle",
        "outgrown",
        "overview",
        "postpone",
        "pulse",
        "realign",
        "rung",
        "sandbox",
        "scarce",
        "sights",
        "stayer",
        "tidy",
        "town",
        "unproved",
        "upkeep",
        "weather",
        "wish",
        "wishes",
        "zygote",
    ]
)
"""Parts of a name. `docs/architecture.md` has the word that is used instead of each."""

WHOLE = frozenset(
    [
        "asked",
        "doors",
        "fence",
        "floors",
        "found",
        "found_",
        "kept",
        "made",
        "mark",
        "marks",
        "over_day",
        "own_term",
        "others_act",
        "proof_at",
        "rooms",
        "said",
        "sync",
        "told",
        "trail",
    ]
)
"""Whole names only: inside a longer name the word is plain English."""

GOOGLES_OWN = {"local_google": {"mark", "sync", "letter"}}
"""What is Google's own word there."""

NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
TEXT = re.compile(r"[a-z][a-z0-9_]*(?:[._:-][a-z0-9_]+)*")


def names(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, kind and name: of modules, classes, functions, parameters, variables, and of texts that are names."""
    yield 1, "module", path.stem
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef):
            yield node.lineno, "class", node.name
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, "function", node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, "parameter", node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, "variable", node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and TEXT.fullmatch(node.value):
            yield node.lineno, "text", node.value


def in_lua(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield the words of a script's code."""
    yield 1, "script", path.stem
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for word in re.findall(r"[A-Za-z_]\w*", line.partition("--")[0]):
            yield number, "lua", word


def is_given_up(name: str, allowed: set[str]) -> str:
    """Return the given-up word in a name, or nothing."""
    if name in WHOLE - allowed:
        return name
    parts = {part.lower() for word in re.split(r"[._:-]", name) for part in NAME.findall(word)}
    return next(iter(sorted(parts & GIVEN_UP - allowed)), "")


def left() -> Iterator[tuple[str, str]]:
    """Yield each given-up word that is left, with its place."""
    for package in PACKAGES:
        allowed = GOOGLES_OWN.get(package, set())
        for path in sorted((ROOT / package).rglob("*")):
            found = names(path) if path.suffix == ".py" else in_lua(path) if path.suffix == ".lua" else ()
            for line, kind, name in found:
                word = is_given_up(name, allowed)
                if word:
                    yield (
                        word,
                        f"{path.relative_to(ROOT)}:{line}: {kind} `{name}` uses `{word}`: see the glossary",
                    )


def twice() -> Iterator[str]:
    """Yield each class name that two modules of the service or the local Google define."""
    places = defaultdict(set)
    for package in ("calendar_service", "local_google"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].add(str(path.relative_to(ROOT)))
    for name, files in sorted(places.items()):
        if len(files) > 1:
            yield f"{', '.join(sorted(files))}: class `{name}` stands for two things"


def main() -> int:
    """Print what is wrong; return the exit status."""
    words = list(left())
    if "--count" in sys.argv[1:]:
        for word, count in Counter(word for word, _ in words).most_common():
            sys.stdout.write(f"{count:5} {word}\n")
        sys.stdout.write(f"{len(words)} names with a word that was given up\n")
    else:
        for _, place in words:
            sys.stdout.write(f"{place}\n")
    doubles = list(twice())
    for double in doubles:
        sys.stdout.write(f"{double}\n")
    return 1 if words or doubles else 0


if __name__ == "__main__":
    sys.exit(main())
