"""The commands of docs/operate.md do what it says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from calendar_service import config
from calendar_service.cli import main
from tests.deploy.compose import DEPLOY, services
from tests.support import servers

DOCUMENT: Final = (DEPLOY.parent / "docs" / "operate.md").read_text("utf-8")
DURABLE: Final = {"appendonly": "yes", "appendfsync": "always"}


def commands(heading: str) -> list[str]:
    """Return the blocks of commands under a heading."""
    text = DOCUMENT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("    ") and line.strip():
            blocks[-1].append(line.strip())
        elif blocks[-1]:
            blocks.append([])
    return ["\n".join(block) for block in blocks if block]


def typed(block: str, folder: Path) -> None:
    """Type a block of commands in a folder; each has to succeed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["sh", "-euc", block], cwd=folder, env={"PATH": path}, check=True, timeout=60)


def test_the_first_start_fills_what_compose_mounts_and_the_database_lets_the_service_in(
    tmp_path: Path,
) -> None:
    here = tmp_path / "deploy"
    shutil.copytree(DEPLOY, here)
    blocks = commands("First start")
    assert len(blocks) == 5
    typed("\n".join(block for block in blocks if "chown" not in block), here)
    assert all(path.stat().st_mode & 0o077 == 0 for path in (here / "secrets").iterdir())
    (here / "secrets" / "google-client-secret").write_text("GOCSPX-something", "ascii")
    (here / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "ascii")
    overlay = here / "operator.toml"
    overlay.write_text(overlay.read_text("utf-8").replace("/etc/calendar", str(here)), "utf-8")
    variables = services()["web"]["environment"] | {"CALENDAR_OPERATOR": str(overlay)}
    for name, path in variables.items():
        if name.endswith("_FILE"):
            variables[name] = path.replace("/run/secrets", str(here / "secrets"))
    loaded = config.load(variables)
    assert [key.name for key in loaded.api_keys] == ["console"]
    users = here / "secrets" / "redis-users.acl"
    address = (here / "secrets" / "database-url").read_text("ascii")
    password = address.partition("calendar-service:")[2].partition("@")[0]
    login = {"username": "calendar-service", "password": password}
    with servers.server(tmp_path / "database", login=login, aclfile=str(users)) as server:
        assert server.client.get("anything") is None


def test_a_back_up_that_is_taken_during_writes_and_rewrites_holds_what_was_acknowledged_before(
    tmp_path: Path,
) -> None:
    take, put_back = commands("A back-up")
    with servers.server(tmp_path / "first", **DURABLE) as server:
        for number in range(500):
            server.client.set(f"before-{number}", "x" * 200)
        server.client.bgrewriteaof()
        script = "for i = 1, 20000 do redis.call('SET', 'during-' .. i, string.rep('y', 50)) end"
        server.client.eval(script, 0)
        typed(take, server.home)
        server.client.set("after", "1")
        assert not (server.home / "copy").exists()
        archive = server.home / "back-up.tar"
        restored = tmp_path / "restored"
        restored.mkdir()
        archive.rename(restored / "back-up.tar")
    typed(put_back, restored)
    place = tmp_path / "second"
    with servers.server(place, **DURABLE) as empty:
        empty.kill()
        shutil.rmtree(place / "appendonlydir")
        (restored / "appendonlydir").rename(place / "appendonlydir")
        empty.restart()
        assert empty.client.get("before-499") == "x" * 200
        assert empty.client.get("during-20000") == "y" * 50
        assert empty.client.get("after") is None


def test_the_sizing_command_is_one() -> None:
    (line,) = commands("Sizing")
    answer = CliRunner().invoke(main, line.split()[1:])
    assert (answer.exit_code, "database: maxmemory" in answer.output) == (0, True)


@pytest.mark.parametrize("heading", ["An upgrade", "Moving", "The log", "Outward"])
def test_the_other_sections_have_prose_alone(heading: str) -> None:
    assert commands(heading) == []
