"""The file that `calendar-service run` writes for the other commands. It contains no secret."""

import json
from collections.abc import Mapping
from pathlib import Path

FILE = "run.json"
GOOGLE = "CALENDAR_GOOGLE_"
CLIENT = ("CALENDAR_GOOGLE_CLIENT_ID", "CALENDAR_GOOGLE_CLIENT_SECRET", "CALENDAR_GOOGLE_CLIENT_SECRET_FILE")
_PORT = "CALENDAR_GOOGLE_PORT"


def write(data_dir: Path, variables: Mapping[str, str]) -> None:
    """Replace the file (mode 0600) in one step: variables by name, files relative to the data directory."""
    draft = data_dir / f"{FILE}.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(dict(variables), indent=2) + "\n", "utf-8")
    draft.replace(data_dir / FILE)


def read(data_dir: Path) -> dict[str, str]:
    """Return the variables with absolute files, none without the file; raise `ValueError` if it is damaged."""
    try:
        variables = json.loads((data_dir / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(variables, dict) or not all(isinstance(value, str) for value in variables.values()):
        raise ValueError("not a table of texts")
    return {name: _absolute(data_dir, name, value) for name, value in variables.items()}


def _absolute(data_dir: Path, name: str, value: str) -> str:
    return str(data_dir / value) if name.endswith("_FILE") else value


def beneath(environ: Mapping[str, str], run: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, and from `run` the variables that it does not set.

    A secret and its `_FILE` count as one variable. A Google client in the environment replaces all of
    the local Google's variables, or the client's secret would be sent to the local Google.
    """
    own = {name: value for name, value in environ.items() if value.strip()}
    own_client = any(name in own for name in CLIENT)

    def is_free(name: str) -> bool:
        if own_client and name.startswith(GOOGLE) and name != _PORT:
            return False
        stem = name.removesuffix("_FILE")
        return stem not in own and f"{stem}_FILE" not in own

    return {name: value for name, value in run.items() if is_free(name)} | own
