"""Sizes of the service and the local Google: modules, functions, classes, folders, Lua preludes, comments.

    python bench/sizes.py [--json]

Lines are counted without blanks.
"""

import argparse
import ast
import io
import json
import re
import statistics
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import dropwhile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PACKAGES = [path for name in ("calendar_service", "local_google") if (path := ROOT / name).is_dir()]
METHODS, FIELDS, LINES = 15, 12, 30
"""A class with more methods, a dataclass with more fields, a function with more lines is named."""

TOKENS_LEASES_ERASURE = (
    # tokens
    "journeys/connection/access.py", "journeys/connection/consent.py", "journeys/connection/new_grant.py",
    "journeys/connection/connection_end.py", "store/grants.py", "store/tickets.py", "google/oauth.py",
    "google/token_answers.py", "crypto/envelope.py", "domain/secret.py",
    "store/scripts/connect_agent.lua", "store/scripts/save_refreshed_grant.lua", "store/scripts/mark_revoked.lua",
    "store/scripts/reseal_grant.lua", "store/scripts/require_reconsent.lua",
    # leases
    "journeys/sessions/attempt.py", "journeys/sessions/event_writer.py", "store/sessions.py", "store/leases.py",
    "store/scripts/accept_session.lua", "store/scripts/settle_session.lua", "store/scripts/lease_session.lua",
    "store/scripts/take_lease.lua", "store/scripts/release_lease.lua", "store/scripts/start_item.lua",
    "store/scripts/claim_due.lua", "store/scripts/outbox_take.lua", "store/scripts/file_rewrite_take.lua",
    # erasure
    "journeys/connection/disconnect.py", "journeys/connection/teardown.py", "journeys/connection/erasure.py",
    "journeys/connection/shared_accounts.py", "journeys/connection/receipts.py",
    "journeys/connection/legal_holds.py", "store/account_refs.py", "store/file_rewrites.py",
    "store/scripts/disconnect_agent.lua", "store/scripts/update_teardown.lua",
    "store/scripts/erase_connection.lua", "store/scripts/place_hold.lua", "store/scripts/lift_hold.lua",
    "store/scripts/purge_old_sessions.lua", "store/scripts/account_ref_join.lua",
    "store/scripts/account_ref_leave.lua", "store/scripts/account_ref_drop.lua",
)  # fmt: skip
"""The files in which a mistake costs most, below `calendar_service/`."""


@dataclass(frozen=True)
class Size:
    """One thing that was counted."""

    count: float
    place: str


def loaded(name: str) -> str:
    """Return a Lua script as the loader sends it."""
    from calendar_service.store import script_loader  # noqa: PLC0415 - the one place that knows the loader

    return script_loader.load(name).text


# --- Python ---


def python_files() -> Iterator[tuple[str, str]]:
    """Yield every Python file: where it lies, and its text."""
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text("utf-8")


def filled(lines: Iterable[str]) -> int:
    return sum(bool(line.strip()) for line in lines)


def functions(place: str, text: str) -> Iterator[Size]:
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Size(filled(lines[node.lineno - 1 : node.end_lineno]), f"{place}:{node.name}")


def classes(place: str, text: str) -> Iterator[tuple[Size, Size]]:
    """Yield each class with its methods, and with its fields if it is a dataclass (else 0)."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            methods = sum(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) for one in node.body)
            is_dataclass = any("dataclass" in ast.unparse(one) for one in node.decorator_list)
            fields = sum(isinstance(one, ast.AnnAssign) for one in node.body) if is_dataclass else 0
            yield Size(methods, f"{place}:{node.name}"), Size(fields, f"{place}:{node.name}")


def largest(sizes: Iterable[Size], more_than: float = -1) -> list[Size]:
    """Return the sizes above a limit, the largest first."""
    return sorted((one for one in sizes if one.count > more_than), key=lambda one: (-one.count, one.place))


def folders() -> list[Size]:
    """Return how many files of code lie in each folder, the fullest first."""
    counts: Counter[str] = Counter()
    for package in PACKAGES:
        for path in package.rglob("*"):
            if path.suffix in {".py", ".lua"} and path.name != "__init__.py":
                counts[str(path.parent.relative_to(ROOT))] += 1
    return largest(Size(count, place) for place, count in counts.items())


# --- Lua ---


def preludes() -> list[Size]:
    """Return how many lines stand in front of each script's own, the most first."""
    sizes = []
    for package in PACKAGES:
        for path in sorted(package.rglob("*.lua")):
            own = path.read_text("utf-8")
            if own.startswith("#!lua"):
                before = filled(loaded(path.stem).splitlines()) - filled(own.splitlines())
                sizes.append(Size(max(0, before), str(path.relative_to(ROOT))))
    return largest(sizes)


