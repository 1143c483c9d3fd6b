"""An append-only file with garbage: the server does not start until the runbook's command has cut it."""

import re
import subprocess
from pathlib import Path

import pytest

from calendar_service.development.valkey import server_binary
from tests.support.servers import server

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks.md"
DURABLE = {"appendonly": "yes", "appendfsync": "always"}


def command(home: Path) -> list[str]:
    """Return the command that the runbook says, for the newest file of this database."""
    line = re.search(r"^ +(valkey-check-aof --fix \S+)$", RUNBOOKS.read_text("utf-8"), re.MULTILINE)
    assert line, "the runbook names no command"
    program, option, file = line[1].split()
    tool = home / program
    tool.symlink_to(server_binary())
    return [str(tool), option, str(home / file.replace(".N.", ".1."))]


@pytest.mark.parametrize(("at", "keys_left"), [("end", 3), ("middle", 1)])
def test_the_runbooks_command_cuts_the_garbage_and_the_server_starts_again(
    tmp_path: Path, at: str, keys_left: int
) -> None:
    with server(tmp_path / "database", **DURABLE) as database:
        for number in range(3):
            database.client.set(f"key-{number}", number)
        database.kill()
        file = database.home / "appendonlydir" / "appendonly.aof.1.incr.aof"
        whole = file.read_bytes()
        first = b"key-0\r\n$1\r\n0\r\n"
        cut = len(whole) if at == "end" else whole.index(first) + len(first)
        file.write_bytes(whole[:cut] + b"garbage\r\n" + whole[cut:])
        refused = subprocess.run(database.process.args, capture_output=True, timeout=60, check=False)
        assert refused.returncode == 1
        subprocess.run(command(database.home), input=b"y\n", capture_output=True, check=True)
        database.restart()
        assert database.client.dbsize() == keys_left
