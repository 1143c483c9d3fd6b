"""What is installed is what is locked: the bill of materials, and hashes that pip compares."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
LOCK: Final = ROOT / "requirements-production.lock"
MAKEFILE: Final = (ROOT / "Makefile").read_text("utf-8")
PIP: Final = (
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--no-deps",
    "--no-index",
    "--only-binary",
    ":all:",
)


def test_the_bill_of_materials_has_every_locked_component_and_no_other(tmp_path: Path) -> None:
    recipe = MAKEFILE.partition("\nsbom: ")[2].partition("\n\n")[0]
    command = re.search(r"cyclonedx-py (.*)", recipe.replace("\\\n", ""))
    assert command
    words = command[1].replace("artefacts/sbom.json", str(tmp_path / "sbom.json")).split()
    subprocess.run(
        [Path(sys.executable).with_name("cyclonedx-py"), *words], cwd=ROOT, capture_output=True, check=True
    )
    bill = json.loads((tmp_path / "sbom.json").read_text("utf-8"))
    components = {(one["name"], one["version"]) for one in bill["components"]}
    assert components == {
        *re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", LOCK.read_text("utf-8"), re.MULTILINE)
    }
    assert bill["metadata"]["component"]["name"] == "calendar-service"


@pytest.mark.parametrize(("change", "status"), [("", 0), ("0", 1)])
def test_pip_refuses_a_wheel_with_another_hash(tmp_path: Path, change: str, status: int) -> None:
    wheel = tmp_path / "sample-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("sample.py", "")
        archive.writestr(
            "sample-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n"
        )
        archive.writestr(
            "sample-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("sample-1.0.dist-info/RECORD", "")
    right = sha256(wheel.read_bytes()).hexdigest()
    digest = change + right[len(change) :] if right[0] != "0" or not change else "1" + right[1:]
    (tmp_path / "lock").write_text(f"sample==1.0 --hash=sha256:{digest}\n", "utf-8")
    done = subprocess.run(
        [
            sys.executable,
            *PIP,
            "--require-hashes",
            "--find-links",
            tmp_path,
            "-r",
            tmp_path / "lock",
            "--target",
            tmp_path / "to",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, "DO NOT MATCH THE HASHES" in done.stderr) == (status, bool(status)), done.stderr


def test_every_installation_compares_hashes_and_builds_nothing() -> None:
    for text in (MAKEFILE.replace("\\\n", ""), (ROOT / "Dockerfile").read_text("utf-8").replace('", "', " ")):
        installs = [
            line for line in text.splitlines() if re.search(r"install .*-r (requirements|\$\(1\))", line)
        ]
        assert installs
        assert all(re.search(r"--require-hashes\s+--only-binary :all:", line) for line in installs)


def test_wheel_and_sdist_are_the_same_whenever_and_wherever_they_are_built(tmp_path: Path) -> None:
    built: list[dict[str, bytes]] = []
    for number, name in enumerate(("one", "another-place")):
        copy = tmp_path / name / "source"
        shutil.copytree(ROOT / ".ci", copy / ".ci", ignore=shutil.ignore_patterns("__pycache__"))
        for part in ("pyproject.toml", "README.md", "calendar_service", "local_google", "templates"):
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        for path in copy.rglob("*"):
            os.utime(path, (number * 86_400 + 10**9,) * 2)  # another day of the checkout
            path.chmod(0o755 if path.is_dir() or number else 0o600)
        done = subprocess.run(
            [sys.executable, copy / ".ci" / "build_dist.py", tmp_path / name / "dist"],
            env={"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1767225600"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        built.append({path.name: path.read_bytes() for path in (tmp_path / name / "dist").iterdir()})
    assert sorted(built[0]) == [
        "calendar_service-0.1.0-py3-none-any.whl", "calendar_service-0.1.0.tar.gz"
    ]  # fmt: skip
    assert built[0] == built[1]
    with zipfile.ZipFile(tmp_path / "one" / "dist" / "calendar_service-0.1.0-py3-none-any.whl") as wheel:
        folders = {name.split("/")[0] for name in wheel.namelist()}
    assert folders == {
        "calendar_service", "calendar_service_templates", "local_google", "calendar_service-0.1.0.dist-info"
    }  # fmt: skip


def test_without_a_time_nothing_is_built(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "build_dist.py", tmp_path / "dist"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Set SOURCE_DATE_EPOCH" in done.stderr) == (2, True)
    assert not (tmp_path / "dist").exists()
