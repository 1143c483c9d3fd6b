"""What `deploy/compose.yaml` says, with the values of `deploy/.env.example`."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
EXAMPLE: Final = dict(
    line.split("=", 1) for line in (DEPLOY / ".env.example").read_text("utf-8").splitlines() if line[0] != "#"
)


def interpolated(text: str) -> str:
    """Return a text of the file with its variables' values: of the example, else the default that is written there."""
    return re.sub(
        r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda match: EXAMPLE.get(match[1]) or match[2] or "", text
    )


def services() -> dict[str, dict[str, Any]]:
    """Return the services by name."""
    document = yaml.safe_load(interpolated((DEPLOY / "compose.yaml").read_text("utf-8")))
    return dict(document["services"])
