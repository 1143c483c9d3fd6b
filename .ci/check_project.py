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
PACKAGES = ("calendar_service", "local_google")
LOCK = "requirements.lock"
PRODUCTION_LOCK, RUN_LOCK = "requirements-production.lock", "requirements-run.lock"
CLIENTS_LOCK = "tests/clients/requirements.lock"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def unplaced_files(packages: list[str]) -> Iterator[str]:
    """Yield every Python file that no package of the wheel holds; layers are import-linter's to check."""
    for file in sorted(file for root in PACKAGES for file in (ROOT / root).rglob("*.py")):
        package = ".".join(file.relative_to(ROOT).parent.parts)
        if package not in packages:
            yield f"{file.relative_to(ROOT)}: add {package} to [tool.setuptools] packages"
        if not (file.parent / "__init__.py").exists():
            yield f"{file.relative_to(ROOT)}: its folder has no __init__.py"


def lock_faults(name: str, lock: str, wanted: list[Requirement]) -> Iterator[str]:
    """Yield what the lock lacks, pins outside the asked range or without need, and its faults of form."""
    pins = pins_of(lock)
    for requirement in wanted:
        pinned = pins.get(canonicalize_name(requirement.name))
        if pinned is None:
            yield f"{name} lacks {requirement}: run `make lock`"
        elif not requirement.specifier.contains(pinned, prereleases=True):
            yield f"{name} pins {requirement.name} {pinned}, not {requirement.specifier}: run `make lock`"
    yield from form_faults(name, lock)
    for surplus in unneeded(pins, wanted):
        yield f"{name} pins {surplus}, which nothing asks for: run `make lock`"


def form_faults(name: str, lock: str) -> Iterator[str]:
    """Yield what the lock leaves without a hash, and what it says of an index."""
    for entry in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        if PIN.match(entry) and "--hash=sha256:" not in entry:
            yield f"{name}: {entry.splitlines()[0]} has no hash"
    if re.search(r"://|^--(extra-)?index|^--find-links|^-i ", lock, re.MULTILINE):
        yield f"{name} names an index host: it must hold names, versions and hashes only"


def pins_of(lock: str) -> dict[str, str]:
    """Return the pinned versions by canonical name."""
    return {canonicalize_name(name): version for name, version in PIN.findall(lock)}


def unneeded(pins: dict[str, str], wanted: list[Requirement]) -> list[str]:
    """Return what is pinned and installed here although nothing asks for it."""
    needed: set[tuple[str, str]] = set()
    open_ends = [*wanted]
    while open_ends:
        requirement = open_ends.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in needed:
                needed.add((name, extra))
                open_ends += [one for one in required_by(name, extra) if canonicalize_name(one.name) in pins]
    return sorted(name for name in set(pins) - {name for name, _ in needed} if is_installed(name))


def required_by(name: str, extra: str) -> list[Requirement]:
    """Return what an installed distribution asks for on any platform, with this extra or, if empty, without one."""
    if not is_installed(name):
        return []
    requirements = map(Requirement, metadata.requires(name) or [])
    return [one for one in requirements if extra_of(one) == extra]


def extra_of(requirement: Requirement) -> str:
    """Return the extra with which something is required; empty without one."""
    asked = re.search(r"extra == ['\"]([^'\"]+)", str(requirement.marker))
    return asked[1] if asked else ""


def is_installed(name: str) -> bool:
    """Tell whether the distribution is in this environment."""
    return any(True for _ in metadata.distributions(name=name))


def main() -> int:
    """Print every fault; return the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    production = [Requirement(text) for text in project["project"]["dependencies"] + extras["build"]]
    everything = production + [Requirement(text) for extra in extras.values() for text in extra]
    parts = {
        PRODUCTION_LOCK: production,
        RUN_LOCK: production + [Requirement(text) for text in extras["embedded"]],
    }
    whole = (ROOT / LOCK).read_text("utf-8")
    faults = [*unplaced_files(project["tool"]["setuptools"]["packages"])]
    faults += lock_faults(LOCK, whole, everything)
    faults += form_faults(CLIENTS_LOCK, (ROOT / CLIENTS_LOCK).read_text("utf-8"))
    for name, wanted in parts.items():
        part = (ROOT / name).read_text("utf-8")
        faults += lock_faults(name, part, wanted)
        if not pins_of(part).items() <= pins_of(whole).items():
            faults.append(f"{name} pins other versions than {LOCK}: run `make lock`")
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
