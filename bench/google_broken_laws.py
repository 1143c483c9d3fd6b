"""Breaks each law of google_broken_laws.toml in a copy of the local Google; the chapter's tests have to fail.

    python bench/google_broken_laws.py                  # all
    python bench/google_broken_laws.py events lists     # these chapters

Prints a table. Exits 1 if a broken law was not noticed; ends at once if a text to replace is not there, or if a
chapter's tests fail before anything is broken.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("local_google")
NODE = Path("tests/local_google/node/node_modules")


class Break(NamedTuple):
    """One change of the source, by which a law does not hold any more."""

    law: str
    file: str
    old: str
    new: str


def chapters(names: list[str]) -> dict[str, list[Break]]:
    """Return the breaks by chapter: of all chapters, or of the named ones."""
    document = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    unknown = [name for name in names if name not in document]
    if unknown:
        raise SystemExit(f"no such chapter: {', '.join(unknown)}. There are: {', '.join(document)}")
    return {name: [Break(**entry) for entry in document[name]] for name in names or document}


def first_failure(place: Path, chapter: str) -> str:
    """Run the chapter's tests in the copy; return the first that fails, else ""."""
    file = f"tests/local_google/test_{chapter}.py"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", file]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode not in (0, 1) or bool(done.returncode) != bool(failed):
        raise SystemExit(f"pytest did not run {file}:\n{done.stdout}{done.stderr}")
    return failed[0].split("::")[-1].split(" ")[0] if failed else ""


def noticed_by(place: Path, chapter: str, broken: Break) -> str:
    """Break the law in the copy, run the chapter's tests, restore the file; return the test that failed, else ""."""
    file = place / PACKAGE / broken.file
    whole = file.read_text("utf-8")
    if broken.old not in whole:
        raise SystemExit(f"not found in {broken.file}: {broken.old}")
    file.write_text(whole.replace(broken.old, broken.new), "utf-8")
    try:
        return first_failure(place, chapter)
    finally:
        file.write_text(whole, "utf-8")


def copy_to(place: Path) -> None:
    """Copy what the tests need. Node's packages are 256 MB, and are linked instead."""
    skip = shutil.ignore_patterns("__pycache__", "node_modules")
    for part in ("calendar_service", "local_google", "templates", "tests"):
        shutil.copytree(ROOT / part, place / part, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", place)
    (place / NODE).symlink_to(ROOT / NODE)


def main() -> int:
    """Break each law in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="the chapters to break (all)")
    wanted, missed = chapters(parser.parse_args().chapters), 0
    print("| chapter | law broken | noticed by |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        copy_to(place)
        for chapter, breaks in wanted.items():
            failing = first_failure(place, chapter)
            if failing:
                raise SystemExit(f"{chapter}: {failing} fails before anything is broken")
            for broken in breaks:
                caught = noticed_by(place, chapter, broken)
                missed += not caught
                print(f"| {chapter} | {broken.law} | {caught or 'NOBODY'} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
