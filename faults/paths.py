"""Where the repository and the service's package lie."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "calendar_service"
