"""The audit log once its entries are compressed in batches: it says the same, and a change of it is found (LU-6)."""

import json
import zlib
from base64 import b85encode
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendar_service.domain.audit import AuditEntry
from calendar_service.domain.clock import DAY, HOUR, rfc3339_millis
from calendar_service.domain.names import Agent
from calendar_service.store import audit_batches, audit_chain, keys
from calendar_service.store.audit_batches import packed, unpacked
from calendar_service.store.audit_log import Actor
from tests.journeys.conftest import NEIGHBOUR
from tests.journeys.test_audit_tampering import Vandal, edited, inserted
from tests.journeys.test_audit_trail import days, entries, lines, sealed, verify
from tests.journeys.test_throttle import alarms
from tests.support.evidence import shows
from tests.support.service import TestService


def exported(service: TestService) -> list[dict[str, object]]:
    return entries(lines(b"".join(service.parts.audit.audit_export.export())))


def compact(service: TestService) -> None:
    """Compress what is old enough, as the day's checkpoint does."""
    service.parts.audit.sealer.compactor.compact(service.parts.audit.chain.now())


@pytest.fixture
def compacted(populated: TestService) -> TestService:
    """The populated service after three days: both checkpoints' entries lie in batches."""
    days(populated, 3)
    compact(populated)
    return populated


def own_entries(service: TestService) -> int:
    return sum(service.parts.store.database.client.xlen(keys.audit_log(shard)) for shard in keys.all_shards())


# --- it says the same ---


@shows("LU-6")
def test_a_compacted_log_is_exported_and_verified_as_before(populated: TestService) -> None:
    days(populated, 3)
    before, stored = exported(populated), own_entries(populated)
    compact(populated)
    assert own_entries(populated) < stored
    assert exported(populated) == before
    assert (verify(populated).faults, verify(populated).entries) == ([], len(before))
    # Once more changes nothing.
    compact(populated)
    assert exported(populated) == before


def test_only_what_a_checkpoint_of_two_days_ago_holds_is_compacted(populated: TestService) -> None:
    stored, client = own_entries(populated), populated.parts.store.database.client
    days(populated, 1)  # the first checkpoint is two days old, the second one a day
    compact(populated)
    heads = [json.loads(text)["heads"] for text in client.hvals(keys.CHECKPOINT_DETAILS)]
    first, second = sorted(heads, key=lambda one: one[str(populated.shard_of())][0])
    assert own_entries(populated) == stored - sum(head[0] for head in first.values())
    days(populated, 1)
    compact(populated)
    assert own_entries(populated) == stored - sum(head[0] for head in second.values())
    assert client.xlen(keys.audit_batches(populated.shard_of())) == 2  # a batch ends at each head


def test_the_days_checkpoint_compacts_and_the_chain_goes_on(populated: TestService) -> None:
    """Also in a shard of which every entry is compacted, where the chain's last MAC has no place of its own."""
    days(populated, 1)
    populated.parts.audit.sealer.checkpoint()
    days(populated, 3)
    populated.parts.audit.sealer.checkpoint()
    client, shard = populated.parts.store.database.client, populated.shard_of(NEIGHBOUR)
    assert client.xlen(keys.audit_macs(shard)) == 0
    populated.parts.store.connections.choose_retention(NEIGHBOUR, HOUR)
    sealed(populated)
    assert client.xlen(keys.audit_macs(shard)) == 1
    assert (verify(populated).faults, verify(populated).unsealed) == ([], {})


def test_an_agents_history_reads_batches_too(compacted: TestService) -> None:
    chain = compacted.parts.audit.chain
    for agent in (compacted.agent, NEIGHBOUR):
        newest = [entry.id for entry in chain.newest_first(agent)]
        shard = compacted.shard_of(agent)
        assert newest == [
            entry.id for entry in reversed([*compacted.parts.audit.audit_export.reader.entries(shard)])
        ]


