"""The operator's files: are they there? Must not open one."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from calendar_service.domain.operator import Operator


@dataclass(frozen=True)
class ProfileMeasures:
    """What the profile names, and what lies on the disk."""

    operator: Operator

    @cached_property
    def missing_logo(self) -> str:
        """The logo's file if the profile names one that is not there, else empty."""
        logo = self.operator.identity.logo
        return logo if logo and not Path(logo).is_file() else ""

    @cached_property
    def missing_button_files(self) -> tuple[str, ...]:
        """The files of Google's button that the profile names and that are not there."""
        buttons = self.operator.google_button.values()
        names = (name for button in buttons for name in (button.light, button.dark))
        return tuple(name for name in names if not Path(name).is_file())
