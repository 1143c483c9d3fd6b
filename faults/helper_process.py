"""A program of the campaign that takes one JSON object a line and answers each with one line: proxy, fork server."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faults.errors import ClusterError


class HelperProcess:
    """The campaign's end of such a program."""

    def __init__(self, command: list[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder, env=env
        )
        self.greeting: Any = self._read()
        """The first line, which the program writes when it is ready."""

    def ask(self, request: Mapping[str, Any]) -> Any:
        """Send one request; return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ClusterError(f"{self._process.args!r} has ended")
        return json.loads(line)

    def close(self) -> None:
        """End the program by closing its standard input, and kill it if it does not end within 5 s."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
