"""Files with new keys, for the user that will read them. No file is ever replaced."""

import grp
import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from calendar_service.domain.numbers import whole_number

_LARGEST = 2**31 - 1
_UNCHANGED = -1
"""What `chown` takes for "as it is"."""
_MODES = (0o400, 0o440, 0o600, 0o640)
"""Everybody but the owner and the group is kept out, and the group changes nothing."""


@dataclass(frozen=True, slots=True)
class KeyReader:
    """Who may read the files."""

    user: int
    group: int
    mode: int

    @classmethod
    def of(cls, owner: str, mode: str) -> "KeyReader":
        """Return the reader of `USER[:GROUP]` and an octal mode, or raise `click.UsageError`. Empty: this user."""
        user, _, group = owner.partition(":")
        reader = cls(_user(user), _group(group), _mode(mode))
        if os.geteuid() and (reader.user not in {_UNCHANGED, os.geteuid()} or reader.group != _UNCHANGED):
            raise click.UsageError(
                f"Only root may give files to {owner}: type the command with sudo, or leave --owner out and "
                f"`chown {owner}` the directory and the files afterwards."
            )
        return reader

    def enter(self, folder: Path) -> None:
        """Make a directory that the reader can enter; raise `click.UsageError` if one is there that it cannot."""
        if folder.exists():
            self._require_entrance(folder)
            return
        folder.mkdir(mode=0o700, parents=True)
        os.chown(folder, self.user, self.group)
        folder.chmod(0o750 if self.mode & 0o040 else 0o700)

    def write(self, path: Path, text: str) -> None:
        """Write a new file; nobody else can read it at any moment."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchown(descriptor, self.user, self.group)
            os.fchmod(descriptor, self.mode)
            file.write(f"{text}\n")

    def _require_entrance(self, folder: Path) -> None:
        status = folder.stat()
        may = 0o001
        if self.user in {_UNCHANGED, status.st_uid}:
            may = 0o100
        elif self.group == status.st_gid:
            may = 0o010
        if not status.st_mode & may:
            raise click.UsageError(
                f"{folder} is there and does not let user {self.user} in: `chown {self.user} {folder}`."
            )


def write_keys(folder: Path, variables: dict[str, str], reader: KeyReader) -> dict[str, str]:
    """Write each value to a file of its variable's name; return the `_FILE` variables. All files or none."""
    paths = {
        name: folder.absolute() / name.removeprefix("CALENDAR_").replace("_", "-").lower()
        for name in variables
    }
    for path in paths.values():
        if path.exists():
            raise click.UsageError(f"{path} is there already; a key is never replaced.")
    reader.enter(folder.absolute())
    for name, path in paths.items():
        reader.write(path, variables[name])
    return {f"{name}_FILE": str(path) for name, path in paths.items()}


def _user(text: str) -> int:
    return _number("user", text, lambda name: pwd.getpwnam(name).pw_uid)


def _group(text: str) -> int:
    return _number("group", text, lambda name: grp.getgrnam(name).gr_gid)


def _number(kind: str, text: str, find: Callable[[str], int]) -> int:
    """Return the number of a user or a group that is given by number or name; `_UNCHANGED` for an empty text."""
    if not text:
        return _UNCHANGED
    number = whole_number(text, _LARGEST)
    if number is not None:
        return number
    try:
        return find(text)
    except KeyError:
        raise click.UsageError(f"--owner: this host knows no {kind} `{text}`; give its number.") from None


def _mode(text: str) -> int:
    for mode in _MODES:
        if text.removeprefix("0") == f"{mode:o}":
            return mode
    raise click.UsageError(f"--mode {text} is none of {', '.join(f'{mode:o}' for mode in _MODES)}.")
