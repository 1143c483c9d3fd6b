"""A change of the audit log is found, with its place (LU-6): in the running store, and in an export."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calendar_service.crypto.signed_note import signed_note
from calendar_service.domain.checkpoint import Checkpoint
from calendar_service.domain.clock import DAY, HOUR, SECOND
from calendar_service.domain.names import Agent
from calendar_service.journeys.audit.sealing import Sealer
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from tests.journeys.conftest import NEIGHBOUR
from tests.journeys.test_audit_trail import invoke, verify
from tests.journeys.test_throttle import alarms
from tests.support.evidence import shows
from tests.support.service import TestService

Stream = list[tuple[str, dict[str, str]]]


class Vandal:
    """An attacker with full access to the database and without the keys."""

    def __init__(self, service: TestService) -> None:
        self.service, self.client, self.shard = (
            service,
            service.parts.store.database.client,
            service.shard_of(),
        )

    def rewrite(self, key: str, change: Callable[[Stream], Stream]) -> None:
        """Put another stream in place of one."""
        entries = change(self.client.xrange(key))
        self.client.delete(key)
        for name, fields in entries:
            self.client.xadd(key, fields, id=name)

    def journal(self, change: Callable[[Stream], Stream]) -> None:
        self.rewrite(keys.audit_log(self.shard), change)

    def seals(self, change: Callable[[Stream], Stream]) -> None:
        self.rewrite(keys.audit_macs(self.shard), change)

    def both(self, change: Callable[[Stream], Stream]) -> None:
        self.journal(change)
        self.seals(change)

    def head(self, point: int) -> None:
        """Set the head back to an earlier entry, as far as that can be done without the key."""
        name, fields = self.client.xrange(keys.audit_macs(self.shard))[point]
        self.client.hset(keys.audit_chain(self.shard), mapping={"id": name, **fields})

    def swap(self, one: str, other: str) -> None:
        self.client.rename(one, "aside")
        self.client.rename(other, one)
        self.client.rename("aside", other)

    def checkpoint(self, number: int, change: Callable[[str], str]) -> None:
        """Put another note in place of one; an empty one removes it."""
        (note,) = self.client.zrangebyscore(keys.CHECKPOINTS, number, number)
        self.client.zremrangebyscore(keys.CHECKPOINTS, number, number)
        if changed := change(note):
            self.client.zadd(keys.CHECKPOINTS, {changed: number})

    def copy_checkpoint(self, number: int, to: int) -> None:
        """Store a checkpoint once more, with a signature of nobody known under it, which verifiers ignore."""
        (note,) = self.client.zrangebyscore(keys.CHECKPOINTS, number, number)
        signature = b64encode(bytes(68)).decode()
        self.client.zadd(keys.CHECKPOINTS, {f"{note}— somebody.example {signature}\n": to})
        self.client.hset(
            keys.CHECKPOINT_DETAILS, str(to), self.client.hget(keys.CHECKPOINT_DETAILS, str(number))
        )


def edited(which: int, **changed: str) -> Callable[[Stream], Stream]:
    """Change a field of one entry's text."""

    def change(entries: Stream) -> Stream:
        at = which % len(entries)
        name, fields = entries[at]
        text = json.dumps(json.loads(fields["entry"]) | changed)
        return [*entries[:at], (name, fields | {"entry": text}), *entries[at + 1 :]]

    return change


def fields_of(which: int, **changed: str) -> Callable[[Stream], Stream]:
    """Change fields of one record."""

    def change(entries: Stream) -> Stream:
        return [*entries[:which], (entries[which][0], entries[which][1] | changed), *entries[which + 1 :]]

    return change


def without(at: int) -> Callable[[Stream], Stream]:
    return lambda entries: [*entries[:at], *entries[at + 1 :]]


def cut(count: int) -> Callable[[Stream], Stream]:
    return lambda entries: entries[:-count]