@pytest.mark.parametrize("read_before", [0, 1, 2])
def test_what_is_compacted_while_it_is_read_is_read_once(
    populated: TestService, monkeypatch: pytest.MonkeyPatch, read_before: int
) -> None:
    monkeypatch.setattr(audit_chain, "PAGE", 1)
    days(populated, 3)
    shard, reader = populated.shard_of(), populated.parts.audit.audit_export.reader
    whole = [*reader.entries(shard)]
    assert len(whole) > 3
    reading = reader.entries(shard)
    begun = [next(reading) for _ in range(read_before)]
    backwards = populated.parts.audit.chain.newest_first(populated.agent)
    begun_backwards = [next(backwards) for _ in range(read_before)]
    compact(populated)
    assert [*begun, *reading] == whole
    assert [one.id for one in (*begun_backwards, *backwards)] == [one.id for one in reversed(whole)]


def test_many_entries_are_several_batches(populated: TestService) -> None:
    days(populated, 3)
    before, client = exported(populated), populated.parts.store.database.client
    compactor = replace(populated.parts.audit.sealer.compactor, longest=2)
    compactor.compact(populated.parts.audit.chain.now())
    assert client.xlen(keys.audit_batches(populated.shard_of())) > 2
    assert (exported(populated), verify(populated).faults) == (before, [])


def test_two_workers_compact_side_by_side(populated: TestService) -> None:
    """Both have read the same entries. The second one's batch begins where nothing begins any more."""
    days(populated, 3)
    before, chain = exported(populated), populated.parts.audit.chain
    first = chain.chains()[populated.shard_of()]
    batch = [*populated.parts.audit.audit_export.reader.entries(first.shard)][:2]
    assert chain.compact(first.shard, batch, first.base) == "ok"
    assert chain.compact(first.shard, batch, first.base) == "moved"
    compact(populated)
    assert (exported(populated), verify(populated).faults) == (before, [])


def test_the_end_of_the_term_removes_whole_batches_with_their_receipts(populated: TestService) -> None:
    populated.parts.connection.erasure.erase_now(populated.agent, Actor.AGENT)
    client, shard = populated.parts.store.database.client, populated.shard_of()
    for _ in range(3):
        days(populated, 1)
        populated.parts.audit.sealer.checkpoint()
    assert client.xlen(keys.audit_batches(shard)) == 3
    assert client.hlen(keys.receipts(shard)) == 1
    days(populated, 400)
    populated.parts.audit.sealer.checkpoint()
    days(populated, 1)
    populated.parts.audit.sealer.checkpoint()
    assert client.xlen(keys.audit_batches(shard)) == 0
    assert client.hlen(keys.receipts(shard)) == 0
    assert "compacted_id" not in client.hgetall(keys.audit_chain(shard))
    assert verify(populated).faults == []
    populated.parts.store.connections.choose_retention(populated.agent, HOUR)
    sealed(populated)
    assert (verify(populated).faults, verify(populated).unsealed) == ([], {})


# --- a change of it is found ---


