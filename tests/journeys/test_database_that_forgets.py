"""A database that may lose what it acknowledges: production does not start with one, of whatever kind it is."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from calendar_service import config as configuration
from calendar_service import wiring
from calendar_service.cli import main
from calendar_service.cli.asking import begin as begin_serving
from calendar_service.health.doctor import findings
from calendar_service.health.finding import Finding
from calendar_service.health.measures import Measures
from calendar_service.store import keys
from calendar_service.store.durability import DatabaseForgets
from calendar_service.worker.maintenance import DurabilityCheck
from tests.conftest import MovableClock
from tests.journeys.test_throttle import alarms
from tests.support import servers
from tests.support.local_google import LocalGoogle
from tests.support.service import TestService, environment
from tests.unit.overlays import COMPLETE

DURABLE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
DECLARED = "A. Operator, 2026-05-01: append-only, fsync always, noeviction"
NOBODY = {"CALENDAR_GOOGLE_AUTH_URI", "CALENDAR_GOOGLE_TOKEN_URI", "CALENDAR_GOOGLE_REVOKE_URI",
          "CALENDAR_GOOGLE_API_ENDPOINT", "CALENDAR_TEST_CLOCK"}  # fmt: skip


@pytest.fixture
def production(tmp_path: Path, google_process: LocalGoogle) -> dict[str, str]:
    """The variables of production; the database's address is the test's to give."""
    (tmp_path / "operator.toml").write_text(COMPLETE, "utf-8")
    variables = environment("", google_process)
    return {name: value for name, value in variables.items() if name not in NOBODY} | {
        "CALENDAR_ENVIRONMENT": "production",
        "CALENDAR_PUBLIC_URL": "https://calendar.videsk.io",
        "CALENDAR_OPERATOR": str(tmp_path / "operator.toml"),
        "CALENDAR_DATA_DIR": str(tmp_path / "data"),
    }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[servers.Server]:
    """One server that keeps what it acknowledges."""
    with servers.server(tmp_path / "server", **DURABLE) as one:
        yield one


def url(one: servers.Server, login: str = "") -> str:
    return f"redis://{login}127.0.0.1:{one.port}/0"


@click.command()
def first_step() -> None:
    """Do what `serve` and `work` begin with."""
    begin_serving("worker")


def start(variables: dict[str, str], address: str) -> Result:
    return CliRunner().invoke(first_step, env={**variables, "CALENDAR_REDIS_URL": address})


def begin(variables: dict[str, str], address: str) -> str | None:
    """Use the database as `serve` and `work` do at first; return its check values."""
    loaded = configuration.load({**variables, "CALENDAR_REDIS_URL": address})
    with closing(wiring.build(loaded, before_first_use=wiring.begin)) as service:
        service.store.database.ask(lambda client: client.get(keys.THROTTLE))
        return service.store.database.check_values()


def durability(variables: dict[str, str], address: str) -> list[Finding]:
    loaded = configuration.load({**variables, "CALENDAR_REDIS_URL": address})
    with closing(wiring.build(loaded)) as service:
        return [one for one in findings(Measures.of(service)) if one.check == "durability"]


@pytest.mark.parametrize("command", ["serve", "work"])
@pytest.mark.parametrize(
    ("setting", "value"),
    [("appendonly", "no"), ("appendfsync", "everysec"), ("maxmemory-policy", "allkeys-lru")],
)
def test_production_does_not_start_over_a_database_that_forgets_and_leaves_it_as_it_is(
    production: dict[str, str], server: servers.Server, setting: str, value: str, command: str
) -> None:
    server.client.config_set(setting, value)
    refused = CliRunner().invoke(main, [command], env={**production, "CALENDAR_REDIS_URL": url(server)})
    assert refused.exit_code == 2
    assert f"{setting} is not {DURABLE[setting]} at 127.0.0.1:{server.port}" in refused.stderr
    assert f"set `{setting} {DURABLE[setting]}` there" in refused.stderr
    assert server.client.dbsize() == 0


def test_every_setting_is_named_at_once(production: dict[str, str], tmp_path: Path) -> None:
    with servers.server(tmp_path / "server", maxmemory_policy="volatile-ttl") as server:
        refused = start(production, url(server))
    named = [line.split(": ")[1].split(" ")[0] for line in refused.stderr.splitlines()[1:]]
    assert named == ["appendonly", "appendfsync", "maxmemory-policy"]


def test_production_starts_over_a_database_that_keeps_what_it_acknowledges(
    production: dict[str, str], server: servers.Server
) -> None:
    assert begin(production, url(server))


def test_development_starts_and_doctor_says_what_is_wrong(
    tmp_path: Path, google_process: LocalGoogle, test_clock: MovableClock
) -> None:
    with servers.server(tmp_path / "server") as server:
        service = TestService.of(url(server), google_process, test_clock)
        assert service.parts.store.database.check_values()
        wrong = [one for one in findings(Measures.of(service.parts)) if one.check == "durability"]
        service.close()
    assert [(one.level, one.values["setting"]) for one in wrong] == [
        ("fault", "appendonly"), ("fault", "appendfsync"),
    ]  # fmt: skip


# --- what a database does not tell ---


@pytest.fixture(params=["user", "managed"])
def silent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[servers.Server]:
    """A server without CONFIG: for its user, or for everybody, as providers of managed databases set it up."""
    words = ("--rename-command", "CONFIG", "") if request.param == "managed" else ()
    with servers.server(tmp_path / "silent", *words, **DURABLE) as one:
        if request.param == "user":
            one.client.execute_command("ACL", "SETUSER", "default", "-config")
        yield one


def test_what_neither_the_database_nor_the_operator_says_keeps_production_from_starting(
    production: dict[str, str], silent: servers.Server
) -> None:
    refused = start(production, url(silent))
    assert (refused.exit_code, silent.client.dbsize()) == (2, 0)
    assert "a database that does not tell appendfsync: permit INFO and CONFIG GET" in refused.stderr
    assert "declare the settings in CALENDAR_DATABASE_DECLARED" in refused.stderr
    (untold,) = durability(production, url(silent))
    assert (untold.level, untold.values["settings"]) == ("fault", "appendfsync")


def test_the_operators_word_stands_for_what_the_database_does_not_tell(
    production: dict[str, str], silent: servers.Server
) -> None:
    production["CALENDAR_DATABASE_DECLARED"] = "A. Operator, 2026-05-01: fsync always"
    assert begin(production, url(silent))
    (declared,) = durability(production, url(silent))
    text, _ = declared.texts()
    assert (declared.level, text) == (
        "ok", "declared, not measured: appendfsync always (A. Operator, 2026-05-01)",
    )  # fmt: skip


def test_what_the_database_tells_counts_more_than_what_is_declared(
    production: dict[str, str], tmp_path: Path
) -> None:
    production["CALENDAR_DATABASE_DECLARED"] = DECLARED
    with servers.server(tmp_path / "silent", "--rename-command", "CONFIG", "") as server:
        refused = start(production, url(server))
        levels = [one.level for one in durability(production, url(server))]
    assert (refused.exit_code, "appendonly is not yes" in refused.stderr) == (2, True)
    assert levels == ["fault", "ok"]


def test_a_database_without_info_and_config_needs_the_operators_word_for_everything(
    production: dict[str, str], server: servers.Server
) -> None:
    server.client.execute_command("ACL", "SETUSER", "default", "-config", "-info")
    refused = start(production, url(server))
    assert "does not tell appendonly, appendfsync, maxmemory-policy" in refused.stderr
    production["CALENDAR_DATABASE_DECLARED"] = DECLARED
    assert begin(production, url(server))


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "append-only, fsync always, noeviction",
        "A. Operator: append-only, fsync always, noeviction",
        "A. Operator, 2026-02-30: append-only",
        "A. Operator, 2026-05-01: append-only, fsync sometimes",
        "A. Operator, 2026-05-01:",
    ],
)
def test_a_declaration_of_another_form_is_refused_with_the_form(
    production: dict[str, str], text: str
) -> None:
    refused = start({**production, "CALENDAR_DATABASE_DECLARED": text}, "redis://127.0.0.1:1/0")
    assert refused.exit_code == 2
    assert "CALENDAR_DATABASE_DECLARED" in refused.stderr
    assert "write `who, 2026-05-01: append-only, fsync always, noeviction`" in refused.stderr


# --- more than one server ---


def test_every_primary_of_a_cluster_counts(production: dict[str, str], tmp_path: Path) -> None:
    with servers.cluster(tmp_path / "servers") as nodes:
        address = f"redis+cluster://127.0.0.1:{nodes[0].port}?copies=0"
        nodes[1].client.config_set("appendfsync", "everysec")
        refused = start(production, address)
        assert (refused.exit_code, nodes[1].client.dbsize()) == (2, 0)
        assert f"appendfsync is not always at 127.0.0.1:{nodes[1].port}" in refused.stderr
        assert f"127.0.0.1:{nodes[0].port}" not in refused.stderr
        nodes[1].client.config_set("appendfsync", "always")
        assert begin(production, address)


def test_behind_sentinels_a_replica_counts_because_it_may_be_promoted(
    production: dict[str, str], tmp_path: Path
) -> None:
    with servers.watched(tmp_path / "servers") as (primary, replica, sentinel):
        address = f"redis+sentinel://127.0.0.1:{sentinel.port}/calendars"
        replica.client.config_set("maxmemory-policy", "allkeys-random")
        refused = start(production, address)
        assert f"maxmemory-policy is not noeviction at 127.0.0.1:{replica.port}" in refused.stderr
        assert primary.client.dbsize() == 0
        replica.client.config_set("maxmemory-policy", "noeviction")
        assert begin(production, address)
        primary.client.execute_command("ACL", "SETUSER", "default", "-info")
        (ok,) = durability(production, address)  # nobody names the replicas any more
        assert ok.level == "ok"


def test_a_replica_that_is_down_does_not_keep_the_service_from_starting(
    production: dict[str, str], tmp_path: Path
) -> None:
    with servers.cluster(tmp_path / "servers", 2, replicas=1) as nodes:
        address = f"redis+cluster://127.0.0.1:{nodes[0].port}"
        nodes[2].kill()
        servers.until(
            lambda: any("fail" in node["flags"] for node in nodes[0].client.cluster("NODES").values())
        )
        loaded = configuration.load({**production, "CALENDAR_REDIS_URL": address})
        with closing(wiring.build(loaded, before_first_use=wiring.begin)) as service:
            service.store.durability.require()


# --- later ---


def test_a_process_that_starts_before_its_database_refuses_it_at_the_first_use(
    production: dict[str, str], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(servers.server(tmp_path / "server", **DURABLE))
        server.kill()
        loaded = configuration.load({**production, "CALENDAR_REDIS_URL": url(server)})
        service = stack.enter_context(closing(wiring.build(loaded, before_first_use=wiring.begin)))
        server.restart()
        server.client.config_set("appendonly", "no")
        for _ in range(2):
            with pytest.raises(DatabaseForgets, match="appendonly is not yes"):
                service.store.timers.backlog()
        assert server.client.dbsize() == 0


def test_a_worker_alarms_when_the_settings_change_under_it(
    tmp_path: Path, google_process: LocalGoogle, test_clock: MovableClock, capsys: pytest.CaptureFixture[str]
) -> None:
    with servers.server(tmp_path / "server", **DURABLE) as server:
        service = TestService.of(url(server), google_process, test_clock)
        worker = service.worker
        worker.round()
        assert alarms(capsys) == []
        server.client.config_set("appendfsync", "everysec")
        server.client.config_set("maxmemory-policy", "allkeys-lru")
        worker.round()
        assert alarms(capsys) == []
        test_clock.advance(3601)
        worker.round()
        DurabilityCheck(service.parts.store.durability, service.parts.log).run()
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        reasons = [line["reason"] for line in lines if line["event"] == "database.not_durable"]
        assert reasons == ["appendfsync", "maxmemory_policy"] * 2
        service.close()
