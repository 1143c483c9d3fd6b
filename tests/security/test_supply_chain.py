"""What is installed is what is locked: the bill of materials, and hashes that pip compares."""

import json
import re
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
        installs = [line for line in text.splitlines() if re.search(r"install .*-r requirements", line)]
        assert len(installs) == 1
        assert re.search(r"--require-hashes\s+--only-binary :all:", installs[0])
