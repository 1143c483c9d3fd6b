"""Parses the database's address and checks it, without connecting. Its messages never quote a password."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from calendar_service.config.faults import ValueRefused
from calendar_service.domain.numbers import whole_number
from calendar_service.domain.secret import Secret

_ADDRESS = re.compile(
    r"(?P<base>rediss?)(?:\+(?P<kind>cluster|sentinel))?://"
    r"(?P<login>[^@/?#]*@)?(?P<hosts>[^@/?#]+)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
_SOCKET = re.compile(r"unix://(?:[^@/]*@)?/[^?#]+(?:\?(?P<query>[^#]*))?")
_FORM = "write redis://, rediss:// (each also with +cluster or +sentinel) or unix:// and an address"
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(?P<port>\d{1,5}))?")
_MOST_COPIES = 5


class DatabaseKind(StrEnum):
    """What kind of deployment an address names."""

    SERVER = "server"
    SENTINELS = "sentinel"
    CLUSTER = "cluster"


_PORTS = {DatabaseKind.SERVER: 6379, DatabaseKind.SENTINELS: 26379, DatabaseKind.CLUSTER: 6379}


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A parsed address."""

    kind: DatabaseKind
    url: Secret
    """The URL of one server for the client library, with login, database number and TLS options."""
    hosts: tuple[tuple[str, int], ...]
    """Sentinels, or the cluster's first nodes."""
    primary: str
    """The name under which sentinels know the primary."""
    copies: int
    """At least so many replicas must have a write before it is acknowledged."""
    on_this_host: bool
    encrypted: bool

    @property
    def shown(self) -> str:
        """The address for people and the log: no user, no password, no options; odd characters are `_`."""
        if self.hosts:
            kind = "" if self.kind is DatabaseKind.SERVER else f"+{self.kind}"
            hosts = ",".join(
                f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name, port in self.hosts
            )
            text = f"redis{'s' if self.encrypted else ''}{kind}://{hosts}{f'/{self.primary}' if self.primary else ''}"
        else:
            path = re.sub(r"^unix://([^@/]*@)?", "", self.url.reveal().partition("?")[0])
            text = f"unix://{path}"
        return re.sub(r"[^A-Za-z0-9:/.,_+\[\]-]", "_", text)[:200]


def database(text: str) -> DatabaseAddress:
    """Return the address, or raise `ValueRefused`: unknown form, or TLS that does not verify."""
    socket = _SOCKET.fullmatch(text)
    if socket:
        copies, query = _copies(socket["query"])
        url = Secret(text.partition("?")[0] + query)
        return DatabaseAddress(DatabaseKind.SERVER, url, (), "", copies, on_this_host=True, encrypted=False)
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueRefused(("is not a database address", _FORM))
    kind = DatabaseKind(match["kind"] or "server")
    encrypted = match["base"] == "rediss"
    if encrypted:
        _require_verification(dict(parse_qsl(match["query"] or "", keep_blank_values=True)))
    hosts = _hosts(match["hosts"], kind)
    primary, path = _primary(match["path"] or "", kind)
    copies, query = _copies(match["query"])
    name, port = hosts[0]
    first = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
    return DatabaseAddress(
        kind,
        Secret(f"{match['base']}://{match['login'] or ''}{first}{path}{query}"),
        hosts,
        primary,
        copies,
        on_this_host=all(_is_loopback(name) for name, _ in hosts),
        encrypted=encrypted,
    )


def _hosts(text: str, kind: DatabaseKind) -> tuple[tuple[str, int], ...]:
    matches = [_HOST.fullmatch(one) for one in text.split(",")]
    if not all(matches) or (kind is DatabaseKind.SERVER and len(matches) > 1):
        raise ValueRefused(("is not a database address", _FORM))
    return tuple((one["name"].strip("[]"), int(one["port"] or _PORTS[kind])) for one in matches if one)


def _primary(path: str, kind: DatabaseKind) -> tuple[str, str]:
    """Return the name under which sentinels know the primary (else empty), and the path with the database's number."""
    if kind is not DatabaseKind.SENTINELS:
        return "", path
    name, _, number = path.removeprefix("/").partition("/")
    if not name:
        raise ValueRefused(
            ("does not name the primary", "write redis+sentinel://host:26379/NAME, as sentinels know it")
        )
    return name, f"/{number}" if number else ""


def _copies(query: str | None) -> tuple[int, str]:
    """Return how many replicas must have a write at least, and the query without that option."""
    options = parse_qsl(query or "", keep_blank_values=True)
    copies = whole_number(dict(options).get("copies", "0"), _MOST_COPIES)
    if copies is None:
        raise ValueRefused((f"has copies that are no number from 0 to {_MOST_COPIES}", "write ?copies=1"))
    others = urlencode([(name, value) for name, value in options if name != "copies"])
    return copies, f"?{others}" if others else ""


def _require_verification(options: Mapping[str, str]) -> None:
    # The client library would connect with ssl_cert_reqs=none, open to any attacker on the way.
    reasons = []
    if options.get("ssl_cert_reqs", "required") != "required":
        reasons.append(("does not verify the database's certificate", "leave out ssl_cert_reqs"))
    if options.get("ssl_check_hostname", "true").lower() not in {"true", "1", "yes"}:
        reasons.append(("does not verify the database's host name", "leave out ssl_check_hostname"))
    if reasons:
        raise ValueRefused(*reasons)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
