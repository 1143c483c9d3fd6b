"""Measures of the operator's files: which of them are missing."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from calendar_service.domain.operator import Operator


@dataclass(frozen=True)
class ProfileMeasures:
    """The files that the profile names."""

    operator: Operator

    @cached_property
    def missing_logo(self) -> str:
        """The logo's file if the profile names one that does not exist, else empty."""
        logo = self.operator.identity.logo
        return logo if logo and not Path(logo).is_file() else ""

    @cached_property
    def missing_button_files(self) -> tuple[str, ...]:
        """The files of Google's button that the profile names and that do not exist."""
        buttons = self.operator.google_button.values()
        names = (name for button in buttons for name in (button.light, button.dark))
        return tuple(name for name in names if not Path(name).is_file())
