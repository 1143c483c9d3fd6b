"""Operator profiles: read, merged with an overlay, and checked."""

import tomllib
from collections.abc import Collection, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from calendar_service.domain.operator import Operator
from calendar_service.operators.reading import Reader
from calendar_service.operators.rules import broken_rules


class ProfileFaults(Exception):
    """A profile cannot be used. `faults` lists every reason with its place; `remedy` says what to do."""

    def __init__(self, faults: tuple[str, ...], remedy: str = "mend the profile") -> None:
        super().__init__("; ".join(faults))
        self.faults = faults
        self.remedy = remedy


def shipped() -> tuple[str, ...]:
    """Return the names of the profiles that come with the service."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(Path(file.name).stem for file in files if file.name.endswith(".toml")))


ANY_PROFILE = f"give a profile's name ({', '.join(shipped())}) or a TOML overlay"
"""The remedy where no profile, or an unknown one, is named."""


def load(name_or_path: str) -> Operator:
    """Return the profile of this name, or of the TOML overlay at this path; raise `ProfileFaults`."""
    if name_or_path in shipped():
        return _checked(name_or_path, _shipped_table(name_or_path))
    path = Path(name_or_path)
    overlay = _overlay_table(path)
    base = overlay.pop("extends", None)
    if not isinstance(base, str) or base not in shipped():
        names = ", ".join(shipped())
        raise ProfileFaults(
            (f'{path.name}: needs `extends = "…"`, the name of a profile',), f"let it extend one of {names}"
        )
    return _checked(base, _merged(_shipped_table(base), overlay))


def _shipped_table(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))


def _overlay_table(path: Path) -> dict[str, Any]:
    if path.suffix != ".toml":
        raise ProfileFaults((f"`{path}` is neither a profile nor a .toml file",), ANY_PROFILE)
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ProfileFaults((f"{path.name}: cannot be read ({error.strerror})",)) from None
    except ValueError as error:  # not UTF-8, or not TOML
        raise ProfileFaults((f"{path.name}: is not TOML: {error}",)) from None


def _merged(base: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged


def _checked(name: str, table: Mapping[str, Any]) -> Operator:
    reader = Reader()
    operator: Operator = reader.read(Operator, {"name": name} | dict(table), "")
    broken = (rule for rule in broken_rules(operator) if not _depends_on(rule[0], reader.faults))
    faults = tuple(f"{place}: {what}" for place, what in (*reader.faults.items(), *broken))
    if faults:
        raise ProfileFaults(faults)
    return operator


def _depends_on(place: str, misread: Collection[str]) -> bool:
    """Tell whether the rule at `place` depends on a value that could not be read."""
    if place.startswith("promises."):
        return any(other.startswith("promises") for other in misread)
    return any(f"{place}.".startswith(f"{other}.") for other in misread)
