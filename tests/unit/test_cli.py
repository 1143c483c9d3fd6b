"""The commands that need no running service: new keys are shown once, and nowhere else."""

import json
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.cli import COMMANDS, main
from calendar_service.config.keys import api_keys, base64_key, keyring
from calendar_service.crypto.signing import public_key_text, signed
from calendar_service.domain.clock import Clock
from calendar_service.domain.names import Agent
from calendar_service.journeys.connection.receipts import Receipts

KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"signing").digest())
RECEIPT = Receipts(KEY, "Videsk SpA", Clock()).write(
    Agent("acme", "ana"), "7-00112233445566778899aabb", "confirmed"
)


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(runner: CliRunner, name: str) -> None:
    answer = runner.invoke(main, [name, "--help"])
    assert answer.exit_code == 0
    assert "Usage:" in answer.output


def test_an_unknown_command_is_bad_usage(runner: CliRunner) -> None:
    assert runner.invoke(main, ["dance"]).exit_code == 2


def test_new_keys_are_keys(runner: CliRunner) -> None:
    keys = json.loads(runner.invoke(main, ["keys", "new", "--json"]).output)
    ((_, current),) = keyring(keys["CALENDAR_KEYRING"])
    others = [base64_key(keys[name]) for name in ("CALENDAR_IDENTITY_KEY", "CALENDAR_SIGNING_KEY")]
    assert len({current, *others}) == 3


def test_keys_written_into_files_are_private_and_never_replaced(runner: CliRunner, tmp_path: Path) -> None:
    first = runner.invoke(main, ["keys", "new", "--into", str(tmp_path / "keys"), "--json"])
    files = [Path(path) for path in json.loads(first.output).values()]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 3
    texts = [file.read_text("utf-8") for file in files]
    assert runner.invoke(main, ["keys", "new", "--into", str(tmp_path / "keys")]).exit_code == 2
    assert [file.read_text("utf-8") for file in files] == texts


@pytest.mark.parametrize(("mode", "folder_mode"), [("600", 0o700), ("0640", 0o750), ("400", 0o700)])
def test_keys_are_written_for_the_user_that_reads_them(
    runner: CliRunner, tmp_path: Path, mode: str, folder_mode: int
) -> None:
    folder, user = tmp_path / "secrets", os.geteuid() or 65534
    words = ["keys", "new", "--into", str(folder), "--owner", str(user), "--mode", mode]
    assert runner.invoke(main, words).exit_code == 0
    for path in (folder, *folder.iterdir()):
        assert path.stat().st_uid == user
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {int(mode, 8)}
    assert folder.stat().st_mode & 0o777 == folder_mode


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["--mode", "644"], "--mode 644 is none of 400, 440, 600, 640"),
        (["--mode", "x"], "--mode x is none of"),
        (["--owner", "no-such-user"], "this host knows no user `no-such-user`; give its number"),
        (["--owner", "0:no-such-group"], "this host knows no group `no-such-group`"),
    ],
)
def test_an_owner_or_a_mode_that_cannot_be_leaves_no_file(
    runner: CliRunner, tmp_path: Path, words: list[str], refusal: str
) -> None:
    answer = runner.invoke(main, ["keys", "new", "--into", str(tmp_path / "secrets"), *words])
    assert (answer.exit_code, refusal in answer.output) == (2, True)
    assert not (tmp_path / "secrets").exists()


