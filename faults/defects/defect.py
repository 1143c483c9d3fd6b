"""A seeded defect: one mistake as a change of the service's text."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from faults.errors import NotApplicableError
from faults.paths import PACKAGE, PACKAGES


@dataclass(frozen=True)
class Defect:
    """One mistake, and the scenarios under which the checker has to see it."""

    name: str
    law: str
    """The law that it breaks: the checker has to name it, whatever else it names."""
    file: str
    """The file that it changes, inside the service's package."""
    search: str
    """The text that the file contains exactly once."""
    replace: str
    scenarios: tuple[str, ...]
    """The scenarios to play, in order; a race may need several rounds."""

    def changed_text(self, source: Path) -> str:
        """Return the file's text with this mistake; `NotApplicableError` if `search` is not there exactly once."""
        text = (source / PACKAGE.name / self.file).read_text("utf-8")
        if text.count(self.search) != 1:
            raise NotApplicableError(f"{self.name}: found {text.count(self.search)} times in {self.file}")
        return text.replace(self.search, self.replace)

    def apply(self, source: Path, folder: Path) -> None:
        """Put a copy of the service with this mistake into an empty folder; `source` is not changed."""
        target = folder / PACKAGE.name
        for package in PACKAGES:
            shutil.copytree(source / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        templates = source / "calendar_service_templates"
        if templates.exists():
            shutil.copytree(templates, folder / "calendar_service_templates")
        (target / self.file).write_text(self.changed_text(source), "utf-8")