# --- comments ---


def code(path: Path) -> list[str]:
    """Return a file's lines; of a script without its header, which is what a docstring is in Python."""
    lines = path.read_text("utf-8").splitlines()
    if path.suffix == ".lua":
        return list(dropwhile(lambda line: line.startswith(("#!lua", "--")), lines))
    return lines


def comments(path: Path) -> int:
    """Count the lines with a comment; those that only speak to a tool do not count."""
    if path.suffix == ".lua":
        return sum(bool(re.search(r"(^|\s)--\s", line)) for line in code(path))
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline)
    texts = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return sum(not re.match(r"#\s*(noqa(?!.* - )|type:|fmt:)", text) for text in texts)


def density(paths: Iterable[Path]) -> float:
    """Return how many comments there are in 100 lines of these files together."""
    files = list(paths)
    lines = sum(filled(code(path)) for path in files)
    return round(100 * sum(map(comments, files)) / lines, 1)


# --- all of it ---


def measured() -> dict[str, Any]:
    dangerous = [PACKAGES[0] / name for name in TOKENS_LEASES_ERASURE]
    files = list(python_files())
    of_classes = [pair for place, text in files for pair in classes(place, text)]
    of_functions = [one for place, text in files for one in functions(place, text)]
    in_front = preludes()
    return {
        "modules": spread([Size(filled(text.splitlines()), place) for place, text in files]),
        "functions": spread(of_functions),
        "largest folders": folders()[:5],
        f"classes over {METHODS} methods": largest((methods for methods, _ in of_classes), METHODS),
        f"dataclasses over {FIELDS} fields": largest((fields for _, fields in of_classes), FIELDS),
        f"functions over {LINES} lines": largest(of_functions, LINES),
        "lines in front of a Lua script": {
            "scripts": len(in_front),
            "median": statistics.median(one.count for one in in_front),
            "largest": in_front[:3],
        },
        "comments in 100 lines, where tokens, leases and erasure are": {
            "Python": density(path for path in dangerous if path.suffix == ".py"),
            "Lua": density(path for path in dangerous if path.suffix == ".lua"),
            "largest": largest(Size(density([path]), str(path.relative_to(ROOT))) for path in dangerous),
        },
    }


def spread(sizes: list[Size]) -> dict[str, Any]:
    counts = [one.count for one in sizes]
    return {
        "number": len(counts),
        "median": statistics.median(counts),
        "90th percentile": statistics.quantiles(counts, n=10)[-1],
        "largest": largest(sizes)[:5],
    }


def report(figures: dict[str, Any]) -> Iterator[str]:
    for what, value in figures.items():
        sizes = value["largest"] if isinstance(value, dict) else value
        numbers = value if isinstance(value, dict) else {"number": len(value)}
        line = ", ".join(f"{name} {number:g}" for name, number in numbers.items() if name != "largest")
        yield f"{what}: {line}"
        yield from (f"  {one.count:5g}  {one.place}" for one in sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print data instead of words")
    figures = measured()
    if parser.parse_args().json:
        print(json.dumps(figures, indent=2, default=asdict))
    else:
        print("\n".join(report(figures)))


if __name__ == "__main__":
    main()