def test_keys_are_not_put_where_their_reader_cannot_go(runner: CliRunner, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    os_user = folder.stat().st_uid
    folder.chmod(0o600)
    answer = runner.invoke(main, ["keys", "new", "--into", str(folder), "--owner", str(os_user)])
    assert (answer.exit_code, f"does not let user {os_user} in: `chown" in answer.output) == (2, True)
    folder.chmod(0o700)
    assert list(folder.iterdir()) == []


def test_one_file_that_is_there_keeps_all_from_being_written(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "signing-key").write_text("former", "utf-8")
    answer = runner.invoke(main, ["keys", "new", "--into", str(tmp_path)])
    assert (answer.exit_code, "a key is never replaced" in answer.output) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["signing-key"]


def test_without_root_files_are_not_given_away_and_the_way_is_named(tmp_path: Path) -> None:
    script = (
        "import os\nfrom calendar_service.cli import keys, main\nif not os.geteuid(): os.setuid(65534)\n"
        "main(['keys', 'new', '--into', 'nowhere', '--owner', '1'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "type the command with sudo, or leave --owner out and `chown 1`" in " ".join(done.stderr.split())


def test_a_new_api_key_comes_with_the_entry_that_accepts_it(runner: CliRunner) -> None:
    arguments = ["api-keys", "new", "console", "--role", "backend", "--organization", "acme", "--json"]
    key = json.loads(runner.invoke(main, arguments).output)
    (entry,) = api_keys(key["entry"])
    assert (entry.name, entry.organization, entry.role) == ("console", "acme", "backend")
    assert entry.sha256 == sha256(key["key"].encode()).hexdigest()


@pytest.mark.parametrize(
    "arguments",
    [
        ["con sole", "--role", "admin"],
        ["console", "--role", "root"],
        ["c", "--role", "admin", "--organization", "a/b"],
    ],
)
def test_an_api_key_that_would_not_be_accepted_is_not_made(runner: CliRunner, arguments: list[str]) -> None:
    assert runner.invoke(main, ["api-keys", "new", *arguments]).exit_code == 2


def verified(runner: CliRunner, folder: Path, receipt: object, *arguments: str) -> tuple[int, str]:
    file = folder / "receipt.json"
    file.write_text(json.dumps(receipt), "utf-8")
    answer = runner.invoke(main, ["receipt", "verify", str(file), *arguments])
    return answer.exit_code, answer.output


def test_a_receipt_verifies_under_the_published_key_alone(runner: CliRunner, tmp_path: Path) -> None:
    published = public_key_text(KEY.public_key())
    assert verified(runner, tmp_path, RECEIPT, "--public-key", published)[0] == 0
    changed = RECEIPT | {"erased_at": "2030-01-01T00:00:00Z"}
    assert verified(runner, tmp_path, changed, "--public-key", published)[0] == 1
    assert verified(runner, tmp_path, [], "--public-key", published)[0] == 1
    foreign = b64encode(sha256(b"another").digest()).decode()
    assert verified(runner, tmp_path, RECEIPT, "--public-key", foreign)[0] == 1


def test_a_receipt_verifies_with_the_file_of_published_keys(runner: CliRunner, tmp_path: Path) -> None:
    keys = tmp_path / "public-key"
    former = b64encode(sha256(b"former").digest()).decode()
    keys.write_text(f"{former}\n{public_key_text(KEY.public_key())}\n", "ascii")
    assert verified(runner, tmp_path, RECEIPT, "--public-key-file", str(keys))[0] == 0
    changed = RECEIPT | {"revocation": "pending"}
    status, output = verified(runner, tmp_path, changed, "--public-key-file", str(keys))
    assert (status, "was changed after it was signed" in output) == (1, True)
    assert verified(runner, tmp_path, RECEIPT, "--public-key-file", str(tmp_path / "none"))[0] == 2


def test_another_file_that_a_reader_could_take_for_the_receipt_is_none(
    runner: CliRunner, tmp_path: Path
) -> None:
    genuine = json.dumps(RECEIPT)
    last = RECEIPT["signature"][-3]
    other = chr(ord(last) + 1)  # the same bytes: only bits that base64 leaves over differ
    assert b64decode(RECEIPT["signature"]) == b64decode(f"{RECEIPT['signature'][:-3]}{other}==")
    others = {
        "a member twice": genuine.replace("{", '{"erased_at": "2031-01-01T00:00:00Z", ', 1).encode(),
        "a member twice, deeper": genuine.replace("{", '{"more": {"a": 1, "a": 2}, ', 1).encode(),
        "another spelling of the signature": genuine.replace(f"{last}==", f"{other}==").encode(),
        "another encoding": genuine.encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + genuine.encode(),
        "depth": b"[" * 100_000,
    }
    key = public_key_text(KEY.public_key())
    for what, document in others.items():
        (tmp_path / "receipt.json").write_bytes(document)
        arguments = ["receipt", "verify", str(tmp_path / "receipt.json"), "--public-key", key]
        assert (what, runner.invoke(main, arguments).exit_code) == (what, 1)
    assert "does not cover `salt`" in verified(runner, tmp_path, RECEIPT, "--public-key", key)[1]


def test_another_signed_document_is_no_receipt(runner: CliRunner, tmp_path: Path) -> None:
    checkpoint = signed({"type": "audit-checkpoint", "number": 1}, KEY)
    status, output = verified(runner, tmp_path, checkpoint, "--public-key", checkpoint["public_key"])
    assert (status, "not the whole JSON object of a receipt" in output) == (1, True)


def test_without_a_key_and_without_a_configuration_the_faults_are_listed(
    runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALENDAR_DATA_DIR", str(tmp_path))
    status, output = verified(runner, tmp_path, RECEIPT)
    assert status == 2
    assert "CALENDAR_SIGNING_KEY is not set" in output