def swapped(at: int) -> Callable[[Stream], Stream]:
    """Exchange the fields of two neighbouring entries; their ids stay."""

    def change(entries: Stream) -> Stream:
        one, other = entries[at], entries[at + 1]
        return [*entries[:at], (one[0], other[1]), (other[0], one[1]), *entries[at + 2 :]]

    return change


def inserted(at: int) -> Callable[[Stream], Stream]:
    """Put a copy of an entry between it and the next one."""

    def change(entries: Stream) -> Stream:
        millis, _, count = entries[at][0].partition("-")
        copy = (f"{millis}-{int(count) + 1}", entries[at][1])
        return [*entries[: at + 1], copy, *entries[at + 1 :]] if entries[at + 1][0] != copy[0] else entries

    return change


Change = Callable[[Vandal], None]
ENTRIES: dict[str, tuple[Change, int, str]] = {
    "who acted is changed": (lambda v: v.journal(edited(1, actor="administrator")), 2, "not as it was sealed"),
    "what happened is changed": (lambda v: v.journal(edited(0, kind="hold.placed")), 1, "not as it was sealed"),
    "another connection is named": (lambda v: v.journal(edited(2, connection="x")), 3, "not as it was sealed"),
    "the time is changed": (lambda v: v.journal(fields_of(1, at="1700000000000")), 2, "not as it was sealed"),
    "a fact is added": (lambda v: v.journal(edited(1, note="x")), 2, "not as it was sealed"),
    "a field is added": (lambda v: v.journal(fields_of(1, more="x")), 2, "not as it was sealed"),
    "the text is garbled": (lambda v: v.journal(fields_of(1, entry="{")), 2, "not as it was sealed"),
    "the last entry is changed": (lambda v: v.journal(edited(-1, actor="agent")), -1, "not as it was sealed"),
    "an entry is removed": (lambda v: v.journal(without(1)), 2, "was removed"),
    "an entry is removed with its MAC": (lambda v: v.both(without(1)), 2, "1 missing before entry 3"),
    "the first entry is removed with its MAC": (lambda v: v.both(without(0)), 1, "1 missing before entry 2"),
    "two entries exchange what they say": (lambda v: v.journal(swapped(1)), 2, "not as it was sealed"),
    "two entries are exchanged with their MACs": (lambda v: v.both(swapped(1)), 2, "1 missing before entry 3"),
    "an entry is inserted": (lambda v: v.journal(inserted(1)), 0, "was inserted"),
    "an entry is inserted with a MAC": (lambda v: v.both(inserted(1)), 2, "out of order, or there twice"),
    "a MAC is changed": (lambda v: v.seals(fields_of(1, mac="0" * 32)), 2, "not as it was sealed"),
    "a number is changed": (lambda v: v.seals(fields_of(1, number="9")), 2, "7 missing before entry 9"),
    "the MACs are removed": (lambda v: v.client.delete(keys.audit_macs(v.shard)), 0, "was inserted"),
    "the last entry is cut off": (lambda v: v.both(cut(1)), -1, "the tail was cut: 1 missing"),
    "all entries are removed": (lambda v: v.both(lambda _: []), 1, "the tail was cut"),
}  # fmt: skip


@shows("LU-6")
@pytest.mark.parametrize("what", ENTRIES)
def test_a_changed_entry_is_found_with_its_place(populated: TestService, what: str) -> None:
    change, number, words = ENTRIES[what]
    vandal = Vandal(populated)
    count = vandal.client.xlen(keys.audit_log(vandal.shard))
    change(vandal)
    fault = verify(populated).faults[0]
    assert fault.shard == vandal.shard
    assert words in fault.what
    assert fault.number == (count if number < 0 else number or None)


def _signed_by_another(note: str) -> str:
    text, stranger = note.partition("\n\n")[0] + "\n", Ed25519PrivateKey.generate()
    return signed_note(text, text.partition("\n")[0], stranger)


