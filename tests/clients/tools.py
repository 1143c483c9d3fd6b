"""Where `.ci/client_tools` installs the public tools that read the API's description."""

from pathlib import Path
from typing import Final

GENERATOR_ENVIRONMENT: Final = Path(__file__).parents[2] / ".venv" / "clients" / "bin"
"""The programs of an environment of its own, in which openapi-python-client is."""
NODE: Final = Path(__file__).parent / "node"


def tool(name: str, *arguments: str | Path) -> list[str | Path]:
    """Return the command that starts one of Node's tools."""
    return [NODE / "node_modules" / ".bin" / name, *arguments]
