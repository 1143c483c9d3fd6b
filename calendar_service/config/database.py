"""The database's address checked before anybody connects. Must not connect, and never repeats a password."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from calendar_service.config.faults import Refused
from calendar_service.domain.secret import Secret

_ADDRESS = re.compile(
    r"(?P<scheme>rediss?(\+cluster|\+sentinel)?)://(?:[^@/?#]*@)?(?P<hosts>[^@/?#]+)(?:/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
_SOCKET = re.compile(r"unix://(?:[^@/]*@)?(?P<path>/[^?#]+)(?:\?(?P<query>[^#]*))?")
_FORM = "write redis://, rediss:// (each also with +cluster or +sentinel) or unix:// and an address"


@dataclass(frozen=True, slots=True)
class Database:
    """An address that was understood."""

    url: Secret
    on_this_host: bool
    encrypted: bool


def database(text: str) -> Database:
    """Return the address, or raise `Refused`: unknown form, or TLS that does not verify (T3)."""
    socket = _SOCKET.fullmatch(text)
    if socket:
        return Database(Secret(text), on_this_host=True, encrypted=False)
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise Refused(("is not a database address", _FORM))
    encrypted = match["scheme"].startswith("rediss")
    if encrypted:
        _require_verification(dict(parse_qsl(match["query"] or "", keep_blank_values=True)))
    local = all(_is_loopback(host) for host in match["hosts"].split(","))
    return Database(Secret(text), on_this_host=local, encrypted=encrypted)


def _require_verification(options: Mapping[str, str]) -> None:
    # The client connects happily with ssl_cert_reqs=none (measured), so the option is refused here.
    reasons = []
    if options.get("ssl_cert_reqs", "required") != "required":
        reasons.append(("does not verify the database's certificate", "leave out ssl_cert_reqs"))
    if options.get("ssl_check_hostname", "true").lower() not in {"true", "1", "yes"}:
        reasons.append(("does not verify the database's host name", "leave out ssl_check_hostname"))
    if reasons:
        raise Refused(*reasons)


def _is_loopback(host_and_port: str) -> bool:
    bracketed = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::\d+)?", host_and_port)
    host = bracketed[1] if bracketed else host_and_port.partition(":")[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