def _swap_shards(vandal: Vandal) -> None:
    for key in (keys.audit_log, keys.audit_macs, keys.audit_chain):
        vandal.swap(key(vandal.shard), key(vandal.service.shard_of(NEIGHBOUR)))


def _cut_with_head(vandal: Vandal) -> None:
    vandal.head(1)
    vandal.both(lambda entries: entries[:2])


def _forget(vandal: Vandal) -> None:
    vandal.client.delete(*(key(vandal.shard) for key in (keys.audit_log, keys.audit_macs, keys.audit_chain)))


def _early_end(vandal: Vandal) -> None:
    """Delete the first entries as if their retention period were over."""
    name, fields = vandal.client.xrange(keys.audit_macs(vandal.shard))[1]
    base = {
        "base_id": name,
        "base_number": fields["number"],
        "base_mac": fields["mac"],
        "base_checkpoint": "1",
    }
    vandal.client.hset(keys.audit_chain(vandal.shard), mapping=base)
    vandal.both(lambda entries: entries[2:])


CHAINS: dict[str, tuple[Change, str]] = {
    "two shards are exchanged": (_swap_shards, "shard {shard}, entry 1, id *: is not as it was sealed here"),
    "the tail is cut and the head set back": (_cut_with_head, "shard {shard}, entry 2, id *: the head is not as it"),
    "a shard is removed": (_forget, "the trail ends at 0: the tail was cut"),
    "the head alone is set back": (lambda v: v.head(1), "the head was set back"),
    "the head is removed": (lambda v: v.client.delete(keys.audit_chain(v.shard)), "the head was set back"),
    "the beginning is cut off": (_early_end, "the beginning was cut: no checkpoint that is older than the term"),
    "a checkpoint's numbers are changed": (
        lambda v: v.checkpoint(1, lambda note: note.replace("due: 0", "due: 7")),
        "checkpoint 1: the checkpoint was changed after it was signed",
    ),
    "a checkpoint's heads are changed": (
        lambda v: v.client.hset(keys.CHECKPOINT_DETAILS, "2", '{"heads": {}}'),
        "checkpoint 2: the checkpoint was changed after it was signed: its details are others",
    ),
    "a checkpoint's details are removed": (
        lambda v: v.client.hdel(keys.CHECKPOINT_DETAILS, "2"), "checkpoint 2: the checkpoint was changed after it",
    ),
    "a checkpoint is signed by somebody else": (
        lambda v: v.checkpoint(2, _signed_by_another), "checkpoint 2: the checkpoint is not signed by the operator's",
    ),
    "the first checkpoint is removed": (lambda v: v.checkpoint(1, lambda _: ""), "checkpoint 1: the checkpoint is m"),
    "the last checkpoint is removed": (
        lambda v: v.checkpoint(2, lambda _: ""), "checkpoint 2: the checkpoint is missing: the trail says that it",
    ),
    "all checkpoints are removed": (lambda v: v.client.delete(keys.CHECKPOINTS), "checkpoint 2: the checkpoint is mis"),
    "a checkpoint is garbled": (
        lambda v: v.client.zadd(keys.CHECKPOINTS, {"{": 3}), "checkpoint 3: the checkpoint is not a signed note",
    ),
    "a checkpoint is there twice": (
        lambda v: v.copy_checkpoint(1, 3), "checkpoint 1: the checkpoint is out of order, or there twice",
    ),
}  # fmt: skip


@shows("LU-6")
@pytest.mark.parametrize("what", CHAINS)
def test_a_changed_chain_or_checkpoint_is_found_with_its_place(populated: TestService, what: str) -> None:
    change, words = CHAINS[what]
    change(Vandal(populated))
    faults = [str(fault) for fault in verify(populated).faults]
    before, _, after = words.format(shard=populated.shard_of()).partition("*")
    assert any(before in text and after in text for text in faults), faults


