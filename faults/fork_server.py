"""A program that starts the service's processes quickly: it imports the service once and forks for each process.

It reads one JSON object a line and answers with one JSON object a line:

- `{"do": "start", "args": […], "env": {…}, "log": path}` runs a command of the service; answer `{"pid": …}`
- `{"do": "status", "pid": …}` answers `{"status": …}`, null while the process runs

When its standard input ends, it kills every process that it started. It runs no thread and no service code
before a fork, since a fork copies only the thread that calls it.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _run_child(request: dict[str, Any]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(request["env"])
    from calendar_service.cli import main  # noqa: PLC0415 - already imported before the fork

    status = 1
    try:
        main(request["args"], standalone_mode=False)
        status = 0
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        os._exit(status)


def _reap(statuses: dict[int, int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        statuses[pid] = os.waitstatus_to_exitcode(status)


def _children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _import_service() -> str:
    """Import what the processes need; return the folder of the service."""
    import calendar_service  # noqa: PLC0415 - the imports are this process's purpose
    import calendar_service.cli  # noqa: PLC0415
    import calendar_service.web.app  # noqa: PLC0415
    import calendar_service.web.server  # noqa: PLC0415
    import calendar_service.worker.loop  # noqa: PLC0415

    return str(Path(calendar_service.__file__).parent)


def main() -> None:
    """Serve until standard input ends, then kill every process started here."""
    package = _import_service()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)  # a killed process leaves its own children here
    statuses: dict[int, int] = {}
    print(json.dumps({"package": package}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        _reap(statuses)
        answer: dict[str, Any]
        if request["do"] == "start":
            pid = os.fork()
            if pid == 0:
                _run_child(request)
            answer = {"pid": pid}
        else:
            answer = {"status": statuses.get(request["pid"])}
        print(json.dumps(answer), flush=True)
    for pid in _children():
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
