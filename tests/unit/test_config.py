"""Configuration: every fault at once with its remedy, and what production refuses."""

import os
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from calendar_service import config
from calendar_service.config import ApiKey, Config, ConfigurationFaults, Role, run_data
from calendar_service.development import data_dir
from tests.support.evidence import shows
from tests.unit.overlays import COMPLETE

IDENTITY, SIGNING, CURRENT, FORMER = (
    sha256(word).digest() for word in (b"identity", b"signing", b"new", b"old")
)
HASH = sha256(b"a key").hexdigest()


def base64(key: bytes) -> str:
    return b64encode(key).decode()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A complete production environment."""
    (tmp_path / "overlay.toml").write_text(COMPLETE, "utf-8")
    return {
        "CALENDAR_DATA_DIR": str(tmp_path / "data"),
        "CALENDAR_ENVIRONMENT": "production",
        "CALENDAR_PUBLIC_URL": "https://calendar.videsk.io",
        "CALENDAR_REDIS_URL": "rediss://:password@db.internal:6380/0",
        "CALENDAR_KEYRING": f"k2:{base64(CURRENT)},k1:{base64(FORMER)}",
        "CALENDAR_IDENTITY_KEY": base64(IDENTITY),
        "CALENDAR_SIGNING_KEY": base64(SIGNING),
        "CALENDAR_API_KEYS": f"console:*:backend:{HASH}",
        "CALENDAR_OPERATOR": str(tmp_path / "overlay.toml"),
        "CALENDAR_GOOGLE_CLIENT_ID": "1234.apps.googleusercontent.com",
        "CALENDAR_GOOGLE_CLIENT_SECRET": "GOCSPX-something",
    }


def faults_of(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigurationFaults) as refusal:
        config.load(environ)
    faults = refusal.value.faults
    assert all(fault.what and fault.remedy for fault in faults)
    return {fault.where: fault.what for fault in faults}


def test_a_complete_environment_is_read(environ: dict[str, str], tmp_path: Path) -> None:
    loaded = config.load(environ)
    assert (loaded.port, loaded.google_port, loaded.data_dir) == (8080, 8081, tmp_path / "data")
    assert loaded.worker_metrics_port is None
    assert loaded.keyring == (("k2", CURRENT), ("k1", FORMER))
    assert (loaded.identity_key, loaded.signing_key) == (IDENTITY, SIGNING)
    assert loaded.api_keys == (ApiKey("console", "*", Role.BACKEND, HASH),)
    assert loaded.google.token_uri == "https://oauth2.googleapis.com/token"
    assert not loaded.google.is_local
    assert loaded.redirect_uri == "https://calendar.videsk.io/oauth/callback"
    assert loaded.clock().offset() == 0


def test_nothing_set_names_everything_that_has_to_be(tmp_path: Path) -> None:
    assert set(faults_of({"CALENDAR_DATA_DIR": str(tmp_path)})) == {
        "CALENDAR_PUBLIC_URL",
        "CALENDAR_REDIS_URL",
        "CALENDAR_KEYRING",
        "CALENDAR_IDENTITY_KEY",
        "CALENDAR_SIGNING_KEY",
        "CALENDAR_API_KEYS",
        "CALENDAR_OPERATOR",
        "CALENDAR_GOOGLE_CLIENT_ID",
        "CALENDAR_GOOGLE_CLIENT_SECRET",
    }


def test_production_is_the_rule_where_nothing_is_said(environ: dict[str, str]) -> None:
    del environ["CALENDAR_ENVIRONMENT"]
    assert config.load(environ).is_production


@shows("ID-1", "ST-2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALENDAR_TEST_CLOCK", "/some/file"),
        ("CALENDAR_TEST_SKEW", "0"),
        ("CALENDAR_TEST_LIMITS", "off"),
        ("CALENDAR_FAILPOINTS", "connect.exchanged:exit"),
        ("CALENDAR_GOOGLE_AUTH_URI", "http://localhost:8081/o/oauth2/v2/auth"),
        ("CALENDAR_GOOGLE_TOKEN_URI", "https://oauth2.googleapis.com/token"),
        ("CALENDAR_GOOGLE_REVOKE_URI", "https://example.com/revoke"),
        ("CALENDAR_GOOGLE_API_ENDPOINT", "https://example.com/"),
        ("CALENDAR_PUBLIC_URL", "http://calendar.videsk.io"),
        ("CALENDAR_PUBLIC_URL", "https://calendar.videsk.io.example.com"),
        ("CALENDAR_PUBLIC_URL", "https://notvidesk.io"),
        ("CALENDAR_REDIS_URL", "redis://db.internal:6379/0"),
        ("CALENDAR_REDIS_URL", "redis+cluster://127.0.0.1:7000,db.internal:7000"),
        ("CALENDAR_WEBHOOK_URL", "http://localhost:9000/hooks"),
    ],
)
def test_production_refuses(environ: dict[str, str], name: str, value: str) -> None:
    assert name in faults_of(environ | {name: value})
    relaxed = environ | {"CALENDAR_ENVIRONMENT": "development", name: value}
    relaxed["CALENDAR_WEBHOOK_URL"] = relaxed.get("CALENDAR_WEBHOOK_URL", "https://backend.videsk.io/hooks")
    relaxed["CALENDAR_WEBHOOK_SECRET"] = f"whsec_{base64(CURRENT)}"
    assert not config.load(relaxed).is_production


@shows("ID-1")
def test_production_refuses_a_profile_with_unset_fields(environ: dict[str, str]) -> None:
    faults = faults_of(environ | {"CALENDAR_OPERATOR": "videsk"})
    assert "CALENDAR_OPERATOR (videsk): policy.url.en" in faults
    assert len(faults) == 10


@shows("ID-1")
@pytest.mark.parametrize("url", ["http://videsk.io/privacy", "https://videsk.example.com/privacy"])
def test_production_refuses_a_policy_elsewhere(environ: dict[str, str], tmp_path: Path, url: str) -> None:
    (tmp_path / "overlay.toml").write_text(COMPLETE.replace("https://videsk.io/privacy", url), "utf-8")
    assert list(faults_of(environ)) == ["CALENDAR_OPERATOR (videsk): policy.url.en"]


def test_production_refuses_a_draft(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "overlay.toml").write_text(COMPLETE + '\nclauses.LU-5.source = "proposed"\n', "utf-8")
    faults = faults_of(environ)
    assert list(faults) == ["CALENDAR_OPERATOR (videsk): policy.adopted_on", "CALENDAR_OPERATOR (videsk)"]
    assert "LU-5" in faults["CALENDAR_OPERATOR (videsk)"]


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://:secret@localhost/1",
        "redis://[::1]:6379/0",
        "unix:///run/valkey/valkey.sock",
        "redis+sentinel://localhost:26379,127.0.0.2:26379/mymaster/0",
        "rediss+cluster://node-1.internal:7000,node-2.internal:7000",
        "rediss://db.internal:6380/0?ssl_cert_reqs=required&ssl_ca_certs=/etc/ca.pem",
    ],
)
def test_these_databases_are_good_enough_for_production(environ: dict[str, str], url: str) -> None:
    assert config.load(environ | {"CALENDAR_REDIS_URL": url}).database.url


def test_an_address_of_many_servers_is_taken_apart(environ: dict[str, str]) -> None:
    url = "rediss+sentinel://who:secret@s-1.internal,[::1]:26380/calendars/2?copies=2&ssl_ca_certs=/ca.pem"
    database = config.load(environ | {"CALENDAR_REDIS_URL": url}).database
    assert database.url.reveal() == "rediss://who:secret@s-1.internal:26379/2?ssl_ca_certs=%2Fca.pem"
    assert database.hosts == (("s-1.internal", 26379), ("::1", 26380))
    assert (database.primary, database.copies, database.on_this_host) == ("calendars", 2, False)


@pytest.mark.parametrize(
    ("url", "copies"),
    [
        ("redis://localhost/", 0),
        ("unix:///run/valkey.sock?copies=1", 1),
        ("redis+sentinel://localhost/calendars", 0),
        ("redis+sentinel://localhost/calendars?copies=2", 2),
        ("redis+cluster://localhost", 0),
    ],
)
def test_an_address_says_how_many_replicas_at_least_writes_wait_for(
    environ: dict[str, str], url: str, copies: int
) -> None:
    assert config.load(environ | {"CALENDAR_REDIS_URL": url}).database.copies == copies


@pytest.mark.parametrize(
    "url",
    [
        "rediss://db.internal:6380/0?ssl_cert_reqs=none",
        "rediss://db.internal:6380/0?ssl_cert_reqs=optional",
        "rediss://db.internal:6380/0?ssl_cert_reqs=",
        "rediss://db.internal:6380/0?ssl_check_hostname=False",
        "rediss+sentinel://db.internal:6380/main?ssl_check_hostname=0",
        "http://db.internal/",
        "redis://",
        "redis://localhost:6379,localhost:6380/0",
        "redis://localhost:port/0",
        "redis+sentinel://localhost:26379/",
        "redis+cluster://localhost?copies=many",
        "redis+cluster://localhost?copies=9",
        f"redis+cluster://localhost?copies={'1' * 4301}",
        "unix://relative.sock",
    ],
)
@pytest.mark.parametrize("environment", ["production", "development"])
def test_a_database_that_cannot_be_trusted_is_refused(
    environ: dict[str, str], url: str, environment: str
) -> None:
    environ |= {"CALENDAR_REDIS_URL": url, "CALENDAR_ENVIRONMENT": environment}
    assert list(faults_of(environ)) == ["CALENDAR_REDIS_URL"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (bytes(32), "all-zero, repeated or example"),
        (b"\x07" * 32, "all-zero, repeated or example"),
        (CURRENT[:4] * 8, "all-zero, repeated or example"),
        (CURRENT[:16] * 2, "all-zero, repeated or example"),
        (bytes(range(32)), "all-zero, repeated or example"),
        (bytes(range(62, -2, -2)), "all-zero, repeated or example"),
        (b"change-me-change-me-please-now!!", "all-zero, repeated or example"),
        (CURRENT[:31], "31 bytes instead of 32"),
        (CURRENT + b"\x01", "33 bytes instead of 32"),
    ],
)
@pytest.mark.parametrize("name", ["CALENDAR_KEYRING", "CALENDAR_IDENTITY_KEY", "CALENDAR_SIGNING_KEY"])
def test_a_weak_key_is_refused(environ: dict[str, str], name: str, key: bytes, words: str) -> None:
    prefix = "k9:" if name == "CALENDAR_KEYRING" else ""
    assert words in faults_of(environ | {name: prefix + base64(key)})[name]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"k1:{base64(CURRENT)},k1:{base64(FORMER)}", "`k1` 2 times"),
        (f"k1:{base64(CURRENT)},k2:{base64(CURRENT)}", "same key under two ids"),
        (base64(CURRENT), "not `id:base64key`"),
        (f"k.1:{base64(CURRENT)}", "not `id:base64key`"),
        ("k1:!!!!", "not base64"),
        (",", "holds no key"),
    ],
)
def test_a_garbled_keyring_is_refused(environ: dict[str, str], text: str, words: str) -> None:
    assert words in faults_of(environ | {"CALENDAR_KEYRING": text})["CALENDAR_KEYRING"]


def test_a_key_has_one_purpose(environ: dict[str, str]) -> None:
    assert (
        "same key" in faults_of(environ | {"CALENDAR_SIGNING_KEY": base64(CURRENT)})["CALENDAR_IDENTITY_KEY"]
    )


def test_an_api_key_may_speak_for_an_organization_with_colons_in_its_name(environ: dict[str, str]) -> None:
    environ["CALENDAR_API_KEYS"] = f"console:urn:acme:42:admin:{HASH}"
    assert config.load(environ).api_keys == (ApiKey("console", "urn:acme:42", Role.ADMIN, HASH),)


@pytest.mark.parametrize(
    "text",
    [
        f"console:*:root:{HASH}",
        f"con sole:*:admin:{HASH}",
        f"console:a/b:admin:{HASH}",
        f"console::admin:{HASH}",
        f"console:*:admin:{HASH.upper()}",
        f"console:*:admin:{sha256(b'').hexdigest()}",
        f"console:*:admin:{HASH} console:*:backend:{sha256(b'b').hexdigest()}",
        f"a:*:admin:{HASH} b:*:backend:{HASH}",
        "console",
        ",",
    ],
)
def test_a_garbled_api_key_is_refused(environ: dict[str, str], text: str) -> None:
    assert list(faults_of(environ | {"CALENDAR_API_KEYS": text})) == ["CALENDAR_API_KEYS"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALENDAR_ENVIRONMENT", "staging"),
        ("CALENDAR_PORT", "0"),
        ("CALENDAR_PORT", "1" * 4301),
        ("CALENDAR_PORT", "tcp://10.0.0.1:80"),
        ("CALENDAR_GOOGLE_PORT", "65536"),
        ("CALENDAR_WORKER_METRICS_PORT", "0"),
        ("CALENDAR_PUBLIC_URL", "calendar.videsk.io"),
        ("CALENDAR_PUBLIC_URL", "https://calendar.videsk.io/path"),
        ("CALENDAR_PUBLIC_URL", "https://user@calendar.videsk.io"),
        ("CALENDAR_KEYIRNG", "k1:x"),
        ("CALENDAR_OPERATOR_FILE", "x.toml"),
        ("CALENDAR_WEBHOOK_URL", "https://backend.videsk.io/hooks"),
        ("CALENDAR_WEBHOOK_SECRET", f"whsec_{base64(CURRENT)}"),
    ],
)
def test_a_slip_is_a_fault(environ: dict[str, str], name: str, value: str) -> None:
    assert len(faults_of(environ | {name: value})) == 1


@pytest.mark.parametrize("environment", ["production", "development"])
@pytest.mark.parametrize(
    "url", ["http://backend.videsk.io/hooks", "http://localhost.videsk.io/hooks", "http://["]
)
def test_a_webhook_leaves_this_host_over_https_only(
    environ: dict[str, str], environment: str, url: str
) -> None:
    environ |= {"CALENDAR_ENVIRONMENT": environment, "CALENDAR_WEBHOOK_URL": url}
    environ["CALENDAR_WEBHOOK_SECRET"] = f"whsec_{base64(CURRENT)}"
    assert list(faults_of(environ)) == ["CALENDAR_WEBHOOK_URL"]


def test_every_webhook_secret_of_the_list_is_in_force(environ: dict[str, str]) -> None:
    both = [f"whsec_{base64(CURRENT)}", f"whsec_{base64(FORMER)}"]
    environ |= {"CALENDAR_WEBHOOK_URL": "https://backend.videsk.io/hooks"}
    loaded = config.load(environ | {"CALENDAR_WEBHOOK_SECRET": ", ".join(both)})
    assert [secret.reveal() for secret in loaded.webhook_secrets] == both
    assert "whsec_" not in repr(loaded)


@pytest.mark.parametrize(
    "secrets",
    ["whsec_c2hvcnQ=", base64(CURRENT), "whsec_***", ",", " ".join([f"whsec_{base64(CURRENT)}"] * 2)],
)
def test_a_webhook_secret_that_is_none_is_a_fault(environ: dict[str, str], secrets: str) -> None:
    environ |= {"CALENDAR_WEBHOOK_URL": "https://backend.videsk.io/hooks"}
    faults = faults_of(environ | {"CALENDAR_WEBHOOK_SECRET": secrets})
    assert list(faults) == ["CALENDAR_WEBHOOK_SECRET"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALENDAR_TEST_SKEW", "much"),
        ("CALENDAR_TEST_LIMITS", "on"),
        ("CALENDAR_FAILPOINTS", "connect.exchanged:explode"),
    ],
)
def test_a_slip_in_a_test_variable_is_a_fault(environ: dict[str, str], name: str, value: str) -> None:
    assert list(faults_of(environ | {"CALENDAR_ENVIRONMENT": "development", name: value})) == [name]


def test_no_fault_repeats_a_secret(environ: dict[str, str]) -> None:
    for name in ("CALENDAR_KEYRING", "CALENDAR_IDENTITY_KEY", "CALENDAR_API_KEYS", "CALENDAR_REDIS_URL"):
        environ[name] = "planted:4711"
    with pytest.raises(ConfigurationFaults) as refusal:
        config.load(environ)
    assert len(refusal.value.faults) == 4
    assert "4711" not in str(refusal.value)


def test_no_secret_shows_in_the_configuration_itself(environ: dict[str, str]) -> None:
    shown = repr(config.load(environ))
    for secret in ("password", base64(CURRENT), "GOCSPX", repr(CURRENT), repr(IDENTITY), repr(SIGNING), HASH):
        assert secret not in shown


def by_file(environ: dict[str, str], name: str, folder: Path) -> Path:
    path = folder / name.lower()
    path.write_text(environ.pop(name) + "\n", "utf-8")
    environ[f"{name}_FILE"] = str(path)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "CALENDAR_REDIS_URL",
        "CALENDAR_KEYRING",
        "CALENDAR_IDENTITY_KEY",
        "CALENDAR_SIGNING_KEY",
        "CALENDAR_API_KEYS",
        "CALENDAR_GOOGLE_CLIENT_SECRET",
    ],
)
def test_every_secret_may_come_from_a_file(environ: dict[str, str], tmp_path: Path, name: str) -> None:
    value = environ[name]
    path = by_file(environ, name, tmp_path)
    config.load(environ)
    assert name in faults_of(environ | {name: value})
    path.unlink()
    assert f"{name}_FILE" in faults_of(environ)


def test_a_changed_key_file_is_in_force_at_once(environ: dict[str, str], tmp_path: Path) -> None:
    path = by_file(environ, "CALENDAR_KEYRING", tmp_path)
    loaded = config.load(environ)
    path.write_text(f"k3:{base64(SIGNING[::-1])},k2:{base64(CURRENT)}", "utf-8")
    assert [key_id for key_id, _ in loaded.keyring] == ["k3", "k2"]
    assert loaded.secret_files() == (path,)


def test_a_key_file_spoiled_while_running_leaves_the_last_good_one_in_force(
    environ: dict[str, str], tmp_path: Path
) -> None:
    path = by_file(environ, "CALENDAR_API_KEYS", tmp_path)
    loaded = config.load(environ)
    path.write_text("console:*:backend", "utf-8")
    assert [key.name for key in loaded.api_keys] == ["console"]
    assert len(loaded.file_faults()) == 1
    path.unlink()
    assert [key.name for key in loaded.api_keys] == ["console"]
    path.write_text(f"portal:*:admin:{HASH}", "utf-8")
    assert [key.name for key in loaded.api_keys] == ["portal"]
    assert loaded.file_faults() == ()


RUN = {
    "CALENDAR_ENVIRONMENT": "development",
    "CALENDAR_OPERATOR": "videsk",
    "CALENDAR_PUBLIC_URL": "http://localhost:8080",
    "CALENDAR_REDIS_URL": "unix:///tmp/valkey.sock",
    "CALENDAR_KEYRING_FILE": "keys/keyring",
    "CALENDAR_IDENTITY_KEY_FILE": "keys/identity",
    "CALENDAR_SIGNING_KEY_FILE": "keys/signing",
    "CALENDAR_API_KEYS_FILE": "keys/api-keys",
    "CALENDAR_GOOGLE_CLIENT_ID": "local",
    "CALENDAR_GOOGLE_CLIENT_SECRET_FILE": "keys/google-client-secret",
    "CALENDAR_GOOGLE_AUTH_URI": "http://localhost:8081/o/oauth2/v2/auth",
    "CALENDAR_GOOGLE_TOKEN_URI": "http://localhost:8081/token",
    "CALENDAR_GOOGLE_REVOKE_URI": "http://localhost:8081/revoke",
    "CALENDAR_GOOGLE_API_ENDPOINT": "http://localhost:8081",
}


@pytest.fixture
def run_directory(environ: dict[str, str], tmp_path: Path) -> Path:
    """A data directory as `calendar-service run` leaves it."""
    keys = tmp_path / "data" / "keys"
    keys.mkdir(parents=True)
    for name, variable in (
        ("keyring", "CALENDAR_KEYRING"),
        ("identity", "CALENDAR_IDENTITY_KEY"),
        ("signing", "CALENDAR_SIGNING_KEY"),
        ("api-keys", "CALENDAR_API_KEYS"),
        ("google-client-secret", "CALENDAR_GOOGLE_CLIENT_SECRET"),
    ):
        (keys / name).write_text(environ[variable], "utf-8")
    run_data.write(tmp_path / "data", RUN)
    return tmp_path / "data"


def with_data(run_directory: Path, **others: str) -> Config:
    return config.load({"CALENDAR_DATA_DIR": str(run_directory)} | others)


def test_other_commands_take_what_run_made(run_directory: Path) -> None:
    variables = with_data(run_directory)
    assert not variables.is_production
    assert variables.keyring[0] == ("k2", CURRENT)
    assert variables.google.api_endpoint == "http://localhost:8081/calendar/v3/"
    assert variables.google.is_local
    assert (run_directory / "run.json").stat().st_mode & 0o777 == 0o600


def test_the_environment_comes_before_what_run_made(run_directory: Path) -> None:
    variables = with_data(run_directory, CALENDAR_KEYRING=f"own:{base64(FORMER)}", CALENDAR_PORT="9000")
    assert (variables.keyring, variables.port) == ((("own", FORMER),), 9000)


def test_a_google_client_of_ones_own_never_meets_the_local_google(run_directory: Path) -> None:
    variables = with_data(
        run_directory, CALENDAR_GOOGLE_CLIENT_ID="real", CALENDAR_GOOGLE_CLIENT_SECRET="GOCSPX-x"
    )
    assert not variables.google.is_local
    assert variables.google.auth_uri.startswith("https://accounts.google.com/")


def test_production_takes_nothing_from_what_run_made(run_directory: Path) -> None:
    data_only = {"CALENDAR_DATA_DIR": str(run_directory), "CALENDAR_ENVIRONMENT": "production"}
    assert "CALENDAR_KEYRING" in faults_of(data_only)


def test_garbled_run_data_is_a_fault(run_directory: Path) -> None:
    (run_directory / "run.json").write_text("[]", "utf-8")
    assert "CALENDAR_DATA_DIR" in faults_of({"CALENDAR_DATA_DIR": str(run_directory)})


def test_the_test_clock_moves_the_clock_of_a_running_process(run_directory: Path, tmp_path: Path) -> None:
    file = tmp_path / "offset"
    clock = with_data(run_directory, CALENDAR_TEST_CLOCK=str(file), CALENDAR_TEST_SKEW="-60").clock()
    assert clock.offset() == 0
    before = clock.now()
    file.write_text("86400.5", "ascii")
    assert clock.offset() == 86_400_500
    assert clock.now() - before >= 86_400_500


def test_variables_of_others_are_left_alone(environ: dict[str, str]) -> None:
    config.load(environ | {"CALENDAR_PORT_80_TCP_ADDR": "10.0.0.1", "CALENDARS": "x", "HOME": os.sep})


def test_what_run_was_given_is_kept_in_files_of_its_own_and_removed_when_it_is_given_no_more(
    tmp_path: Path,
) -> None:
    data_dir.make_keys(tmp_path)
    own = (tmp_path / "keys" / "identity").read_text("utf-8")
    given = {
        "CALENDAR_REDIS_URL": "redis://:password@127.0.0.1:1/0",
        "CALENDAR_IDENTITY_KEY": base64(IDENTITY),
        "CALENDAR_GOOGLE_CLIENT_ID": "1234.apps.googleusercontent.com",
        "CALENDAR_GOOGLE_CLIENT_SECRET": "GOCSPX-something",
        "CALENDAR_WEBHOOK_URL": "https://console.example/hooks",
        "CALENDAR_WEBHOOK_SECRET": f"whsec_{base64(SIGNING)}",
    }
    data_dir.leave_run_data(tmp_path, given, "")
    loaded = config.load({"CALENDAR_DATA_DIR": str(tmp_path)})
    assert loaded.identity_key == IDENTITY
    assert loaded.database.url.reveal() == given["CALENDAR_REDIS_URL"]
    assert loaded.google.secret.reveal() == given["CALENDAR_GOOGLE_CLIENT_SECRET"]
    assert [secret.reveal() for secret in loaded.webhook_secrets] == [given["CALENDAR_WEBHOOK_SECRET"]]
    assert not loaded.is_run_database
    assert (tmp_path / "keys" / "identity").read_text("utf-8") == own
    assert "password" not in (tmp_path / "run.json").read_text("utf-8")
    data_dir.leave_run_data(tmp_path, {}, "unix:///somewhere/valkey.sock")
    assert list((tmp_path / "keys").glob("given-*")) == []
    assert config.load({"CALENDAR_DATA_DIR": str(tmp_path)}).is_run_database


def test_a_file_that_this_user_may_not_read_is_refused_with_the_way_to_let_it(tmp_path: Path) -> None:
    file = tmp_path / "keyring"
    file.write_text(f"k1:{base64(CURRENT)}\n", "utf-8")
    file.chmod(0)
    script = (
        "import os, sys\nfrom calendar_service import config\nif not os.geteuid(): os.setuid(65534)\n"
        "try:\n    config.load({'CALENDAR_KEYRING_FILE': sys.argv[1], 'CALENDAR_DATA_DIR': 'nowhere'})\n"
        "except config.ConfigurationFaults as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "CALENDAR_KEYRING_FILE names a file that user " in done.stdout
    assert " may not read: let this user read it and enter its directory, such as `chown " in done.stdout