@pytest.fixture
def younger(populated: TestService) -> Vandal:
    """A shard whose first entries are younger than the last checkpoint, sealed."""
    newcomer = Agent("acme", "newcomer")
    populated.connect(newcomer)
    while populated.parts.audit.sealer.seal():
        pass
    assert verify(populated).faults == []
    vandal = Vandal(populated)
    vandal.shard = populated.shard_of(newcomer)
    return vandal


def _faults(checkpoint: Checkpoint) -> int:
    assert checkpoint.statement is not None
    return checkpoint.statement.faults


def _started_anew(service: TestService) -> Sealer:
    """Return the sealer of a new process, which remembers no head."""
    return replace(service.parts.audit.sealer, chains=[], set_back=0)


def _begin_anew(vandal: Vandal) -> None:
    """Delete the shard, and let the service write and seal it from the beginning."""
    _forget(vandal)
    vandal.service.parts.store.connections.choose_retention(Agent("acme", "newcomer"), HOUR)
    _started_anew(vandal.service).seal()


def _seal_again(vandal: Vandal) -> None:
    """Change the first entry, and let the service itself seal what now stands there."""
    vandal.journal(edited(0, actor="administrator"))
    vandal.client.delete(keys.audit_macs(vandal.shard), keys.audit_chain(vandal.shard))
    _started_anew(vandal.service).seal()


BEGINNINGS: dict[str, Change] = {
    "the shard is wiped": _forget,
    "the shard is wiped and begun anew": _begin_anew,
    "the shard is wiped but for an entry that waits for its seal": lambda v: (
        v.client.delete(keys.audit_macs(v.shard), keys.audit_chain(v.shard)),
        v.journal(lambda entries: entries[-1:]),
    ),
    "the first entry is changed and sealed again": _seal_again,
}


@shows("LU-6")
@pytest.mark.parametrize("what", BEGINNINGS)
def test_a_shard_that_no_checkpoint_holds_yet_cannot_be_wiped(younger: Vandal, what: str) -> None:
    """An attacker with database access could remove a whole shard before the first signed checkpoint names it.

    Shard 0 says that it began.
    """
    BEGINNINGS[what](younger)
    place = f"shard {younger.shard}, entry 1: the entry with which shard 0 says that this one began is gone"
    assert [str(fault) for fault in verify(younger.service).faults] == [place]
    younger.service.clock.advance(DAY / SECOND)
    checkpoint = _started_anew(younger.service).checkpoint()
    assert checkpoint is not None
    assert "faults: 1\n" in checkpoint.note


