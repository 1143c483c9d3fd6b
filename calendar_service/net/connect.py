"""Opens a connection: name look-up, TCP and TLS within one deadline. Uses no proxy and sends no request."""

import ipaddress
import queue
import socket
import ssl
import threading
from typing import Any

from calendar_service.net.deadline import Deadline

_IGNORE_UNEXPECTED_EOF = 0x80
"""SSL_OP_IGNORE_UNEXPECTED_EOF of OpenSSL 3, which the ssl module of Python 3.11 does not name."""
_LOOKUPS = threading.BoundedSemaphore(8)  # at most this many threads wait for a resolver that does not answer


class NotDelivered(Exception):
    """The connection was never opened, so no byte of the request left this process; `fault` says why."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a verifying context that accepts TLS 1.2 and later (clause ST-2, RFC 9325).

    `ca_file` replaces the system's certificate authorities.
    The library's default context is not used, because it writes session keys to SSLKEYLOGFILE.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Some builds of Python set it. An attacker who cuts the TCP stream could then pass off half an answer as whole.
    context.options &= ~_IGNORE_UNEXPECTED_EOF
    if ca_file is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=ca_file)
    return context


def open_connection(
    host: str, port: int, context: ssl.SSLContext | None, deadline: Deadline
) -> socket.socket:
    """Return a connected socket, with TLS if a context is given; raise `NotDelivered` otherwise."""
    if not host:
        raise NotDelivered("unreachable")  # the resolver would take an empty name for this machine
    try:
        sock = _connect(host, port, deadline)
        return sock if context is None else _secure(sock, host, context, deadline)
    except TimeoutError:
        raise NotDelivered("timeout") from None
    except ssl.SSLError:
        raise NotDelivered("tls") from None
    except ConnectionRefusedError:
        raise NotDelivered("refused") from None
    except OSError:
        raise NotDelivered("unreachable") from None


def _connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Try each address with an equal share of the time, so that one dead address does not use it all."""
    addresses = _addresses(host, port, deadline)
    failure: OSError = OSError("no address")
    for attempt, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(deadline.remaining() / (len(addresses) - attempt))
            sock.connect(address)
        except OSError as fault:
            sock.close()
            failure = fault
        else:
            return sock
    raise failure


def _secure(sock: socket.socket, host: str, context: ssl.SSLContext, deadline: Deadline) -> socket.socket:
    try:
        # A stream that ends without TLS's close_notify was cut, so it is an error and not the end of an answer.
        tls = context.wrap_socket(
            sock, server_hostname=host, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
    except BaseException:
        sock.close()
        raise
    try:
        tls.settimeout(deadline.remaining())
        tls.do_handshake()
    except BaseException:
        tls.close()
        raise
    return tls


_Addresses = list[tuple[Any, Any, int, str, Any]]
_Lookup = queue.SimpleQueue[_Addresses | OSError]


def _addresses(host: str, port: int, deadline: Deadline) -> _Addresses:
    """Look the host up within the deadline.

    `getaddrinfo` has no timeout, so each look-up of a name runs in a short-lived thread.
    """
    if _is_address(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not _LOOKUPS.acquire(timeout=deadline.remaining()):
        raise TimeoutError
    lookup: _Lookup = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, lookup), name="name-lookup", daemon=True).start()
    try:
        result = lookup.get(timeout=deadline.remaining())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(result, OSError):
        raise result
    return result


def _look_up(host: str, port: int, lookup: _Lookup) -> None:
    try:
        lookup.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except OSError as fault:
        lookup.put(fault)
    except UnicodeError:
        lookup.put(OSError("no host name"))
    finally:
        _LOOKUPS.release()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
