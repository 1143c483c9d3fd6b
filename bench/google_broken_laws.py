"""Breaks one law of Google in each chapter of the local Google; the chapter's tests have to fail.

Works on a copy. Prints a table. Exits 1 if a broken law was not noticed, or if the text to replace is not there.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("local_google")


class Break(NamedTuple):
    """One change of the source, and the chapter whose tests have to notice it."""

    chapter: str
    law: str
    file: str
    old: str
    new: str


BREAKS = [
    Break(
        "oauth_authorization",
        "a redirect URI matches to the letter",
        "oauth/request.py",
        "redirect_uri not in client.redirect_uris",
        "not redirect_uri.startswith(client.redirect_uris[0])",
    ),
    Break(
        "oauth_tokens",
        "a wrong verifier is refused",
        "oauth/token.py",
        "challenge != code.challenge",
        "not challenge",
    ),
    Break(
        "oauth_death",
        "a revocation kills the whole project's grants",
        "oauth/grants.py",
        "    revoke_all(context, token.account, token.project)\n",
        "    token.dead_at = context.now()\n",
    ),
    Break(
        "calendars",
        "without a zone a calendar is in UTC",
        "calendar/calendars.py",
        '_zone_of(body, "UTC")',
        "_zone_of(body, call.account.time_zone)",
    ),
    Break(
        "events",
        "a deleted event keeps its id",
        "calendar/events.py",
        "if taken is not None and not call",
        "if taken is not None and not taken.cancelled and not call",
    ),
    Break(
        "events", "an older etag is refused", "calendar/call.py", "etag not in", "not etag and etag not in"
    ),
    Break(
        "lists",
        "a sync token tells deletions",
        "calendar/event_list.py",
        "event.change > since]",
        "event.change > since and not event.cancelled]",
    ),
    Break(
        "errors",
        "a narrower scope is insufficient",
        "calendar/api.py",
        "if not method.scopes.intersection(scopes)",
        "if not scopes",
    ),
    Break(
        "push",
        "a channel's id serves once",
        "calendar/channels.py",
        "if identifier in call.context.books.channels",
        "if identifier in ()",
    ),
    Break("batch", "a batch has at most fifty parts", "calendar/batch.py", "MOST = 50", "MOST = 1000"),
    Break(
        "faults",
        "a cut before the commit leaves nothing",
        "application.py",
        'before = effect.get("cut") == "before_commit" or ',
        "before = ",
    ),
    Break("books", "numbers go on after a restart", "state/books.py", "        self._go_on_counting()\n", ""),
    Break("wire", "two lengths are ambiguous", "protocol/reader.py", 'or "content-length" in headers', ""),
    Break(
        "pages", "text of events is shown as text", "rendering/page.py", "autoescape=True", "autoescape=False"
    ),
    Break(
        "witnesses",
        "Flow's Basic header is taken",
        "oauth/token.py",
        'if scheme.lower() == "basic"',
        'if scheme.lower() == "digest"',
    ),
]


def noticed(place: Path, broken: Break) -> tuple[bool, str]:
    """Break the law in the copy, run the chapter's tests, restore the file; return whether a test failed, and which."""
    file = place / PACKAGE / broken.file
    whole = file.read_text()
    if broken.old not in whole:
        raise SystemExit(f"not found in {broken.file}: {broken.old}")
    file.write_text(whole.replace(broken.old, broken.new))
    command = [sys.executable, "-m", "pytest", "-q", "-x", f"tests/local_google/test_{broken.chapter}.py"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    file.write_text(whole)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    return done.returncode == 1 and bool(failed), failed[0].split("::")[-1].split(" ")[0] if failed else "-"


def main() -> int:
    """Break each law in turn."""
    missed = 0
    print("| chapter | law broken | noticed by |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        skip = shutil.ignore_patterns("__pycache__")
        for part in ("calendar_service", "local_google", "templates", "tests"):
            shutil.copytree(ROOT / part, place / part, ignore=skip, symlinks=True)
        shutil.copy(ROOT / "pyproject.toml", place)
        for broken in BREAKS:
            caught, by = noticed(place, broken)
            missed += not caught
            print(f"| {broken.chapter} | {broken.law} | {by if caught else 'NOBODY'} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