def test_a_shard_that_is_set_back_to_a_head_read_before_is_noticed_by_the_sealer(
    populated: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    """The restored head has a valid seal. Only a sealer that remembers a later head can detect it."""
    vandal, sealer, pause = (
        Vandal(populated),
        populated.parts.audit.sealer,
        populated.parts.connection.pauses.set,
    )
    vandal.shard = vandal.service.shard_of(NEIGHBOUR)
    sealer.seal()
    head = vandal.client.hgetall(keys.audit_chain(vandal.shard))
    pause(NEIGHBOUR, Actor.ADMINISTRATOR, paused=True)
    sealer.seal()
    vandal.both(cut(1))
    vandal.client.delete(keys.audit_chain(vandal.shard))
    vandal.client.hset(keys.audit_chain(vandal.shard), mapping=head)
    assert "audit.head_changed" not in alarms(capsys)
    pause(NEIGHBOUR, Actor.AGENT, paused=True)
    sealer.seal()
    assert alarms(capsys) == ["audit.head_changed"]
    sealer.seal()
    assert alarms(capsys) == []  # once is enough; what comes after is sealed again
    stated = []
    for _ in range(2):
        populated.clock.advance(DAY / SECOND)
        checkpoint = sealer.checkpoint()
        assert checkpoint is not None
        stated.append(_faults(checkpoint))
    assert stated == [1, 0]


def test_the_command_says_where_and_exits_with_one(populated: TestService) -> None:
    assert invoke(populated, "audit", "verify").exit_code == 0
    Vandal(populated).journal(edited(1, actor="backend"))
    answer = invoke(populated, "audit", "verify")
    assert answer.exit_code == 1
    assert f"CHANGED  shard {populated.shard_of()}, entry 2" in answer.stdout
    entries = json.loads(invoke(populated, "audit", "verify", "--json").stdout)
    assert (entries["intact"], entries["faults"][0]["number"]) == (False, 2)


# --- exports ---

Lines = list[dict[str, Any]]


def exported(service: TestService) -> Lines:
    return [json.loads(line) for line in service.parts.audit.audit_export.export()]


def verdict_of(service: TestService, lines: Lines) -> list[str]:
    texts = [json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines]
    return [str(fault) for fault in service.parts.audit.audit_export.verify_export(texts).faults]


def _moved(line: dict[str, Any], shard: int) -> dict[str, Any]:
    return line | {"shard": shard}


FILES: dict[str, tuple[Callable[[Lines, int], Lines], str]] = {
    "a word is changed": (
        lambda lines, at: [*lines[:at], lines[at] | {"facts": {"kind": "x"}}, *lines[at + 1 :]], "entry 1, id",
    ),
    "a line is removed": (lambda lines, at: [*lines[:at], *lines[at + 1 :]], "entry 1: 1 missing before entry 2"),
    "two lines are exchanged": (
        lambda lines, at: [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]], "entry 1: 1 missing before",
    ),
    "a line is there twice": (lambda lines, at: [*lines[:at], lines[at], *lines[at:]], "out of order, or there twice"),
    "an entry is moved to another shard": (
        lambda lines, at: [*lines[:-1], _moved(lines[at], keys.SHARDS - 1), lines[-1]], "entry 1, id",
    ),
    "a shard is removed": (
        lambda lines, _: [line for line in lines if line.get("shard") != 3], "shard 3: the shard is missing",
    ),
    "a shard is there twice": (
        lambda lines, _: [*lines[:-1], *(line for line in lines if line.get("shard") == 3), lines[-1]],
        "shard 3: the shard is there twice",
    ),
    "the end is cut off": (lambda lines, _: lines[:-1], "its last line is missing"),
    "half of it is cut off": (lambda lines, at: lines[:at], "its last line is missing"),
    "the header is removed": (lambda lines, _: lines[1:], "its first line is missing"),
    "the header's date is changed": (
        lambda lines, _: [lines[0] | {"made_at": "2031-01-01T00:00:00Z"}, *lines[1:]], "its own seal does not fit",
    ),
    "an unsealed tail is added": (
        lambda lines, at: [*lines[:-2], lines[-2], lines[at] | {"id": "9-9", "mac": "", "shard": 255}, lines[-1]],
        "the file has",
    ),
    "a line is no JSON object": (lambda lines, at: [*lines[:at], {}, *lines[at:]], "is not what may stand there"),
    "something stands behind the end": (lambda lines, at: [*lines, lines[at]], "is not what may stand there"),
    "a checkpoint is removed": (lambda lines, _: [lines[0], *lines[2:]], "checkpoint 1: the checkpoint is missing"),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_a_changed_export_is_found_with_its_place(populated: TestService, what: str) -> None:
    change, words = FILES[what]
    lines = exported(populated)
    assert verdict_of(populated, lines) == []
    at = next(
        number
        for number, line in enumerate(lines)
        if line["type"] == "entry" and line["shard"] == populated.shard_of()
    )
    verdict = verdict_of(populated, change(lines, at))
    assert any(words in text for text in verdict), verdict


def test_what_is_no_export_is_refused(populated: TestService) -> None:
    for text in ("", "{}", "[1]\n\x00\n", "[" * 100_000):
        answer = invoke(populated, "audit", "verify", "-", input=text)
        assert (answer.exit_code, "first line is missing" in answer.stdout) == (1, True)
