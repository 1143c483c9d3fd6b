"""Checks ports of this host before a server listens on them."""

import socket


class PortTaken(Exception):
    """Another process listens on the port; the text names the variable to set."""


def require_free(port: int, variable: str, host: str = "127.0.0.1") -> None:
    """Raise `PortTaken` unless this process could listen there.

    The web server binds with SO_REUSEPORT, so a second one would otherwise share the port without an error.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"Cannot listen on {host}:{port} ({error.strerror}). Set {variable} to a free port."
            ) from None


def answers(port: int) -> bool:
    """Tell whether a process of this host accepts a connection there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False
