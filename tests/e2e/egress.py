"""The whole service in a network of its own, where every packet is counted by where it goes (LU-2): `make egress`.

Needs Linux, `ip` and `nft`, and a network namespace, which root may make, and others on most machines.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.e2e.test_main_job_over_http import Backend, connect
from tests.e2e.test_run import Run, command, free_port, running
from tests.e2e.test_webhooks_over_http import until
from tests.support.backend import SECRET, backend
from tests.support.backend import Backend as Receiver
from tests.support.servers import server

ROOT: Final = Path(__file__).parents[2]
ELSEWHERE: Final = ("192.0.2.1", "2001:db8::1")
"""Addresses of nobody (RFC 5737, RFC 3849), to which everything leads that is not on this host."""
LINKS: Final = """
link set lo up
link add out type veth peer name nowhere
link set out addrgenmode none
link set nowhere addrgenmode none
link set nowhere up
link set out up
addr add 192.0.2.2/24 dev out
route add default via 192.0.2.1
addr add 2001:db8::2/64 dev out nodad
route add default via 2001:db8::1
"""
RULES: Final = """
table inet egress {{
  {counters}
  counter elsewhere_on_this_host {{}}
  counter beyond_this_host {{}}
  chain out {{
    type filter hook output priority 0
    oifname != "lo" icmpv6 type {{ nd-neighbor-solicit, mld2-listener-report }} accept
    oifname != "lo" counter name beyond_this_host drop
    {rules}
    tcp sport {{ {ports} }} accept
    counter name elsewhere_on_this_host
  }}
}}
"""


def rules(ports: Mapping[str, int]) -> str:
    """Return the rule set that counts what goes to each of these ports here, and everything else."""
    return RULES.format(
        counters="\n  ".join(f"counter {name} {{}}" for name in ports),
        rules="\n    ".join(f"tcp dport {port} counter name {name} accept" for name, port in ports.items()),
        ports=", ".join(map(str, ports.values())),
    )


def counted() -> dict[str, int]:
    """Return the packets by counter."""
    listing = subprocess.run(["nft", "-j", "list", "counters"], capture_output=True, check=True).stdout
    entries = [entry["counter"] for entry in json.loads(listing)["nftables"] if "counter" in entry]
    return {one["name"]: one["packets"] for one in entries}


def journey(run: Run, receiver: Receiver) -> None:
    """Connect, schedule, move, cancel, disconnect, erase; meanwhile the operator runs commands."""
    api, admin = Backend(run, "api-key"), Backend(run, "admin-key")
    connect(run, api)
    when = {"start": "2031-05-03T14:00:00-04:00", "end": "2031-05-03T14:30:00-04:00", "by": "agent"}
    assert api("PUT", "/agents/ana/sessions/s1", {**when, "title": "First"})[0] == 201
    assert api("PUT", "/agents/ana/sessions/s1", {**when, "title": "Moved", "by": "system"})[0] == 200
    assert api("DELETE", "/agents/ana/sessions/s1?by=agent")[0] == 200
    assert command(run.data_dir, "connections", "list").returncode == 0
    assert admin("DELETE", "/agents/ana/connection")[0] == 200
    assert admin("DELETE", "/agents/ana/connection?erase=now")[1]["state"] == "not_connected"
    until(lambda: receiver.types[-1:] == ["connection.erased"])


def attempt(address: str, port: int) -> None:
    """Send packets elsewhere, as a leak would."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as one, contextlib.suppress(OSError):
        one.settimeout(0.2)
        one.connect((address, port))


def inside(folder: Path) -> None:
    """Print the counters as JSON: after the journey, and after attempts to reach somebody else."""
    for line in LINKS.split("\n"):
        if line:
            subprocess.run(["ip", *(["-6"] if "2001" in line else []), *line.split()], check=True)
    with server(folder / "store", appendonly="yes") as store, backend() as receiver:
        ports = {"web": free_port(), "google": free_port(), "redis": store.port}
        ports["webhook"] = urllib.parse.urlsplit(receiver.url).port or 0
        subprocess.run(["nft", "-f", "-"], input=rules(ports), text=True, check=True)
        (folder / "secret").write_text(SECRET, "ascii")
        proxy = f"http://{ELSEWHERE[0]}:3128"  # of the environment, and never used
        with running(
            folder / "data",
            CALENDAR_PORT=str(ports["web"]), CALENDAR_GOOGLE_PORT=str(ports["google"]),
            CALENDAR_REDIS_URL=f"redis://127.0.0.1:{store.port}/0", CALENDAR_WEBHOOK_URL=receiver.url,
            CALENDAR_WEBHOOK_SECRET_FILE=str(folder / "secret"),
            http_proxy=proxy, https_proxy=proxy, all_proxy=proxy,
        ) as run:  # fmt: skip
            journey(run, receiver)
        after = counted()
    for address in ELSEWHERE:
        attempt(address, 443)
    attempt("127.0.0.1", free_port())
    json.dump({"journey": after, "attempts": counted()}, sys.stdout)


def counters(folder: Path) -> dict[str, dict[str, int]]:
    """Run `inside` in a new namespace; return packets by destination: of the `journey`, and after the `attempts`."""
    apart = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    done = subprocess.run(
        [*apart, sys.executable, "-m", "tests.e2e.egress", folder],
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
        cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=120,
    )  # fmt: skip
    packets: dict[str, dict[str, int]] = json.loads(done.stdout)
    return packets


def main() -> None:
    print("Connecting, scheduling, cancelling, disconnecting, erasing in a network of its own …")
    with tempfile.TemporaryDirectory() as folder:
        packets = counters(Path(folder))
    for name, count in packets["journey"].items():
        print(f"  {count:6} packets to {name.replace('_', ' ')}")
    seen = packets["attempts"]["beyond_this_host"]
    print(f"  {seen:6} counted of the attempts to leave this host that were made on purpose afterwards")


if __name__ == "__main__":
    inside(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
