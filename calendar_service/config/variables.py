"""Reads the variables of one environment and collects their faults."""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from calendar_service.config.faults import ConfigurationFault, ValueRefused
from calendar_service.config.secrets import FileSecret, FixedSecret
from calendar_service.domain.numbers import whole_number

Value = TypeVar("Value")
AnySecret = FileSecret[Value] | FixedSecret[Value]

SECRETS = (
    "CALENDAR_REDIS_URL",
    "CALENDAR_KEYRING",
    "CALENDAR_IDENTITY_KEY",
    "CALENDAR_SIGNING_KEY",
    "CALENDAR_API_KEYS",
    "CALENDAR_WEBHOOK_SECRET",
    "CALENDAR_GOOGLE_CLIENT_SECRET",
)
TEST_VARIABLES = ("CALENDAR_TEST_CLOCK", "CALENDAR_TEST_SKEW", "CALENDAR_TEST_LIMITS", "CALENDAR_FAILPOINTS")
GOOGLE_OVERRIDES = (
    "CALENDAR_GOOGLE_AUTH_URI",
    "CALENDAR_GOOGLE_TOKEN_URI",
    "CALENDAR_GOOGLE_REVOKE_URI",
    "CALENDAR_GOOGLE_API_ENDPOINT",
)
NAMES = (
    "CALENDAR_PUBLIC_URL",
    "CALENDAR_PORT",
    "CALENDAR_GOOGLE_PORT",
    "CALENDAR_WORKER_METRICS_PORT",
    "CALENDAR_DATA_DIR",
    "CALENDAR_ENVIRONMENT",
    "CALENDAR_OPERATOR",
    "CALENDAR_DATABASE_DECLARED",
    "CALENDAR_WEBHOOK_URL",
    "CALENDAR_GOOGLE_CLIENT_ID",
    *GOOGLE_OVERRIDES,
    *TEST_VARIABLES,
    *SECRETS,
    *(f"{name}_FILE" for name in SECRETS),
)

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+")
_FAILPOINT = re.compile(r"([a-z0-9_.-]+):(exit|pause|raise)")


class Variables:
    """One environment. Its methods record faults instead of raising them, and return a default or None then."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {name: value.strip() for name, value in environ.items() if value.strip()}
        self.faults: list[ConfigurationFault] = []

    def refuse(self, where: str, what: str, remedy: str) -> None:
        """Record a fault."""
        self.faults.append(ConfigurationFault(where, what, remedy))

    def is_set(self, name: str) -> bool:
        """Tell whether the variable has a value."""
        return name in self._environ

    def text(self, name: str, default: str = "") -> str:
        """Return the value, or the default."""
        return self._environ.get(name, default)

    def required(self, name: str, remedy: str) -> str:
        """Return the value; its absence is a fault."""
        if name not in self._environ:
            self.refuse(name, "is not set", remedy)
        return self.text(name)

    def misspelt(self) -> None:
        """Record a fault for each name that is almost one of ours, so that a typo does not count as "not set"."""
        for name in sorted(self._environ):
            if not name.startswith("CALENDAR") or name in NAMES:
                continue
            close = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.9)
            if name.removesuffix("_FILE") in NAMES:
                self.refuse(name, "does not exist: only secrets are read from files", "set it without _FILE")
            elif close:
                self.refuse(name, "is not a variable of this service", f"if you mean {close[0]}, rename it")

    def port(self, name: str, default: int) -> int:
        """Return a TCP port."""
        port = whole_number(self.text(name, str(default)), 65535)
        if port:
            return port
        self.refuse(name, "is not a port", "give a number from 1 to 65535")
        return default

    def port_if_set(self, name: str) -> int | None:
        """Return a TCP port; None if unset."""
        return self.port(name, 0) if self.is_set(name) else None

    def seconds(self, name: str) -> float:
        """Return a number of seconds, 0 if unset."""
        try:
            return float(self.text(name, "0"))
        except ValueError:
            self.refuse(name, "is not a number", "give seconds, such as -90 or 3600.5")
            return 0.0

    def origin(self, name: str, remedy: str) -> str:
        """Return an http or https origin (no path), without a trailing slash; required."""
        text = self.required(name, remedy).rstrip("/")
        if text and not (_ORIGIN.fullmatch(text) and _parses(text)):
            self.refuse(
                name, "is not an origin", "give scheme, host and, if need be, port: no path, no user name"
            )
        return text

    def address(self, name: str, default: str = "") -> str:
        """Return an http or https address."""
        text = self.text(name, default)
        if text and not (text.startswith(("https://", "http://")) and _parses(text)):
            self.refuse(name, "is not an http or https address", "give scheme, host and path")
        return text

    def is_off(self, name: str) -> bool:
        """Tell whether the variable says `off`, the one value that it takes."""
        text = self.text(name)
        if text not in {"", "off"}:
            self.refuse(name, "is not off", "write off, or unset it")
        return text == "off"

    def parsed(self, name: str, parse: Callable[[str], Value]) -> Value | None:
        """Return what `parse` makes of the value; None if it is not set."""
        if not self.is_set(name):
            return None
        try:
            return parse(self.text(name))
        except ValueRefused as refused:
            for what, how in refused.args:
                self.refuse(name, what, how)
            return None

    def failpoints(self, name: str) -> dict[str, str]:
        """Return the action at each named step."""
        points: dict[str, str] = {}
        for entry in filter(None, (part.strip() for part in self.text(name).split(","))):
            match = _FAILPOINT.fullmatch(entry)
            if match is None:
                self.refuse(name, "has an entry of another form", "write name:exit, name:pause or name:raise")
            else:
                points[match[1]] = match[2]
        return points

    def secret(self, name: str, parse: Callable[[str], Value], remedy: str = "") -> AnySecret[Value] | None:
        """Return a secret from `name`, or from the file that `name`_FILE names; required if there is a remedy."""
        by_file = f"{name}_FILE"
        if self.is_set(name) and self.is_set(by_file):
            self.refuse(name, f"is set, and {by_file} too", "keep one of the two")
            return None
        where = by_file if self.is_set(by_file) else name
        if not self.is_set(where):
            if remedy:
                self.refuse(name, "is not set", remedy)
            return None
        try:
            if where == by_file:
                return FileSecret(Path(self.text(by_file)), parse)
            return FixedSecret(parse(self.text(name)))
        except PermissionError:
            self.refuse(
                where,
                f"names a file that user {os.geteuid()} may not read",
                f"let this user read it and enter its directory, such as `chown {os.geteuid()} FILE` "
                "(`calendar-service keys new --into DIRECTORY --owner USER` does so)",
            )
        except OSError as error:
            self.refuse(
                where, f"names a file that cannot be read ({os.strerror(error.errno or 0)})", "mend the path"
            )
        except UnicodeDecodeError:
            self.refuse(where, "names a file that is not text", "mend the path")
        except ValueRefused as refused:
            for what, how in refused.args:
                self.refuse(where, what, how)
        return None


def _parses(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            bool(parts.hostname) and parts.username is None and (parts.port or 1) > 0 and not parts.fragment
        )
    except ValueError:
        return False
