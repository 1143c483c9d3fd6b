"""No secret stands in the repository. Every text file is searched by detect-secrets, offline.

What it takes for a secret and is none stands in `.ci/known_constants.json`, by file and hash: `--write` writes it anew.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT: Final = Path(__file__).parent.parent
KNOWN: Final = ".ci/known_constants.json"
TOPS: Final = (
    "bench",
    "calendar_service",
    "deploy",
    "docs",
    "faults",
    "local_google",
    "templates",
    "tests",
    ".ci",
)
WITHOUT: Final = {"__pycache__", "node_modules"}
KINDS: Final = {
    ".css",
    ".html",
    ".json",
    ".lua",
    ".md",
    ".mjs",
    ".po",
    ".py",
    ".sh",
    ".toml",
    ".yaml",
    ".conf",
    ".acl",
    "",
}
SETTINGS: Final = {
    "plugins_used": [
        {"name": "Base64HighEntropyString", "limit": 4.5},
        {"name": "HexHighEntropyString", "limit": 3.0},
        *(
            {"name": f"{kind}Detector"}
            for kind in ("BasicAuth", "JwtToken", "Keyword", "PrivateKey", "GitHubToken")
        ),
    ],
    "filters_used": [
        {"path": f"detect_secrets.filters.heuristic.{name}"}
        for name in (
            "is_sequential_string",
            "is_potential_uuid",
            "is_likely_id_string",
            "is_templated_secret",
        )
    ],
}


def files(root: Path) -> Iterator[Path]:
    """Yield every text file of the repository but the locks, which are full of hashes."""
    places = [path for path in root.iterdir() if path.is_file() and path.suffix != ".lock"]
    for top in TOPS:
        places += (root / top).rglob("*")
    for path in sorted(places):
        parts = path.relative_to(root).parts
        if (
            path.is_file()
            and path.suffix in KINDS
            and not WITHOUT & {*parts}
            and path.name != "package-lock.json"
        ):
            yield path


def suspects(root: Path) -> dict[str, dict[str, int]]:
    """Return by file the hash of each text that looks like a secret, with its line."""
    by_file: dict[str, dict[str, int]] = defaultdict(dict)
    with transient_settings(SETTINGS):
        for path in files(root):
            if path != root / KNOWN:
                secrets = SecretsCollection()
                secrets.scan_file(str(path))
                for _, secret in secrets:
                    by_file[path.relative_to(root).as_posix()][secret.secret_hash] = secret.line_number
    return by_file


def main(arguments: list[str]) -> int:
    """Print every text that is not known; return the exit status."""
    now = suspects(ROOT)
    if "--write" in arguments:
        known = {file: sorted(lines) for file, lines in sorted(now.items())}
        (ROOT / KNOWN).write_text(json.dumps(known, indent=2) + "\n", "utf-8")
        return 0
    known = json.loads((ROOT / KNOWN).read_text("utf-8"))
    status = 0
    for file, lines in now.items():
        for digest, line in lines.items():
            if digest not in known.get(file, ()):
                sys.stdout.write(
                    f"{file}:{line}: this looks like a secret: take it out and replace it everywhere. "
                    f"If it is none: python .ci/check_secrets.py --write\n"
                )
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