def batch_of(vandal: Vandal, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    """Change the fields of the agent's first batch."""
    vandal.rewrite(
        keys.audit_batches(vandal.shard),
        lambda batches: [(batches[0][0], change(batches[0][1])), *batches[1:]],
    )


def rewritten(**facts: str) -> Callable[[Vandal], None]:
    """Let the first entry of a batch say something else, in the form in which the service writes batches."""

    def change(vandal: Vandal) -> None:
        def other(fields: dict[str, str]) -> dict[str, str]:
            first, *rest = unpacked(vandal.shard, fields["entries"])
            changed = AuditEntry(vandal.shard, first.id, first.at, {**first.facts, **facts})
            return fields | {"entries": packed([changed, *rest])}

        batch_of(vandal, other)

    return change


def shortened(vandal: Vandal) -> None:
    batch_of(
        vandal,
        lambda fields: fields | {"entries": packed(unpacked(vandal.shard, fields["entries"])[1:])},
    )


def of_another_shard(vandal: Vandal) -> None:
    neighbours = vandal.client.xrange(keys.audit_batches(vandal.service.shard_of(NEIGHBOUR)))[0][1]
    batch_of(vandal, lambda _: neighbours)


BOMB = b85encode(zlib.compress(b"[" + b"1," * 4_000_000 + b"1]", 9)).decode()

CHANGES: dict[str, Callable[[Vandal], object]] = {
    "what an entry says is changed": rewritten(actor="operator"),
    "an entry is left out": shortened,
    "the entries are no batch": lambda v: batch_of(v, lambda fields: fields | {"entries": "x y"}),
    "the entries are empty": lambda v: batch_of(v, lambda fields: fields | {"entries": ""}),
    "the entries expand without end": lambda v: batch_of(v, lambda fields: fields | {"entries": BOMB}),
    "the last MAC is changed": lambda v: batch_of(v, lambda fields: fields | {"mac": "0" * 32}),
    "the MAC before is changed": lambda v: batch_of(v, lambda fields: fields | {"before_mac": "0" * 32}),
    "the number before is changed": lambda v: batch_of(v, lambda fields: fields | {"before": "7"}),
    "fields are missing": lambda v: batch_of(v, lambda _: {"mac": "0" * 32}),
    "it is another shard's": of_another_shard,
    "the batch is removed": lambda v: v.rewrite(keys.audit_batches(v.shard), lambda batches: batches[1:]),
    "all batches are removed": lambda v: v.client.delete(keys.audit_batches(v.shard)),
}


@shows("LU-6")
@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_batch_is_found_and_proves_nothing(compacted: TestService, what: str) -> None:
    vandal, genuine = Vandal(compacted), exported(compacted)
    assert verify(compacted).faults == []
    CHANGES[what](vandal)
    faults = verify(compacted).faults
    assert {fault.shard for fault in faults} == {vandal.shard}
    assert faults[0].number in {1, None}
    # No entry is exported with a MAC that it did not have, so none that somebody wrote looks genuine.
    macs = {(line["shard"], line["number"], line["mac"], json.dumps(line["facts"])) for line in genuine}
    for line in exported(compacted):
        key = (line["shard"], line["number"], line["mac"], json.dumps(line["facts"]))
        assert key in macs or not line["facts"] or not line["mac"]
    # The rest of the service goes on.
    sealed(compacted)
    assert [*compacted.parts.audit.chain.newest_first(NEIGHBOUR)]


def test_a_batch_that_was_set_back_to_a_former_one_is_found(compacted: TestService) -> None:
    vandal = Vandal(compacted)
    batches = vandal.client.xrange(keys.audit_batches(vandal.shard))
    vandal.rewrite(
        keys.audit_batches(vandal.shard), lambda old: [old[0], (old[1][0], batches[0][1]), *old[2:]]
    )
    assert verify(compacted).faults


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("changed", lambda vandal: vandal.journal(edited(1, actor="operator"))),
        ("inserted", lambda vandal: vandal.journal(inserted(1))),
        ("removed", lambda vandal: vandal.journal(lambda stored: [stored[0], *stored[2:]])),
        ("with another MAC", lambda vandal: vandal.seals(lambda stored: [stored[0], *stored[2:]])),
    ],
)
def test_what_is_not_as_it_was_sealed_is_left_as_it_is_and_alarms(
    populated: TestService, capsys: pytest.CaptureFixture[str], what: str, change: Callable[[Vandal], None]
) -> None:
    days(populated, 3)
    vandal = Vandal(populated)
    change(vandal)
    before, faults = vandal.client.xrange(keys.audit_log(vandal.shard)), verify(populated).faults
    assert faults, what
    capsys.readouterr()
    compact(populated)
    assert alarms(capsys) == ["audit.chain_broken"]
    assert vandal.client.xrange(keys.audit_log(vandal.shard)) == before
    assert verify(populated).faults == faults  # at the same place
    assert vandal.client.xlen(keys.audit_batches(populated.shard_of(NEIGHBOUR))) > 0


