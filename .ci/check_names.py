"""Checks names: none uses a word that was given up, and each class name stands for one thing. Ignores prose.

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
        "leash",
        "letter",
        "letters",
        "matter",
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
        "kept",
        "made",
        "mark",
        "marks",
        "others_act",
        "over_day",
        "own_term",
        "proof_at",
        "rooms",
        "said",
        "sync",
        "told",
        "trail",
    ]
)
"""Given up as the whole name of a value. Inside a longer name, and as a text, the word is plain English.

Google's `sync` is such a text: `X-Goog-Resource-State: sync`.
"""

PLAIN_TEXTS = frozenset(["legal-matters"])
"""Texts in which a given-up word has its ordinary meaning: this one is a promise of an operator's profile."""

NAME = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
TEXT = re.compile(r"[a-z][a-z0-9_]*(?:[._:-][a-z0-9_]+)*")


def names(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, kind and name of everything that a Python file names, and of the texts that have a name's form."""
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
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, "field", node.attr
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.lineno, "variable", node.name
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, "variable", node.asname
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and TEXT.fullmatch(node.value):
            yield node.lineno, "text", node.value


def in_lua(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, kind and name of the words in a script's code; comments are left out."""
    yield 1, "script", path.stem
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for word in re.findall(r"[A-Za-z_]\w*", line.partition("--")[0]):
            yield number, "lua", word


def given_up(kind: str, name: str) -> str:
    """Return the given-up word in a name, or an empty text."""
    if kind == "text" and name in PLAIN_TEXTS:
        return ""
    if kind != "text" and name.strip("_") in WHOLE:
        return name.strip("_")
    parts = {part.lower() for word in re.split(r"[._:-]", name) for part in NAME.findall(word)}
    return min(parts & GIVEN_UP, default="")


def remaining(root: Path) -> Iterator[tuple[str, str]]:
    """Yield each given-up word that a name uses, and a message with its place."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            entries = names(path) if path.suffix == ".py" else in_lua(path) if path.suffix == ".lua" else ()
            for line, kind, name in entries:
                word = given_up(kind, name)
                if word:
                    place = f"{path.relative_to(root)}:{line}"
                    yield word, f"{place}: {kind} `{name}` uses `{word}`: see the glossary"


def twice(root: Path) -> Iterator[str]:
    """Yield a message for each class name that two modules of the service or the local Google define."""
    places = defaultdict(set)
    for package in ("calendar_service", "local_google"):
        for path in sorted((root / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].add(str(path.relative_to(root)))
    for name, files in sorted(places.items()):
        if len(files) > 1:
            yield f"{', '.join(sorted(files))}: class `{name}` stands for two things"


def main() -> int:
    """Print what is wrong; return the exit status."""
    words = list(remaining(ROOT))
    if "--count" in sys.argv[1:]:
        for word, count in Counter(word for word, _ in words).most_common():
            sys.stdout.write(f"{count:5} {word}\n")
        sys.stdout.write(f"{len(words)} names with a word that was given up\n")
    else:
        for _, place in words:
            sys.stdout.write(f"{place}\n")
    doubles = list(twice(ROOT))
    for double in doubles:
        sys.stdout.write(f"{double}\n")
    return 1 if words or doubles else 0


if __name__ == "__main__":
    sys.exit(main())
