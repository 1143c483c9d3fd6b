"""`make dist`: wheel and sdist, byte for byte the same whoever builds one commit with the locked tools, and when.

python .ci/build_dist.py FOLDER     SOURCE_DATE_EPOCH: seconds, the time of every file inside; a commit's own is meant
"""

import gzip
import io
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from setuptools import build_meta

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCES: Final = ("pyproject.toml", "README.md", "calendar_service", "local_google", "templates")
"""What is built from, as in the Dockerfile."""


def main(arguments: list[str]) -> int:
    """Build into the folder of the arguments; return the exit status."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if len(arguments) != 1 or not (epoch.isascii() and epoch.isdigit() and len(epoch) <= 11):
        sys.stderr.write(
            "Set SOURCE_DATE_EPOCH to a number of seconds, and name one folder: see `make dist`.\n"
        )
        return 2
    target = Path(arguments[0]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        # A copy, because setuptools takes files over from a folder in which it was built before.
        for name in SOURCES:
            _copy(ROOT / name, Path(place) / name)
        for path in Path(place).rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask of the checkout was
        os.chdir(place)
        build_meta.build_wheel(str(target))
        sdist = target / build_meta.build_sdist(str(target))
        os.chdir(ROOT)
    sdist.write_bytes(_timeless(sdist, int(epoch)))
    return 0


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    else:
        shutil.copy(source, target)


def _timeless(sdist: Path, epoch: int) -> bytes:
    """Return the archive in the order of its names, each file of that time and of nobody."""
    plain, packed = io.BytesIO(), io.BytesIO()
    with (
        tarfile.open(sdist) as former,
        tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in sorted(former.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() else 0o644
            member.pax_headers = {}
            archive.addfile(member, former.extractfile(member) if member.isfile() else None)
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=epoch) as stream:
        stream.write(plain.getvalue())
    return packed.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
