"""The proxy of `deploy/nginx.conf`, a real nginx before the real web process: TLS, hidden paths, bodies, requests.

Where nginx is not to be had, `make test` leaves this file out and says so. Each client has a loopback address of its
own, because the proxy limits requests by address.
"""

import itertools
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest

from tests.adapters.google.certificates import Authority, new_authority
from tests.pages.fixture import page_fixture
from tests.support.servers import until
from tests.support.service import BACKEND_KEY

SAMPLE: Final = Path(__file__).parents[2] / "deploy" / "nginx.conf"
OLD: Final = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
CURRENT: Final = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
KEY: Final = f"Authorization: Bearer {BACKEND_KEY}\r\n"
SESSIONS: Final = "/v1/organizations/acme/agents/ana/sessions"
PATIENCE: Final = 5
_addresses = (f"127.0.{high}.{low}" for high, low in itertools.product(range(1, 255), range(1, 255)))


@dataclass(frozen=True)
class Proxy:
    """nginx before the web process."""

    port: int
    service: int
    authority: Authority
    home: Path

    @property
    def host(self) -> str:
        """The public host name."""
        return f"localhost:{self.service}"

    def connect(self, *, client: ssl.SSLContext | None = None, address: str = "") -> ssl.SSLSocket:
        """Open a connection to nginx, from a loopback address of its own unless one is named."""
        trusting = client or ssl.create_default_context(cafile=str(self.authority.file))
        source = (address or next(_addresses), 0)
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE, source_address=source)
        return trusting.wrap_socket(plain, server_hostname="localhost")

    def direct(self) -> socket.socket:
        """Open a connection to the web process."""
        return socket.create_connection(("127.0.0.1", self.service), PATIENCE)

    def get(self, path: str, *, host: str = "", address: str = "", headers: str = "") -> int:
        """Send one GET; return the answer's status."""
        with self.connect(address=address) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {host or self.host}\r\n{headers}Connection: close\r\n\r\n".encode()
            )
            return status_of(everything(connection))

    def logged(self) -> str:
        """Return all that nginx has logged."""
        return "".join(path.read_text("utf-8") for path in sorted(self.home.glob("*.log")))