def test_an_entry_that_is_inserted_after_the_reading_is_not_removed_unseen(populated: TestService) -> None:
    days(populated, 3)
    vandal, chain = Vandal(populated), populated.parts.audit.chain
    read = [*populated.parts.audit.audit_export.reader.entries(vandal.shard)][:3]
    vandal.journal(inserted(1))
    assert chain.compact(vandal.shard, read, chain.chains()[vandal.shard].base) == "broken"
    assert vandal.client.xlen(keys.audit_batches(vandal.shard)) == 0


def test_entries_that_a_batch_would_not_give_back_stay_as_they_are(
    populated: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    """An attacker wrote one that is longer than any of ours before it was sealed. Nothing of it may be lost."""
    client, shard = populated.parts.store.database.client, populated.shard_of()
    client.xadd(keys.audit_log(shard), {"at": "1", "entry": "x" * audit_batches.MAX_BYTES})
    days(populated, 1)
    populated.parts.audit.sealer.checkpoint()
    days(populated, 3)
    before = exported(populated)
    capsys.readouterr()
    compact(populated)
    assert "audit.chain_broken" in alarms(capsys)
    assert (exported(populated), verify(populated).faults) == (before, [])


@pytest.mark.parametrize("receipt", [7, None, ["1-a"], {"a": 1}])
def test_an_entry_of_another_form_does_not_stop_the_end_of_the_term(
    populated: TestService, receipt: object
) -> None:
    client, shard = populated.parts.store.database.client, populated.shard_of()
    client.xadd(keys.audit_log(shard), {"at": "1", "entry": json.dumps({"receipt": receipt})})
    populated.parts.audit.sealer.chains = []
    for pause in (1, 401, 1):
        days(populated, pause)
        assert populated.parts.audit.sealer.checkpoint() is not None
    assert verify(populated).faults == []
    assert client.xlen(keys.audit_batches(shard)) == 0


# --- the form ---

MILLIS = st.integers(min_value=1, max_value=4_102_444_800_000)
FACTS = st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.booleans(), max_size=5)


@given(
    st.lists(st.tuples(MILLIS, st.integers(0, 99), FACTS, st.booleans()), max_size=20),
    st.integers(min_value=0, max_value=255),
)
def test_a_batch_holds_what_was_put_into_it(
    rows: list[tuple[int, int, dict[str, object], bool]], shard: int
) -> None:
    put = [
        AuditEntry(shard, f"{at}-{count}", rfc3339_millis(at if is_same else at + DAY), facts)
        for at, count, facts, is_same in rows
    ]
    assert list(unpacked(shard, packed(put))) == put


@pytest.mark.parametrize(
    "text",
    [
        "", "~~~~", "é", b85encode(b"not deflated").decode(), BOMB,
        *(
            b85encode(zlib.compress(document.encode())).decode()
            for document in (
                "{", "null", "[]", "[[1],[0],[0]]", "[[1],[0],[0],[{}],[]]", "[[1,2],[0],[0],[{}]]",
                '[["x"],[0],[""],[{}]]', "[[1],[0],[0],[7]]", "[[1e999],[0],[0],[{}]]", "[" * 100_000,
            )
        ),
        b85encode(zlib.compress(b"[[1],[0],[0],[{}]]")[:-4]).decode(),
    ],
)  # fmt: skip
def test_what_is_no_batch_holds_nothing(text: str) -> None:
    assert unpacked(0, text) == ()


def test_a_batch_of_the_longest_entries_is_within_the_limit() -> None:
    facts = {"kind": "x" * 40, "actor": "administrator", "connection": "c" * 22, "receipt": "r" * 64}
    put = [AuditEntry(0, f"{at}-0", rfc3339_millis(at), facts) for at in range(audit_batches.MAX_ENTRIES)]
    assert len(unpacked(0, packed(put))) == audit_batches.MAX_ENTRIES


def test_agents_of_one_shard_share_its_batches(compacted: TestService) -> None:
    """A batch names nobody: connections by their random numbers only."""
    client = compacted.parts.store.database.client
    for shard in keys.all_shards():
        for _, fields in client.xrange(keys.audit_batches(shard)):
            text = str(unpacked(shard, fields["entries"]))
            assert Agent("acme", "neighbour").agent not in text
            assert compacted.agent.agent not in text
