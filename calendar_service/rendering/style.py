"""The style sheet with the operator's colours, and the operator's pictures."""

import re
from functools import cached_property
from hashlib import sha256
from importlib import resources
from pathlib import Path

from calendar_service.domain.operator import Colours, Operator
from calendar_service.rendering.language import TEMPLATES

_BLANKS = re.compile(r"\s*([{};])\s*|(?<=[:,])\s+(?!\")")
"""Blanks around braces and semicolons, and behind colons and commas; not the ones in front of a text in quotes."""
_KINDS = {".svg": "image/svg+xml", ".png": "image/png"}


class Style:
    """Style sheet, icon, the operator's logo and Google's button."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    @cached_property
    def sheet(self) -> str:
        """The style sheet as it is served: without the characters that a browser does not need."""
        common = resources.files(TEMPLATES).joinpath("static/app.css").read_text("utf-8")
        return _BLANKS.sub(r"\1", _variables(self._operator.colours) + common).replace(";}", "}")

    @cached_property
    def sheet_address(self) -> str:
        """The sheet's address, which changes with its content."""
        return f"/static/app.css?v={_fingerprint(self.sheet.encode())}"

    @cached_property
    def icon(self) -> str:
        """The icon for the browser's tab: a calendar page in the operator's colour."""
        colours = self._operator.colours
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
            f'<rect x="1" y="2" width="14" height="13" rx="3" fill="{colours.accent}"/>'
            f'<path d="M4 7h8M4 11h5" stroke="{colours.on_accent}" stroke-width="2" stroke-linecap="round"/></svg>'
        )

    @cached_property
    def logo(self) -> tuple[bytes, str] | None:
        """The logo's bytes and type, read from the file that the profile names; None where it names none."""
        return _picture(self._operator.identity.logo)

    @cached_property
    def logo_address(self) -> str:
        """The logo's address, or empty."""
        return f"/static/logo?v={_fingerprint(self.logo[0])}" if self.logo else ""

    @cached_property
    def google_button(self) -> dict[str, tuple[bytes, str]]:
        """Google's button by language and scheme (`en-light`); empty unless all its files exist."""
        files = {
            f"{code}-{scheme}": _picture(getattr(button, scheme))
            for code, button in self._operator.google_button.items()
            for scheme in ("light", "dark")
        }
        pictures = {name: picture for name, picture in files.items() if picture}
        return pictures if len(pictures) == len(files) else {}

    def google_button_address(self, name: str) -> str:
        """Return the address of the button of this language and scheme."""
        return f"/static/google-button/{name}?v={_fingerprint(self.google_button[name][0])}"


def _picture(name: str) -> tuple[bytes, str] | None:
    file = Path(name)
    if file.suffix not in _KINDS or not file.is_file():
        return None
    return file.read_bytes(), _KINDS[file.suffix]


def _fingerprint(content: bytes) -> str:
    return sha256(content).hexdigest()[:12]


def _variables(colours: Colours) -> str:
    return (
        f":root{{--accent:{colours.accent};--on-accent:{colours.on_accent}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{--accent:{colours.accent_dark};"
        f"--on-accent:{colours.on_accent_dark}}}}}\n"
    )