def everything(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes or is silent."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except (TimeoutError, ConnectionError, ssl.SSLError):
        pass
    return b"".join(parts)


def status_of(answer: bytes) -> int:
    line = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    return int(line[1]) if line else 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def adapted(port: int, service: int, certificate: Path, home: Path) -> str:
    """Return the sample with this machine's port, names and files."""
    text = SAMPLE.read_text("utf-8")
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("server 127.0.0.1:8080;", f"server 127.0.0.1:{service};"),
        ("calendar.example.com", "localhost"),
        ("/etc/nginx/calendar.pem", str(certificate)),
        ("/etc/nginx/calendar.key", str(certificate)),
        ("/var/log/nginx/", f"{home}/"),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(
    port: int, service: int, certificate: Path, home: Path, *, hides_api: bool = False
) -> Iterator[None]:
    """Run nginx with the adapted sample until the end of the block."""
    text = adapted(port, service, certificate, home)
    if hides_api:
        text = re.sub(r"# (location ~ \^/v1.*)\n( *)# (.*)\n( *)# }", r"\1\n\2\3\n\4}", text)
    (home / "calendar.conf").write_text(text, "utf-8")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = " ".join(f"{kind}_temp_path {home}/{kind};" for kind in kinds)
    main = home / "main.conf"
    main.write_text(
        f"daemon off; master_process off; pid {home}/pid; error_log {home}/start.log;\n"
        f"events {{}} http {{ {places} include {home}/calendar.conf; }}\n",
        "utf-8",
    )
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert program, "nginx is needed: .ci/nginx_proxy installs it or leaves these tests out"
    with subprocess.Popen([program, "-e", home / "start.log", "-c", main]) as process:
        try:
            until(lambda: process.poll() is not None or is_open(port))
            assert process.poll() is None, (home / "start.log").read_text("utf-8")
            yield
        finally:
            process.terminate()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx as the sample says, before the web process."""
    home = tmp_path_factory.mktemp("nginx")
    authority = new_authority(home / "authority")
    with page_fixture(tmp_path_factory.mktemp("service")) as pages:
        service, port = pages.service.config.port, free_port()
        with nginx(port, service, authority.server_file(), home):
            yield Proxy(port, service, authority, home)


# --- TLS ---


def client_of(authority: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a client that speaks one version of TLS alone."""
    context = ssl.create_default_context(cafile=str(authority.file))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are the point
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", CURRENT, ids=lambda version: version.name)
def test_current_tls_is_spoken(proxy: Proxy, version: ssl.TLSVersion) -> None:
    with proxy.connect(client=client_of(proxy.authority, version)) as connection:
        assert connection.version() == version.name.replace("_", ".")


@pytest.mark.parametrize("version", OLD, ids=lambda version: version.name)
def test_older_tls_is_refused(proxy: Proxy, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        proxy.connect(client=client_of(proxy.authority, version))


@pytest.mark.parametrize("version", OLD, ids=lambda version: version.name)
def test_the_same_client_reaches_a_server_that_speaks_older_tls(
    proxy: Proxy, version: ssl.TLSVersion
) -> None:
    context = proxy.authority.server()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with closing(listener.accept()[0]) as plain, context.wrap_socket(plain, server_side=True) as end:
                end.recv(1)

        thread = threading.Thread(target=answer)
        thread.start()
        with (
            socket.create_connection(listener.getsockname(), PATIENCE) as plain,
            client_of(proxy.authority, version).wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            assert secured.version() == version.name.replace("_", ".")
        thread.join()


# --- what is let through ---


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_a_page_of_numbers_is_hidden_in_every_spelling(proxy: Proxy, path: str) -> None:
    spellings = (
        path,
        f"{path}?now",
        f"{path}/",
        f"/{path}",
        f"///{path}",
        f"/.{path}",
        f"/v1/..{path}",
        f"/v1/%2e%2e{path}",
        f"/%{ord(path[1]):02x}{path[2:]}",
        f"/%{ord(path[1]):02X}{path[2:]}",
        "/" + "".join(f"%{byte:02x}" for byte in path[1:].encode()),
        f"/%2f{path[1:]}",
        f"/%2e{path}",
        f"https://localhost{path}",
        f"{path}%00",
        f"/%25{ord(path[1]):02x}{path[2:]}",
        path.upper(),
    )
    statuses = {spelling: proxy.get(spelling) for spelling in spellings}
    assert {spelling for spelling, status in statuses.items() if status not in {400, 404}} == set()
    with proxy.direct() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n".encode())
        assert status_of(everything(connection)) == 200  # it is there, and the proxy hides it


def test_the_api_is_hidden_too_where_the_sample_says_so_without_comment(proxy: Proxy, tmp_path: Path) -> None:
    port = free_port()
    with nginx(port, proxy.service, proxy.authority.server_file(), tmp_path, hides_api=True):
        inside = Proxy(port, proxy.service, proxy.authority, tmp_path)
        paths = ("/v1", SESSIONS, SESSIONS.replace("v1", "%761"), f"/{SESSIONS}", f"/docs/..{SESSIONS}")
        assert [inside.get(path, headers=KEY) for path in paths] == [404] * len(paths)
        assert inside.get("/google-user-data") == 200
    assert proxy.get(SESSIONS, headers=KEY) == 200


def test_the_public_host_is_served_and_another_is_not(proxy: Proxy) -> None:
    assert proxy.get("/google-user-data") == 200
    assert proxy.get("/google-user-data", host="calendar.example") == 421


def test_an_address_that_asks_too_often_is_refused_and_another_is_not(proxy: Proxy) -> None:
    flood = next(_addresses)
    statuses: set[int] = set()
    with proxy.connect(address=flood) as connection, connection.makefile("rb") as answers:
        for _ in range(2_000):
            if 429 in statuses:
                break
            connection.sendall(f"HEAD /healthz HTTP/1.1\r\nHost: {proxy.host}\r\n\r\n".encode())
            statuses.add(status_of(answers.readline()))
            while answers.readline().strip():
                pass
    assert statuses == {200, 429}
    assert proxy.get("/healthz") == 200


def test_no_log_has_a_ticket_a_code_a_name_or_an_address(proxy: Proxy, tmp_path: Path) -> None:
    paths = ("/portal/TICKET-1", "/%70ortal/TICKET-2", "//reviewer/TICKET-3", "/oauth/callback?code=CODE-4",
             "/v1/organizations/acme/agents/NAME-5?cursor=NAME-6", "/portal/%GGTICKET-7")  # fmt: skip
    address = next(_addresses)
    for path in paths:
        proxy.get(path, address=address, headers="Referer: https://localhost/portal/TICKET-8\r\n")
    lines = [json.loads(line) for line in proxy.logged().splitlines()]
    assert {"/portal", "/oauth", "/v1"} <= {line["path"] for line in lines}
    hidden = re.compile(rf"TICKET|CODE|NAME|code|{re.escape(address)}")
    assert hidden.findall(proxy.logged()) == []
    # The same while the service is away, which nginx calls an error.
    port, nobody = free_port(), free_port()
    with nginx(port, nobody, proxy.authority.server_file(), tmp_path):
        alone = Proxy(port, nobody, proxy.authority, tmp_path)
        assert [alone.get(path, address=address) for path in paths] == [502] * 5 + [400]
        assert hidden.findall(alone.logged()) == []


HARDENING: Final = (
    b"content-security-policy: default-src 'none'",
    b"x-content-type-options: nosniff",
    b"cache-control: no-store",
    b"referrer-policy: ",
    b"strict-transport-security: max-age=31536000",
)


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        ("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n", 404),
        ("GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX-Long: " + "x" * 70_000 + "\r\n\r\n", 400),
        ("GET /" + "x" * 70_000 + " HTTP/1.1\r\nHost: {host}\r\n\r\n", 414),
        ("PUT /v1 HTTP/1.1\r\nHost: {host}\r\nContent-Length: 200000\r\n\r\n", 413),
    ],
)
def test_an_answer_of_the_proxys_own_is_hardened(proxy: Proxy, request_head: str, status: int) -> None:
    with proxy.connect() as connection:
        connection.settimeout(1)
        connection.sendall(request_head.format(host=proxy.host).encode())
        answer = everything(connection)
    assert status_of(answer) == status
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert [header for header in HARDENING if header not in head] == []
    assert re.search(rb"\r\nserver: [^\r]*\d", head) is None


def test_an_answer_of_the_service_keeps_its_own_headers_once(proxy: Proxy) -> None:
    with proxy.connect() as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {proxy.host}\r\nConnection: close\r\n\r\n".encode())
        head = everything(connection).partition(b"\r\n\r\n")[0].lower()
    assert b"style-src 'self'" in head
    names = [line.partition(b":")[0] for line in head.split(b"\r\n")[1:]]
    assert len([name for name in names if name != b"set-cookie"]) == len({*names} - {b"set-cookie"})


# --- slow bodies ---


def begin_slowly(connection: socket.socket, host: str) -> None:
    connection.sendall(
        f"PUT {SESSIONS}/slow HTTP/1.1\r\nHost: {host}\r\n{KEY}"
        "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{".encode()
    )


def test_twenty_slow_bodies_hold_nobody_up(proxy: Proxy) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(proxy.connect()) for _ in range(20)]
        for connection in slow:
            begin_slowly(connection, proxy.host)
        for _ in range(20):
            assert proxy.get(SESSIONS, headers=KEY) == 200
            for connection in slow:
                connection.sendall(b" ")
        for connection in slow:
            connection.settimeout(0)
            with pytest.raises(ssl.SSLWantReadError):
                connection.recv(1)  # still under way: nobody answered it or closed it


