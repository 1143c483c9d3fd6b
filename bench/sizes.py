"""Sizes of modules and functions, in lines without blanks: median, 90th percentile, largest."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent / "calendar_service"


def sizes(path: Path) -> Iterator[tuple[str, str, int]]:
    source = path.read_text("utf-8")
    lines = source.splitlines()
    place = str(path.relative_to(ROOT))
    yield "modules", place, sum(bool(line.strip()) for line in lines)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = lines[node.lineno - 1 : node.end_lineno]
            yield "functions", f"{place}:{node.name}", sum(bool(line.strip()) for line in body)


def main() -> None:
    found = [size for path in sorted(ROOT.rglob("*.py")) for size in sizes(path)]
    for kind in ("modules", "functions"):
        ranked = sorted((count, place) for what, place, count in found if what == kind)
        counts = [count for count, _ in ranked]
        ninth = statistics.quantiles(counts, n=10)[-1]
        print(
            f"{kind}: {len(counts)}, median {statistics.median(counts):g}, 90th percentile {ninth:g}, largest:"
        )
        for count, place in reversed(ranked[-5:]):
            print(f"  {count:4}  {place}")


if __name__ == "__main__":
    main()
