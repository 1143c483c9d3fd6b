"""What no linter sees: every file is in the package, and the lock is what pyproject asks for. Must not go online."""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def unplaced_files(packages: list[str]) -> Iterator[str]:
    """Yield every Python file that no package of the wheel holds; layers are import-linter's to check."""
    for file in sorted((ROOT / "calendar_service").rglob("*.py")):
        package = ".".join(file.relative_to(ROOT).parent.parts)
        if package not in packages:
            yield f"{file.relative_to(ROOT)}: add {package} to [tool.setuptools] packages"
        if not (file.parent / "__init__.py").exists():
            yield f"{file.relative_to(ROOT)}: its folder has no __init__.py"


def lock_faults(lock: str, wanted: list[Requirement]) -> Iterator[str]:
    """Yield what the lock lacks, pins outside the asked range, leaves without a hash, or says of an index."""
    pins = {canonicalize_name(name): version for name, version in PIN.findall(lock)}
    for requirement in wanted:
        pinned = pins.get(canonicalize_name(requirement.name))
        if pinned is None:
            yield f"requirements.lock lacks {requirement}: run `make lock`"
        elif not requirement.specifier.contains(pinned, prereleases=True):
            yield f"requirements.lock pins {requirement.name} {pinned}, not {requirement.specifier}: run `make lock`"
    for entry in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        if PIN.match(entry) and "--hash=sha256:" not in entry:
            yield f"requirements.lock: {entry.splitlines()[0]} has no hash"
    if re.search(r"://|--(extra-)?index|--find-links|^-i ", lock, re.MULTILINE):
        yield "requirements.lock names an index host: it must hold names, versions and hashes only"
    yield from unneeded(pins, wanted)


def unneeded(pins: dict[str, str], wanted: list[Requirement]) -> Iterator[str]:
    """Yield what is pinned and installed here although nothing asks for it, and what is asked for but not pinned."""
    needed: set[str] = set()
    open_ends = [canonicalize_name(requirement.name) for requirement in wanted]
    while open_ends:
        name = open_ends.pop()
        if name in needed:
            continue
        needed.add(name)
        open_ends += [requirement for requirement in required_by(name) if requirement in pins]
    for name in sorted(set(pins) - needed):
        if is_installed(name):
            yield f"requirements.lock pins {name}, which nothing asks for: run `make lock`"


def required_by(name: str) -> list[str]:
    """Return what an installed distribution asks for, on any platform, without its extras."""
    if not is_installed(name):
        return []
    requirements = map(Requirement, metadata.requires(name) or [])
    return [canonicalize_name(one.name) for one in requirements if "extra ==" not in str(one.marker)]


def is_installed(name: str) -> bool:
    """Tell whether the distribution is in this environment."""
    return any(True for _ in metadata.distributions(name=name))


def main() -> int:
    """Print every fault; return the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    tables = project["project"]
    texts = [
        *tables["dependencies"],
        *(text for extra in tables["optional-dependencies"].values() for text in extra),
    ]
    faults = [*unplaced_files(project["tool"]["setuptools"]["packages"])]
    faults += lock_faults(
        (ROOT / "requirements.lock").read_text("utf-8"), [Requirement(text) for text in texts]
    )
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