def test_the_same_bodies_without_the_proxy_hold_everybody_up(proxy: Proxy) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(proxy.direct()) for _ in range(20)]
        for connection in slow:
            begin_slowly(connection, proxy.host)
        until(lambda: not is_answered(proxy))


def is_answered(proxy: Proxy) -> bool:
    """Tell whether the web process answers a healthy client within half a second."""
    with proxy.direct() as healthy:
        healthy.settimeout(0.5)
        healthy.sendall(f"GET {SESSIONS} HTTP/1.1\r\nHost: {proxy.host}\r\n{KEY}\r\n".encode())
        try:
            return bool(healthy.recv(1))
        except TimeoutError:
            return False


# --- ambiguous requests ---

HIDDEN, OWN = "1" * 32, "2" * 32
"""The ids of the request that an attacker hides in another, and of the one that hides it."""


def hidden(host: str) -> str:
    return f"GET {SESSIONS} HTTP/1.1\r\nHost: {host}\r\n{KEY}X-Request-Id: {HIDDEN}\r\n\r\n"


CL, TE = "Content-Length: {length}\r\n", "Transfer-Encoding: chunked\r\n"
AMBIGUOUS: Final = {
    "both": (CL + TE, "0\r\n\r\n{hidden}"),
    "both, the other order": (TE + CL, "0\r\n\r\n{hidden}"),
    "both, a short length": (TE + "Content-Length: 4\r\n", "0\r\n\r\n{hidden}"),
    "chunked twice": (TE + TE + CL, "0\r\n\r\n{hidden}"),
    "chunked and identity": (TE + "Transfer-Encoding: identity\r\n" + CL, "0\r\n\r\n{hidden}"),
    "identity": ("Transfer-Encoding: identity\r\n" + CL, "0\r\n\r\n{hidden}"),
    "chunked, something": ("Transfer-Encoding: chunked, something\r\n" + CL, "0\r\n\r\n{hidden}"),
    "something, chunked": ("Transfer-Encoding: something, chunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "xchunked": ("Transfer-Encoding: xchunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "chunked in quotes": ('Transfer-Encoding: "chunked"\r\n' + CL, "0\r\n\r\n{hidden}"),
    "chunked after a tab": ("Transfer-Encoding:\tchunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "chunked after a vertical tab": ("Transfer-Encoding: \x0bchunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "a space before the colon": ("Transfer-Encoding : chunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "a space before the name": (" Transfer-Encoding: chunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "an underscore": ("Transfer_Encoding: chunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "a folded value": ("Transfer-Encoding:\r\n chunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "a folded header": ("X-Other: a\r\n Transfer-Encoding: chunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "a bare line feed": ("X-Other: a\nTransfer-Encoding: chunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "a bare carriage return": ("X-Other: a\rTransfer-Encoding: chunked\r\n" + CL, "0\r\n\r\n{hidden}"),
    "NUL in a value": ("X-Other: a\x00b\r\n" + CL, "{hidden}"),
    "NUL in a name": ("X-\x00Other: a\r\n" + CL, "{hidden}"),
    "NUL in the length": ("Content-Length: 0\x00{length}\r\n", "{hidden}"),
    "two lengths": ("Content-Length: 0\r\n" + CL, "{hidden}"),
    "two lengths, the other order": (CL + "Content-Length: 0\r\n", "{hidden}"),
    "a list of lengths": ("Content-Length: 0, {length}\r\n", "{hidden}"),
    "a length with a sign": ("Content-Length: +{length}\r\n", "{hidden}"),
    "a negative length": ("Content-Length: -1\r\n", "{hidden}"),
    "a hexadecimal length": ("Content-Length: 0x{length}\r\n", "{hidden}"),
    "a length with a space": ("Content-Length: 0 {length}\r\n", "{hidden}"),
    "a length beyond 64 bits": ("Content-Length: 18446744073709551616\r\n", "{hidden}"),
    "a chunk with a sign": (TE, "+0\r\n\r\n{hidden}"),
    "a chunk with 0x": (TE, "0x0\r\n\r\n{hidden}"),
    "a negative chunk": (TE, "-1\r\n\r\n{hidden}"),
    "a chunk beyond 64 bits": (TE, "10000000000000000\r\n\r\n{hidden}"),
    "a chunk without its end": (TE, "2\r\n{{}}0\r\n\r\n{hidden}"),
    "a chunk with bare line feeds": (TE, "0\n\n{hidden}"),
    "an extension with a bare line feed": (TE, "0;a=\n\r\n\r\n{hidden}"),
}

ENDED_BY_LINE_FEED: Final = {"a chunk with bare line feeds", "an extension with a bare line feed"}
"""nginx takes a bare line feed for the end of a chunk's line, so what follows is a request of the attacker's own."""


@pytest.mark.parametrize("name", AMBIGUOUS)
@pytest.mark.parametrize("way", ["through the proxy", "direct"])
def test_no_ambiguous_request_gives_a_victim_anothers_answer(proxy: Proxy, way: str, name: str) -> None:
    header, body = AMBIGUOUS[name]
    inner = body.format(hidden=hidden(proxy.host))
    attack = (
        f"PUT {SESSIONS}/own HTTP/1.1\r\nHost: {proxy.host}\r\n{KEY}X-Request-Id: {OWN}\r\n"
        f"Content-Type: application/json\r\n{header.format(length=len(inner))}\r\n{inner}"
    )
    victim = uuid4().hex
    request = (
        f"GET /v1/organizations/acme/agents/victim HTTP/1.1\r\nHost: {proxy.host}\r\n{KEY}"
        f"X-Request-Id: {victim}\r\nConnection: close\r\n\r\n"
    )
    with proxy.connect() if way == "through the proxy" else proxy.direct() as connection:
        connection.settimeout(1)
        connection.sendall(attack.encode() + request.encode())
        answers = everything(connection)
    named = [one.decode() for one in re.findall(rb"(?i)\r\nx-request-id: (\S+)", answers)]
    right = [[], [OWN], [OWN, victim]]
    if way == "through the proxy" and name in ENDED_BY_LINE_FEED:
        right.append([OWN, HIDDEN, victim])
    assert named in right, answers
