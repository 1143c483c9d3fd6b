"""Starts the service's processes quickly: imports it once, then forks. Must run no thread and no service code itself.

One JSON object a line on standard input, one a line back: {"do": "start", "args", "env", "log"} gives {"pid"},
{"do": "ended", "pid"} gives {"status"}, null while it runs. Whatever it started ends with it.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _child(request: dict[str, Any]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(request["env"])
    from calendar_service.cli import main  # noqa: PLC0415 - imported before the fork already

    status = 1
    try:
        main(request["args"], standalone_mode=False)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        os._exit(status)


def _reap(ended: dict[int, int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        ended[pid] = os.waitstatus_to_exitcode(status)


def _orphans() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def main() -> None:
    """Serve until standard input ends, then end every process started here."""
    import calendar_service  # noqa: PLC0415 - the imports are this process's purpose
    import calendar_service.cli  # noqa: PLC0415
    import calendar_service.server  # noqa: PLC0415
    import calendar_service.web.app  # noqa: PLC0415
    import calendar_service.worker.loop  # noqa: PLC0415

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)  # a killed process leaves its own children here
    ended: dict[int, int] = {}
    answer: dict[str, Any] = {"package": str(Path(calendar_service.__file__).parent)}
    print(json.dumps(answer), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        _reap(ended)
        if request["do"] == "start":
            pid = os.fork()
            if pid == 0:
                _child(request)
            answer = {"pid": pid}
        else:
            answer = {"status": ended.get(request["pid"])}
        print(json.dumps(answer), flush=True)
    for pid in _orphans():
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
