"""A measurement: many processes want a token at each expiry, and one refresh call has to serve them all."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from faults.episode import Episode
from faults.measured_episode import quiet_episode
from faults.paths import ROOT
from faults.scenarios.times import HOUR
from faults.service_processes import WORKERS

AGENT = "agent-1"


def run(expiries: int, processes: int = 8, threads: int = 20) -> int:
    """Print the number of refresh calls at so many expiries; return the exit status, 0 if there was one each."""
    with quiet_episode(1) as episode:
        episode.browser.ensure_connected(AGENT)
        for worker in WORKERS:
            episode.processes.kill(worker)  # a worker's daily probe would refresh too
        with _callers(episode, processes, threads) as callers:
            since = episode.google.call_count()
            served = sum(_expire_and_count(episode, callers, number, expiries) for number in range(expiries))
        calls = [call for call in episode.google.calls()[since:] if call["api_method"] == "oauth2.token"]
    requested = processes * threads * expiries
    print(f"{processes} processes x {threads} threads x {expiries} expiries: {len(calls)} refresh calls")
    print(f"{served} of {requested} threads got a usable token")
    return 0 if len(calls) == expiries and served == requested else 1


@contextlib.contextmanager
def _callers(episode: Episode, processes: int, threads: int) -> "Iterator[list[subprocess.Popen[str]]]":
    """Start the processes and wait until each is ready; kill them at the end."""
    cluster = episode.cluster
    env = episode.processes.by_name[WORKERS[0]].env | {"PYTHONPATH": f"{cluster.package_root}:{ROOT}"}
    command = [sys.executable, "-m", "faults.refresh_caller", str(threads), AGENT]
    callers = [
        subprocess.Popen(
            command, env=env, text=True, cwd=cluster.home,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        for _ in range(processes)
    ]  # fmt: skip
    try:
        for caller in callers:
            _read_line(caller)
        yield callers
    finally:
        for caller in callers:
            caller.kill()
            caller.communicate()


def _expire_and_count(
    episode: Episode, callers: "list[subprocess.Popen[str]]", number: int, expiries: int
) -> int:
    """Let the token expire and every thread ask for one; return how many got one."""
    episode.clock.advance(HOUR)
    for caller in callers:
        assert caller.stdin is not None
        caller.stdin.write("go\n")
        caller.stdin.flush()
    served = sum(int(_read_line(caller).split()[0]) for caller in callers)
    if number % 10 == 9:
        print(f"{number + 1}/{expiries} expiries", flush=True)
    return served


def _read_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()
