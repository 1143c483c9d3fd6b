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
        "state/clients.py",
        "return redirect_uri in self.redirect_uris",
        "return redirect_uri.startswith(self.redirect_uris[0])",
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
        '_zone_of(call, body, "UTC")',
        "_zone_of(call, body, call.account.time_zone)",
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
        "oauth_authorization",
        "a Desktop client stays on loopback",
        "state/clients.py",
        "parts.hostname in LOOPBACK and ",
        "",
    ),
    Break(
        "oauth_authorization",
        "approval_prompt does not go with prompt",
        "oauth/request.py",
        'if approval is not None and "prompt" in query',
        "if False",
    ),
    Break(
        "oauth_identity",
        "a nonce comes back",
        "oauth/id_token.py",
        '        claims["nonce"] = nonce\n',
        "        pass\n",
    ),
    Break(
        "oauth_identity",
        "an address needs its scope",
        "oauth/id_token.py",
        'if ALIASES["email"] in token.scopes:',
        "if token.scopes:",
    ),
    Break(
        "oauth_tokens",
        "another client's refresh token is no dead grant",
        "oauth/token.py",
        'raise TokenError("unauthorized_client", "Unauthorized", 401)',
        'raise TokenError("invalid_grant", "Bad Request")',
    ),
    Break(
        "oauth_tokens",
        "a refresh takes short scope names",
        "oauth/token.py",
        'wanted = scopes.in_full((first(request.form, "scope") or " ".join(held.scopes)).split())',
        'wanted = (first(request.form, "scope") or " ".join(held.scopes)).split()',
    ),
    Break(
        "calendars",
        "freeBusy is for ninety days at most",
        "calendar/settings.py",
        "90 * 86400",
        "900 * 86400",
    ),
    Break(
        "calendars",
        "a colour shows",
        "calendar/colours.py",
        'settings.get("backgroundColor") or colour["background"]',
        'settings.get("backgroundColor") or "#ac725e"',
    ),
    Break(
        "calendars",
        "Calendar can be off for a person",
        "calendar/api.py",
        'if not {"*", account.email}.isdisjoint',
        'if not {"*"}.isdisjoint',
    ),
    Break(
        "calendars",
        "zones are Google's own list",
        "zones.py",
        "if name in _names() else None",
        'if name in {*_names(), "localtime"} else None',
    ),
    Break(
        "events",
        "several errors come together",
        "errors.py",
        "    refusals[0].more = refusals[1:]\n",
        "",
    ),
    Break(
        "events",
        "a guest needs a possible address",
        "calendar/event_rules.py",
        'if not _EMAIL.match(guest["email"])',
        'if "@" not in guest["email"]',
    ),
    Break(
        "events",
        "more guests than asked for are omitted",
        "calendar/event_views.py",
        '"attendeesOmitted": True}',
        '"attendeesOmitted": False}',
    ),
    Break(
        "events",
        "only default events move",
        "calendar/events.py",
        'if event.resource["eventType"] != "default":',
        "if False:",
    ),
    Break(
        "events",
        "an import becomes a default event",
        "calendar/events.py",
        "if name not in OF_A_TYPE}",
        "}",
    ),
    Break(
        "events",
        "a stub cannot be revived",
        "calendar/events.py",
        "    if event.is_stub:",
        "    if False:",
    ),
    Break(
        "lists",
        "q looks at guests",
        "calendar/event_list.py",
        'people = [resource["organizer"], *resource.get("attendees", ())]',
        'people = [resource["organizer"]]',
    ),
    Break(
        "transport",
        "an override never inserts",
        "calendar/api.py",
        "return replace(request, method=wanted) if wanted in OVERRIDES else request",
        "return request",
    ),
    Break(
        "transport",
        "gzip needs a user agent",
        "application.py",
        'for name in ("accept-encoding", "user-agent"))',
        'for name in ("accept-encoding",))',
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
