"""What a power cut would take from the store's files: `strace` records each write and each synchronization.

A write that no `fdatasync` or `fsync` has followed may be lost at a power cut. File creation and renaming are
taken as durable.
"""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

CAN_CUT = shutil.which("strace") is not None
"""Whether this machine has `strace`; without it a power cut takes nothing away."""

_CALL = r"(?P<pid>\d+) +{}(?P<call>write|fdatasync|fsync)"
_LINE = re.compile(
    _CALL.format("") + r"\(\d+<(?P<path>[^>]*)>.*?(?:= (?P<result>-?\d+)|(?P<open><unfinished))"
)
_RESUMED = re.compile(_CALL.format(r"<\.\.\. ") + r" resumed>.*= (?P<result>-?\d+)")
_RENAMED = re.compile(
    r'\d+ +(?:rename\("(?P<old>[^"]*)", "(?P<new>[^"]*)"\)|unlink\("(?P<removed>[^"]*)"\)) += 0'
)


def trace_command(trace: Path) -> list[str]:
    """Return the words to put before a command so that its file writes are recorded in `trace`."""
    return [
        "strace", "-D", "-f", "--seccomp-bpf", "-qqq", "-y", "-s", "0", "-e", "signal=none",
        "-e", "trace=write,fdatasync,fsync,rename,unlink", "-o", str(trace),
    ]  # fmt: skip


def synchronized_lengths(trace: Path, at_start: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """Return each file's length by its writes, and its length at its last synchronization.

    `at_start` holds the lengths before the recorded process began.
    """
    lengths = _Lengths(dict(at_start), dict(at_start))
    for line in trace.read_text("utf-8", "replace").splitlines():
        lengths.read(line)
    return lengths.written, lengths.synchronized


@dataclass
class _Lengths:
    """The lengths of the files, line by line of the trace."""

    written: dict[str, int]
    synchronized: dict[str, int]
    unfinished: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """System calls that have begun and not yet returned, by thread: call, file, length at its begin."""

    def read(self, line: str) -> None:
        """Take in one line of the trace."""
        if renamed := _RENAMED.match(line):
            self._rename(renamed)
        elif call := _LINE.match(line):
            name = _name(call["path"])
            length = self.written.get(name, 0)
            if call["open"]:
                self.unfinished[call["pid"]] = (call["call"], name, length)
            else:
                self._apply(call["call"], name, length, int(call["result"]))
        elif (resumed := _RESUMED.match(line)) and resumed["pid"] in self.unfinished:
            self._apply(*self.unfinished.pop(resumed["pid"]), int(resumed["result"]))

    def _rename(self, renamed: re.Match[str]) -> None:
        # A rewrite begins the next file under a temporary name and renames it when the rewrite is done.
        for lengths in (self.written, self.synchronized):
            length = lengths.pop(_name(renamed["old"] or renamed["removed"]), 0)
            if renamed["new"]:
                lengths[_name(renamed["new"])] = length

    def _apply(self, call: str, name: str, length: int, result: int) -> None:
        if call == "write" and result > 0:
            self.written[name] = self.written.get(name, 0) + result
        elif call != "write" and result == 0:
            self.synchronized[name] = max(self.synchronized.get(name, 0), length)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
