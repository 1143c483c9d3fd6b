"""The driver's journal, one JSON object a line, append-only: the checker's account of what was requested.

| `line` | says |
|---|---|
| `request` | a request is about to be sent |
| `response` | its response; `request` is the number of the request's line; status 0: none came, effect unknown |
| `state` | the state of a connection, as the API returned it |
| `note` | what a scenario did, saw or expects; `event` says which |

Every line has its number, the real time `at` and the test clock's `offset`, both in seconds.
"""

import itertools
import json
import threading
import time
from pathlib import Path
from typing import Any

from faults.cluster import ClusterClock


class DriverJournal:
    """Writes the journal; safe to use from several threads."""

    def __init__(self, path: Path, clock: ClusterClock) -> None:
        self._path, self._clock = path, clock
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def write(self, kind: str, **fields: Any) -> int:
        """Append one line; return its number."""
        with self._lock:
            number = next(self._numbers)
            line = {
                "number": number, "line": kind, "at": round(time.time(), 4), "offset": self._clock.offset, **fields
            }  # fmt: skip
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            return number

    def note(self, event: str, **fields: Any) -> None:
        """Write what a scenario did to the cluster."""
        self.write("note", event=event, **fields)

    def expect(self, law: str, agent: str, *, expected: Any, actual: Any, why: str) -> None:
        """Write what a scenario saw; the checker reports the law as broken if it is not what was expected."""
        self.note("expectation", law=law, agent=agent, expected=expected, actual=actual, why=why)

    def limit_calls(
        self,
        agent: str,
        *,
        since: int,
        until: int,
        method: str,
        contains: str,
        at_most: int,
        why: str,
        grant_type: str | None = None,
    ) -> None:
        """Write how many calls of one method may stand in this part of Google's journal.

        `method` is the beginning of the method's name; `contains` is a part of the call's body, account,
        path or client's id.
        """
        self.note(
            "call_limit", agent=agent, since=since, until=until, method=method, contains=contains,
            grant_type=grant_type, at_most=at_most, why=why,
        )  # fmt: skip

    def lines(self) -> list[dict[str, Any]]:
        """Return every line so far."""
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]

    def close(self) -> None:
        """Write no more lines."""
        self._file.close()
