"""The scanners of `make check` find what they are there for, and the repository passes them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BANDIT = Path(sys.executable).with_name("bandit")


def run(*command: str | Path) -> tuple[int, str]:
    """Return exit status and output of a scanner."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with the checks and an empty package, which they pass."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "calendar_service" / "web").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    return tmp_path


# --- own rules ---


def test_the_program_keeps_every_rule() -> None:
    assert run(sys.executable, ROOT / ".ci" / "check_security.py") == (0, "")


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("secret_comparison", "is_right = given == self.secret"),
        ("secret_comparison", "is_wrong = csrf != expected"),
        ("weak_random", "import random"),
        ("weak_random", "from uuid import uuid4"),
        ("unsafe_reader", "import pickle"),
        ("unsafe_reader", "value = yaml.load(text)"),
        ("unsafe_reader", "value = eval(text)"),
        ("shell", "subprocess.run(command, shell=True)"),
        ("shell", "os.system(command)"),
        ("unchecked_tls", "context.verify_mode = ssl.CERT_NONE"),
        ("unchecked_tls", "context.check_hostname = False"),
        ("unchecked_tls", "get(url, verify=False)"),
        ("unbounded_number", "number = int(text)"),
        ("unbounded_number", "number = float(request.args['n'])"),
        ("unbounded_number", "number = int(text[1:])"),
        ("unbounded_depth", "value = json.loads(text)"),
        ("text_in_log", "self.log.alarm('google.trouble', reason=str(error))"),
        ("text_in_log", "log.event('google.trouble', reason=f'{error}')"),
        ("text_in_log", "traceback.print_exc()"),
        ("claimed_address", "host = request.headers['X-Forwarded-Host']"),
        ("claimed_address", "answer = redirect(request.args['next'])"),
        ("escape", "text = Markup(name)"),
        ("escape", "environment = Environment(autoescape=False)"),
    ],
)
def test_a_line_that_breaks_a_rule_is_found(tree: Path, rule: str, line: str) -> None:
    (tree / "calendar_service" / "web" / "planted.py").write_text(f"\n{line}\n", "utf-8")
    status, output = run(sys.executable, tree / ".ci" / "check_security.py")
    assert (status, output.partition(": ")[0]) == (1, "calendar_service/web/planted.py:2")
    assert {one.split(": ")[1] for one in output.splitlines()} == {rule}


def test_a_template_that_does_not_escape_is_found(tree: Path) -> None:
    (tree / "templates" / "planted.html").write_text("{{ name | safe }}\n", "utf-8")
    assert run(sys.executable, tree / ".ci" / "check_security.py")[1].startswith("templates/planted.html:1: ")


@pytest.mark.parametrize(
    "line",
    [
        "is_right = hmac.compare_digest(given, self.secret)",
        "is_empty = secret == ''",
        "seconds = int(moment.timestamp())",
        "hours = int(text[1:3])",
        "subprocess.run([command], shell=False)",
        "log.failure('worker.trouble', error)",
        "answer = redirect('/settings')",
    ],
)
def test_what_is_right_passes(tree: Path, line: str) -> None:
    (tree / "calendar_service" / "web" / "right.py").write_text(f"{line}\n", "utf-8")
    assert run(sys.executable, tree / ".ci" / "check_security.py") == (0, "")


# --- bandit ---


def test_bandit_finds_what_was_planted(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("import subprocess\nsubprocess.Popen(name, shell=True)\n", "utf-8")
    status, output = run(BANDIT, "--quiet", "--recursive", "--severity-level", "medium", tmp_path)
    assert (status, "B602" in output) == (1, True)


# --- secrets ---


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("docs/notes.md", "-----BEGIN " + "PRIVATE KEY-----"),
        ("tests/test_x.py", 'password = "' + "correct-horse-battery-staple" + '"'),
        ("deploy/url.conf", "https://somebody:" + "Zk3v9Qp2@example.com/"),
        ("calendar_service/x.py", 'KEY = "' + "q7Gk2VbT9xWz" + "L4mRfYs8PdNcJh3A" + '"'),
        ("README.md", "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0." + "c2lnbmF0dXJlLW9mLTMyLWJ5dGVz"),
    ],
)
def test_a_secret_in_the_tree_is_found(tree: Path, file: str, line: str) -> None:
    (tree / file).parent.mkdir(exist_ok=True)
    (tree / file).write_text(f"\n{line}\n", "utf-8")
    status, output = run(sys.executable, tree / ".ci" / "check_secrets.py")
    assert (status, output.partition(": ")[0]) == (1, f"{file}:2")


def test_a_constant_that_is_known_passes_until_it_changes(tree: Path) -> None:
    place = tree / "calendar_service" / "x.py"
    place.write_text('password = "' + "correct-horse-battery-staple" + '"\n', "utf-8")
    assert run(sys.executable, tree / ".ci" / "check_secrets.py", "--write") == (0, "")
    assert run(sys.executable, tree / ".ci" / "check_secrets.py") == (0, "")
    place.write_text('password = "' + "another-horse-battery-staple" + '"\n', "utf-8")
    assert run(sys.executable, tree / ".ci" / "check_secrets.py")[0] == 1
