"""What stands between this process and a server, told from the system's error. Must not connect."""

import socket
import ssl
from enum import StrEnum
from typing import Final


class Obstacle(StrEnum):
    """What stands between this process and the server."""

    NOBODY_LISTENS = "nobody_listens"
    UNKNOWN_HOST = "unknown_host"
    SILENCE = "silence"
    """Nothing comes back: a firewall, a host that is away, or a server that hangs."""
    WRONG_LOGIN = "wrong_login"
    FORBIDDEN = "forbidden"
    """The server knows the user, and does not permit the command."""
    UNKNOWN_AUTHORITY = "unknown_authority"
    """Nobody whom this host trusts has signed the server's certificate."""
    BAD_CERTIFICATE = "bad_certificate"
    """It is of another host, or over."""
    NO_TLS = "no_tls"
    """We speak TLS, and the server does not."""
    CLOSED_AT_ONCE = "closed_at_once"
    """We speak plain text, and the server closes the connection unanswered, as a TLS port does."""
    LOADING = "loading"
    UNKNOWN_PRIMARY = "unknown_primary"
    """No sentinel knows the primary's name."""
    NO_CLUSTER = "no_cluster"
    OTHER = "other"


_UNTRUSTED: Final = frozenset({18, 19, 20, 21})
"""OpenSSL's codes for a self-signed certificate or an issuer that is not known (X509_V_ERR_…)."""
_HANDSHAKE: Final = "handshake operation timed out"
"""Python's words where the server took the connection and never began TLS. One of plain text waits for a line's end."""
_NOT_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"})
"""OpenSSL's reasons where the first bytes of a server are no TLS."""
_OF_ERROR: Final[tuple[tuple[type[OSError], Obstacle], ...]] = (
    (ConnectionRefusedError, Obstacle.NOBODY_LISTENS),
    (FileNotFoundError, Obstacle.NOBODY_LISTENS),
    (socket.gaierror, Obstacle.UNKNOWN_HOST),
    (ConnectionResetError, Obstacle.CLOSED_AT_ONCE),
    (BrokenPipeError, Obstacle.CLOSED_AT_ONCE),
    (TimeoutError, Obstacle.SILENCE),
)


def obstacle_of(error: OSError) -> Obstacle | None:
    """Return what an error of a socket or of TLS means; None if it does not say."""
    if isinstance(error, ssl.SSLCertVerificationError):
        is_untrusted = error.verify_code in _UNTRUSTED
        return Obstacle.UNKNOWN_AUTHORITY if is_untrusted else Obstacle.BAD_CERTIFICATE
    if isinstance(error, TimeoutError) and _HANDSHAKE in str(error):
        return Obstacle.NO_TLS
    if isinstance(error, ssl.SSLError):
        return Obstacle.NO_TLS if error.reason in _NOT_TLS else None
    return next((known for kind, known in _OF_ERROR if isinstance(error, kind)), None)
