"""Changes the code that seals, ends, erases and proves, one place at a time, and counts which changes no test notices.

    python -m tests.security.mutants [--least 90] [--processes 2] [--only envelope]

What is changed, and the tests that have to notice it, stand in `[tool.mutmut]` of pyproject.toml. The changed copy lies
in `mutants/`; a run that was interrupted goes on where it ended. Fails if less than `--least` percent of the changes of
any file is noticed.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
MUTMUT: Final = Path(sys.executable).with_name("mutmut")
_RESULT: Final = re.compile(r"^\s*(?P<name>\S+): (?P<status>[a-z ]+)$")
_NOTICED: Final = frozenset({"killed", "timeout", "caught by type check", "suspicious"})


def main() -> int:
    """Run the tests against every change; print a table; return 1 if too many changes are not noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--least", type=float, default=90.0, help="percent of the changes of each file (90)")
    parser.add_argument(
        "--processes", type=int, default=2, help="how many changes are tried at the same time (2)"
    )
    parser.add_argument("--only", default="", help="only files with this text in their path")
    parser.add_argument("--fresh", action="store_true", help="forget what an earlier run found")
    options = parser.parse_args()
    if options.fresh:
        shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    files = [file for file in settings["only_mutate"] if options.only in file]
    if not files:
        parser.error(f"no file that is changed has {options.only!r} in its path")
    chosen = [f"{_module(file)}.*" for file in files] if options.only else []
    subprocess.run([MUTMUT, "run", "--max-children", str(options.processes), *chosen], cwd=ROOT, check=True)
    listed = subprocess.run(
        [MUTMUT, "results", "--all", "True"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return 0 if _report(files, _counted(files, listed), listed, options.least) else 1


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _counted(files: list[str], listed: str) -> Mapping[str, Counter[str]]:
    """Return how many changes of each file have which outcome."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for line in listed.splitlines():
        if match := _RESULT.match(line):
            file = next((file for file in files if match["name"].startswith(f"{_module(file)}.")), None)
            if file:
                counts[file][match["status"]] += 1
    return counts


def _report(files: list[str], counts: Mapping[str, Counter[str]], listed: str, least: float) -> bool:
    """Print the table and what was not noticed; tell whether it is enough."""
    print("\n| file | changes | noticed | percent |\n|---|---|---|---|")
    is_enough = True
    for file in files:
        total = counts[file].total()
        noticed = sum(count for status, count in counts[file].items() if status in _NOTICED)
        percent = 100 * noticed / total if total else 0.0
        is_enough = is_enough and percent >= least
        print(f"| {file} | {total} | {noticed} | {percent:.1f} |")
    for line in listed.splitlines():
        match = _RESULT.match(line)
        is_asked = match and any(match["name"].startswith(f"{_module(file)}.") for file in files)
        if match and is_asked and match["status"] not in _NOTICED:
            print(f"not noticed ({match['status']}): {match['name']}")
    if not is_enough:
        print(
            f"less than {least:g} % of a file's changes are noticed; mutmut show NAME prints one",
            file=sys.stderr,
        )
    return is_enough


if __name__ == "__main__":
    sys.exit(main())
