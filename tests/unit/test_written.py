"""The check against the inventory finds both: what is written and not listed, and what is listed and never written."""

import socket
from pathlib import Path

from calendar_service.development.valkey import EmbeddedValkey
from calendar_service.domain.inventory import INVENTORY
from tests.support.evidence import shows
from tests.support.written import FILE, Monitor, place_of, unlisted, unwritten, written

EVERYTHING = {
    place: {field for item in INVENTORY if item.place == place for field in item.fields}
    for place in {item.place for item in INVENTORY}
}
SCRIPT = "redis.call('HSET', KEYS[1], 'calendar_id', 'c', 'a_title', ARGV[1])"


def test_every_kind_of_key_is_known_by_its_item() -> None:
    assert place_of("{s7}:a:acme/agent-1:facts") == "facts"
    assert place_of("{s7}:org:acme") == "org"
    assert place_of("{ticket:abc}:copied") == "copied"
    assert place_of("browser:abc") == "browser"
    assert place_of("throttle") == "throttle"
    assert place_of("throttle:account:abc") == "throttle:account"


def test_what_the_inventory_names_is_no_difference() -> None:
    assert [*unlisted(EVERYTHING), *unwritten(EVERYTHING)] == []


@shows("ST-3")
def test_a_field_and_a_key_that_nobody_named_are_found() -> None:
    places = EVERYTHING | {"facts": EVERYTHING["facts"] | {"a_title"}, "notes": set()}
    messages = list(unlisted(places))
    assert [line.partition(" is written")[0] for line in messages] == [
        "facts: a_title",
        "notes: the whole key",
    ]


def test_what_nothing_writes_is_found() -> None:
    places = {place: fields for place, fields in EVERYTHING.items() if place != "org"}
    places["state"] = places["state"] - {"browser"}
    assert list(unlisted(places)) == []
    messages = list(unwritten(places))
    assert [line.partition(" is in")[0] for line in messages] == ["org", "state: browser"]


def test_what_scripts_and_transactions_write_is_seen_also_when_it_is_gone_again(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server:
        monitor = Monitor(server.url, tmp_path / FILE)
        monitor.start()
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(server.url.removeprefix("unix://"))
            line.sendall(f'EVAL "{SCRIPT}" 1 {{s1}}:a:acme/x:facts "a \\"b\\""\r\n'.encode())
            line.sendall(b'SET state:1 "{\\"verifier\\": \\"v\\"}"\r\nFLUSHALL\r\n')
            while b"+OK\r\n+OK\r\n" not in line.recv(100):
                pass
    monitor.join()
    assert written(tmp_path / FILE) == {"facts": {"calendar_id", "a_title"}, "state": {"verifier"}}
