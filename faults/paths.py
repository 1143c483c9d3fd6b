"""Where the repository and the service's package lie."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "calendar_service"
PACKAGES = ("calendar_service", "local_google")
"""What a copy of the service consists of, beside its templates: its commands import the local Google."""
