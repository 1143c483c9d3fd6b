"""The audit trail: sealed behind the scripts, stated by checkpoints, handed out, and ended by its term (LU-6, ST-5)."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from calendar_service.cli import main
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.errors import Busy
from calendar_service.domain.hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.domain.trail import Verdict
from calendar_service.journeys.audit import Wanted
from calendar_service.journeys.signing import SignatureInvalid, check
from calendar_service.newkeys import new_key
from calendar_service.store import keys
from calendar_service.store.journal import Actor
from tests.household import FIRST, Household
from tests.household import SECOND as OTHER_ACCOUNT
from tests.journeys.conftest import NEIGHBOUR
from tests.journeys.test_flow import alarms


def sealed(house: Household) -> None:
    while house.service.sealer.seal():
        pass


def verify(house: Household) -> Verdict:
    return house.service.audit.verify()


def invoke(house: Household, *words: str, **more: Any) -> Result:
    clean = dict.fromkeys(("CALENDAR_KEYRING", "CALENDAR_KEYRING_FILE", "CALENDAR_DATA_DIR"))
    return CliRunner().invoke(main, words, env={**clean, **house.variables}, **more)


def lines(text: str | bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def entries(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in found if line["type"] == "entry"]


def days(house: Household, count: float) -> None:
    house.clock.advance(count * DAY / SECOND)


# --- the sealer ---


def test_what_the_scripts_wrote_is_sealed_and_verifies(lived: Household) -> None:
    verdict = verify(lived)
    assert (verdict.faults, verdict.unsealed, verdict.checkpoints) == ([], {}, 2)
    written = sum(lived.service.database.client.xlen(keys.journal(shard)) for shard in keys.all_shards())
    assert verdict.entries == written > 8


def test_entries_that_no_sealer_has_taken_are_named_as_the_unsealed_tail(lived: Household) -> None:
    lived.service.connections.choose_term(NEIGHBOUR, HOUR)
    assert verify(lived).unsealed == {lived.shard_of(NEIGHBOUR): 1}
    answer = invoke(lived, "audit", "verify")
    assert (answer.exit_code, f"1 in shard {lived.shard_of(NEIGHBOUR)}" in answer.stdout) == (0, True)
    sealed(lived)
    assert verify(lived).unsealed == {}


def test_a_look_when_nothing_is_new_is_one_round_trip(lived: Household) -> None:
    database = lived.service.database
    sealed(lived)
    counts = []
    for written in (0, 1, 0):
        for number in range(written):
            lived.service.connections.choose_term(NEIGHBOUR, (number + 1) * HOUR)
        before = database.round_trips
        lived.service.sealer.seal()
        counts.append(database.round_trips - before)
    assert counts == [1, 2, 1]


def test_many_entries_of_one_shard_are_sealed_batch_by_batch(house: Household) -> None:
    house.connect()
    for number in range(120):
        house.service.connections.choose_term(house.agent, (number + 1) * HOUR)
    assert house.service.sealer.seal() is True
    assert verify(house).unsealed == {0: 1, house.shard_of(): 23}  # shard 0 tells of its beginning
    assert house.service.sealer.seal() is False
    assert (verify(house).unsealed, verify(house).faults) == ({}, [])


def test_several_workers_seal_side_by_side_and_nothing_is_doubled(house: Household) -> None:
    house.connect()
    house.connect(NEIGHBOUR, FIRST)
    workers = [house.replica() for _ in range(3)]

    def write(number: int) -> None:
        whose = (house.agent, NEIGHBOUR)[number % 2]
        house.service.connections.pause(whose, Actor.AGENT, paused=number // 2 % 2 == 0)

    with ThreadPoolExecutor(4) as pool:
        writing = pool.submit(lambda: [write(number) for number in range(120)])
        sealing = [
            pool.submit(lambda one=one: [one.service.sealer.seal() for _ in range(40)]) for one in workers
        ]
        for job in (writing, *sealing):
            job.result()
    sealed(house)
    verdict = verify(house)
    assert (verdict.faults, verdict.unsealed) == ([], {})
    assert verdict.entries == sum(
        house.service.database.client.xlen(keys.journal(shard)) for shard in keys.all_shards()
    )
    for worker in workers:
        worker.close()


def test_the_worker_seals_and_makes_the_first_checkpoint(house: Household) -> None:
    house.connect()
    house.work(2)
    verdict = verify(house)
    assert (verdict.faults, verdict.checkpoints) == ([], 1)
    assert sum(verdict.unsealed.values()) == 1  # that the checkpoint was made


@pytest.mark.parametrize("what", ["a head that was set back", "a MAC behind the head"])
def test_a_sealer_does_not_go_on_from_a_head_that_is_not_its_own(
    lived: Household, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    client, shard = lived.service.database.client, lived.shard_of(NEIGHBOUR)
    if what == "a head that was set back":
        client.hset(keys.trail(shard), mapping={"number": "1", "mac": "0" * 32})
    else:
        client.xadd(keys.seals(shard), {"number": "9", "mac": "0" * 32})
    before = client.xlen(keys.seals(shard))
    lived.service.connections.choose_term(NEIGHBOUR, HOUR)
    sealed(lived)
    assert client.xlen(keys.seals(shard)) == before
    assert "audit.head_changed" in alarms(capsys)


def test_trouble_with_the_trail_keeps_no_erasure_back(house: Household) -> None:
    house.connect()
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    days(house, 8)
    house.service.database.client.set(keys.CHECKPOINTS, "spoilt")
    house.work()
    assert house.service.audit.ends().due == 0
    assert "spoilt" in house.stored()


def test_closing_and_reopening_an_organization_are_entries_that_do_not_name_it(house: Household) -> None:
    organizations = house.service.organizations
    for step in (
        organizations.off_board,
        organizations.off_board,
        organizations.reopen,
        organizations.reopen,
    ):
        step("a-customer")
    sealed(house)
    facts = [entry.facts for entry in house.service.audit.trail.entries(0)]
    assert facts == [
        {"kind": "organization.closed", "actor": "administrator"},
        {"kind": "organization.reopened", "actor": "administrator"},
    ]
    assert "a-customer" not in house.stored()
    assert verify(house).faults == []


def test_that_a_shard_begins_stands_in_shard_0_before_its_first_seal(house: Household) -> None:
    """A worker died between the two: the next one goes on, and it is said once more at the most."""
    house.connect()
    shard = house.shard_of()
    trail, links = house.service.audit.trail, house.service.sealer.links
    chain, news = trail.chains()[shard], list(trail.entries(shard))
    _, numbered = links.extended(chain, news)
    assert trail.begin(shard, numbered[0].mac) is True
    assert (verify(house).faults, verify(house).unsealed) == ([], {0: 1, shard: len(news)})
    sealed(house)
    assert (verify(house).faults, verify(house).unsealed) == ([], {})
    assert trail.begin(shard, numbered[0].mac) is False
    assert str(house.service.database.client.xrange(keys.journal(0))).count("audit.chain_begun") == 2


# --- checkpoints ---


def test_a_checkpoint_states_what_is_due_erased_held_and_overdue(house: Household) -> None:
    gone, held = Agent("acme", "gone"), Agent("acme", "held")
    for agent in (house.agent, gone, held):
        house.connect(agent)
        house.service.disconnect.disconnect(agent, Actor.AGENT)
    house.connect(NEIGHBOUR)
    house.service.access.probe(NEIGHBOUR)
    house.service.disconnect.erase_now(gone, Actor.AGENT)
    until = house.service.clock.now() + 100 * DAY
    house.service.holds.place(held, Hold("A. One", "B. Two", "a court", "a matter", until))
    made = house.service.sealer.checkpoint()
    assert made is not None
    assert {name: made[name] for name in ("number", "due", "held", "erased", "overdue", "probes", "faults")} == {
        "number": 1, "due": 2, "held": 1, "erased": 1, "overdue": 0, "probes": 1, "faults": 0,
    }  # fmt: skip
    assert made["entries"] == verify(house).entries
    assert house.service.audit.newest_checkpoint() == made
    check(made, house.service.public_keys, frozenset())
    with pytest.raises(SignatureInvalid):
        check(made | {"overdue": 1}, house.service.public_keys, frozenset())


def test_the_next_checkpoint_counts_from_the_one_before(lived: Household) -> None:
    lived.service.disconnect.erase_now(lived.agent, Actor.AGENT)
    days(lived, 1)
    made = lived.service.sealer.checkpoint()
    assert made is not None
    assert (made["number"], made["erased"], made["due"]) == (3, 1, 0)
    days(lived, 1)
    then = lived.service.sealer.checkpoint()
    assert then is not None
    assert (then["number"], then["erased"], then["due"]) == (4, 0, 0)
    assert verify(lived).faults == []


def test_probes_are_counted_and_not_listed(house: Household) -> None:
    house.connect()
    sealed(house)
    before = verify(house).entries
    for _ in range(5):
        house.service.access.probe(house.agent)
    sealed(house)
    assert verify(house).entries == before
    stated = []
    for more in (0, 2):
        for _ in range(more):
            house.service.access.probe(house.agent)
        made = house.service.sealer.checkpoint()
        assert made is not None
        stated.append(made["probes"])
        days(house, 1)
    assert stated == [5, 2]


def test_one_of_several_workers_makes_the_days_checkpoint(lived: Household) -> None:
    workers = [lived.replica() for _ in range(4)]
    assert lived.service.sealer.checkpoint() is None  # the last one is of today
    days(lived, 1)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda one: one.service.sealer.checkpoint(), workers))
    assert sum(one is not None for one in made) == 1
    assert verify(lived).checkpoints == 3
    for worker in workers:
        worker.close()


def test_a_checkpoint_of_a_clock_since_put_right_holds_no_other_up(lived: Household) -> None:
    days(lived, 30)
    assert lived.service.sealer.checkpoint() is not None
    days(lived, -29)
    made = lived.service.sealer.checkpoint()
    assert made is not None
    assert made["number"] == 4
    assert lived.service.sealer.checkpoint() is None
    assert verify(lived).faults == []


def test_the_absence_of_a_checkpoint_alarms(lived: Household, capsys: pytest.CaptureFixture[str]) -> None:
    def found() -> tuple[str, float]:
        findings = json.loads(invoke(lived, "doctor", "--json").stdout)
        (level,) = {one["level"] for one in findings if one["check"] == "audit trail"}
        return level, lived.service.metrics()["calendar_audit_checkpoint_age_seconds"]

    assert found() == ("ok", pytest.approx(0, abs=30))
    days(lived, 1.6)
    assert found() == ("fault", pytest.approx(1.6 * DAY / SECOND, abs=30))
    lived.work()
    assert "audit.checkpoint_absent" in alarms(capsys)
    assert found()[0] == "ok"


def test_a_spoilt_checkpoint_is_a_fault_and_hides_no_other_number(lived: Household) -> None:
    lived.service.database.client.zadd(keys.CHECKPOINTS, {"spoilt": 99})
    numbers = lived.service.metrics()
    assert numbers["calendar_audit_faults"] == 1
    assert "calendar_agents_due" in numbers
    findings = json.loads(invoke(lived, "doctor", "--json").stdout)
    assert ("audit trail", "fault") in {(one["check"], one["level"]) for one in findings}
    assert json.loads(invoke(lived, "report", "--json").stdout)["standing"] == "missing"


def test_an_erasure_that_is_overdue_alarms(lived: Household, capsys: pytest.CaptureFixture[str]) -> None:
    days(lived, 7.5)  # and no worker came
    made = lived.service.sealer.checkpoint()
    assert made is not None
    assert made["overdue"] == 1
    assert "erasure.overdue" in alarms(capsys)
    assert lived.service.metrics()["calendar_erasures_overdue"] == 1
    findings = json.loads(invoke(lived, "doctor", "--json").stdout)
    assert "erasures" in {one["check"] for one in findings if one["level"] == "fault"}
    lived.work(2)
    assert lived.service.audit.ends().overdue == 0


def test_a_permission_without_a_proof_of_life_for_three_days_alarms(
    house: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    house.connect()
    house.google.fault("/token", {"status": 503, "reason": "backendError"})

    def told() -> tuple[bool, float, str, int]:
        house.work(2)  # what was written first is sealed first
        (one,) = [
            one
            for one in json.loads(invoke(house, "doctor", "--json").stdout)
            if one["check"] == "permissions"
        ]
        made = house.service.audit.newest_checkpoint() or {}
        number = house.service.metrics()["calendar_grants_unproved"]
        return "grant.unproved" in alarms(capsys), number, one["level"], made["unproved"]

    days(house, 2.9)
    assert told() == (False, 0, "ok", 0)
    days(house, 1.1)
    assert told() == (True, 1, "fault", 1)
    house.google.clear_faults()
    days(house, 1)
    house.work()
    days(house, 1)
    assert told() == (False, 0, "ok", 0)


def test_a_permission_that_is_over_needs_no_proof_of_life(lived: Household) -> None:
    days(lived, 5)
    assert lived.service.audit.ends().unproved == 1  # the neighbour's; the other's connection is over


def test_a_token_that_outlives_its_errand_is_overdue_too(house: Household) -> None:
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    house.connect()
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.service.disconnect.erase_now(house.agent, Actor.AGENT)
    assert house.service.audit.ends().overdue == 0
    days(house, 7.1)
    assert house.service.audit.ends().overdue == 1


def test_a_trail_that_was_changed_is_told_by_the_next_checkpoint(
    lived: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    client, name = lived.service.database.client, keys.journal(lived.shard_of(NEIGHBOUR))
    last = client.xrevrange(name, count=1)[0][0]
    client.xdel(name, last)
    days(lived, 1)
    made = lived.service.sealer.checkpoint()
    assert made is not None
    assert made["faults"] == 1
    assert "audit.trail_broken" in alarms(capsys)
    assert lived.service.metrics()["calendar_audit_faults"] == 1
    findings = json.loads(invoke(lived, "doctor", "--json").stdout)
    assert "audit trail" in {one["check"] for one in findings if one["level"] == "fault"}


def test_without_any_checkpoint_the_doctor_says_so(house: Household) -> None:
    findings = json.loads(invoke(house, "doctor", "--json").stdout)
    assert next(one["level"] for one in findings if one["check"] == "audit trail") == "note"
    assert "calendar_audit_checkpoint_age_seconds" not in house.service.metrics()


# --- the term ---


def test_entries_past_their_term_end_at_a_checkpoint_and_the_rest_verifies(lived: Household) -> None:
    lived.service.disconnect.erase_now(lived.agent, Actor.AGENT)
    days(lived, 1)
    lived.service.sealer.checkpoint()
    lived.service.connections.choose_term(NEIGHBOUR, HOUR)
    before = verify(lived).entries
    (receipt,) = lived.service.database.client.hkeys(keys.receipts(lived.shard_of()))
    days(lived, 399)
    lived.service.sealer.checkpoint()
    verdict = verify(lived)
    assert (verdict.faults, verdict.checkpoints) == (
        [],
        3,
    )  # the second one, at which the rest begins, and two more
    assert 0 < verdict.entries < before
    assert lived.service.disconnect.receipt(receipt)
    days(lived, 2)
    lived.service.sealer.checkpoint()
    verdict = verify(lived)
    assert (verdict.faults, verdict.checkpoints) == ([], 3)
    assert lived.service.database.client.hkeys(keys.receipts(lived.shard_of())) == []
    export = list(lived.service.audit.export())
    assert lived.service.audit.verify_export(export).faults == []
    lived.service.connections.choose_term(NEIGHBOUR, 2 * HOUR)
    sealed(lived)
    assert verify(lived).faults == []


def test_no_entry_and_no_receipt_ends_while_the_clocks_disagree(
    lived: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    lived.service.disconnect.erase_now(lived.agent, Actor.AGENT)
    days(lived, 1)
    lived.service.sealer.checkpoint()
    before, receipts = verify(lived).entries, keys.receipts(lived.shard_of())
    days(lived, 500)  # for the database, and not for this worker
    behind = Household.of(
        lived.variables["CALENDAR_REDIS_URL"], lived.google, lived.clock,
        **lived.variables | {"CALENDAR_TEST_SKEW": str(-500 * DAY // SECOND)},
    )  # fmt: skip
    assert behind.service.sealer.checkpoint() is not None
    behind.close()
    assert (verify(lived).faults, verify(lived).entries > before) == ([], True)
    assert lived.service.database.client.hlen(receipts) == 1
    assert alarms(capsys).count("erasure.clocks_differ") == 1
    days(lived, 1)  # and now both say so
    lived.service.sealer.checkpoint()
    assert (verify(lived).faults, verify(lived).entries < before) == ([], True)
    assert lived.service.database.client.hlen(receipts) == 0
    assert "erasure.clocks_differ" not in alarms(capsys)


def test_a_reading_during_which_the_term_ended_entries_is_begun_again(lived: Household) -> None:
    days(lived, 402)
    reading = lived.service.audit.export()
    next(reading)
    lived.service.sealer.checkpoint()
    with pytest.raises(Busy, match="Begin it again"):
        list(reading)


# --- handing out ---


def test_an_export_verifies_also_when_it_is_sealed_and_written_to_meanwhile(lived: Household) -> None:
    reading = lived.service.audit.export()
    begun = [next(reading) for _ in range(3)]
    lived.service.connections.choose_term(NEIGHBOUR, HOUR)
    sealed(lived)
    days(lived, 1)
    lived.service.sealer.checkpoint()
    verdict = lived.service.audit.verify_export([*begun, *reading])
    assert (verdict.faults, verdict.unsealed) == ([], {0: 1, lived.shard_of(NEIGHBOUR): 1})


def test_the_export_is_a_file_for_its_owner_that_the_command_verifies(
    lived: Household, tmp_path: Path
) -> None:
    path = tmp_path / "trail.jsonl"
    answer = invoke(lived, "audit", "export", "--output", str(path))
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert "entries" in answer.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    found = lines(path.read_bytes())
    assert {line["type"] for line in found} == {"audit-export", "checkpoint", "shard", "entry", "end"}
    verified = invoke(lived, "audit", "verify", str(path), "--json")
    assert (verified.exit_code, json.loads(verified.stdout)["entries"]) == (0, len(entries(found)))
    assert lines(invoke(lived, "audit", "export").stdout)[1:-1] == found[1:-1]


def test_an_export_can_be_narrowed_and_each_entry_still_proves_itself(
    lived: Household, tmp_path: Path
) -> None:
    own = lived.service.audit.connection_of(NEIGHBOUR)
    everything = entries(lines(invoke(lived, "audit", "export").stdout))
    middle = sorted(line["at"] for line in everything)[len(everything) // 2]
    for words, wanted in (
        (("--kind", "session.accepted"), lambda line: line["facts"]["kind"] == "session.accepted"),
        (("--connection", own), lambda line: line["facts"].get("connection") == own),
        (
            ("--organization", "acme", "--agent", "neighbour"),
            lambda line: line["facts"].get("connection") == own,
        ),
        (("--since", middle), lambda line: line["at"] >= middle),
        (("--until", middle), lambda line: line["at"] < middle),
    ):
        path = tmp_path / words[0]
        invoke(lived, "audit", "export", *words, "--output", str(path))
        found = entries(lines(path.read_bytes()))
        assert found == [line for line in everything if wanted(line)] != []
        answer = invoke(lived, "audit", "verify", str(path))
        assert (answer.exit_code, "part of the trail" in answer.stdout) == (0, True)


@pytest.mark.parametrize("spoil", ["changed", "removed"])
def test_a_narrowed_export_that_was_changed_is_found(lived: Household, spoil: str) -> None:
    found = list(lived.service.audit.export(Wanted(kinds=("session.accepted",))))
    at = next(number for number, line in enumerate(found) if b'"type":"entry"' in line)
    found[at : at + 1] = [found[at].replace(b'"revision":1', b'"revision":7')] if spoil == "changed" else []
    faults = [str(fault) for fault in lived.service.audit.verify_export(found).faults]
    assert any("its own seal does not fit" in fault for fault in faults)
    assert any("is not as it was sealed" in fault for fault in faults) == (spoil == "changed")


@pytest.mark.parametrize(
    "words",
    [
        ("--agent", "agent-1"),
        ("--organization", "acme"),
        ("--organization", "acme", "--agent", "a", "--connection", "x"),
        ("--since", "yesterday"),
        ("--kind", "gossip"),
        ("--output", "/nonexistent/trail"),
    ],
)
def test_an_export_that_is_asked_for_wrongly_is_refused(lived: Household, words: tuple[str, ...]) -> None:
    answer = invoke(lived, "audit", "export", *words)
    assert (answer.exit_code, answer.stdout) == (2, "")


def test_another_identity_key_or_signing_key_verifies_nothing(lived: Household) -> None:
    export = b"".join(lived.service.audit.export())
    stranger = Household.of(
        "", lived.google, lived.clock, CALENDAR_REDIS_URL=lived.variables["CALENDAR_REDIS_URL"]
    )
    faults = [
        str(fault) for fault in stranger.service.audit.verify_export(export.splitlines(keepends=True)).faults
    ]
    assert "checkpoint 1: the checkpoint names a signing key that is not the operator's" in faults
    assert any("entry 1" in fault for fault in faults)
    stranger.close()


def test_checkpoints_of_a_former_signing_key_verify_by_its_public_half(
    lived: Household, tmp_path: Path
) -> None:
    path, former = tmp_path / "trail", lived.service.public_keys[0]
    path.write_bytes(b"".join(lived.service.audit.export()))
    newer = Household.of(
        "", lived.google, lived.clock, **{**lived.variables, "CALENDAR_SIGNING_KEY": new_key()}
    )
    assert invoke(newer, "audit", "verify", str(path)).exit_code == 1
    assert invoke(newer, "audit", "verify", str(path), "--public-key", former).exit_code == 0
    assert invoke(newer, "audit", "verify", "--public-key", former).exit_code == 0
    newer.close()


# --- who is who ---


def test_after_the_erasure_nothing_that_is_left_leads_from_an_entry_to_the_agent(house: Household) -> None:
    house.connect()
    view = house.service.schedule.put(house.agent, "a-session", house.content("Private"), By.AGENT, None)
    house.service.organizations.pause(house.agent, Actor.ADMINISTRATOR, paused=True)
    connection = house.service.audit.connection_of(house.agent)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    receipt = house.service.disconnect.erase_now(house.agent, Actor.AGENT)
    house.work(2)
    rows = [line.partition(" = ") for line in house.stored().splitlines()]
    kept = [row for row in rows if not row[0].startswith("browser:")]  # an open page, for hours at most
    naming = {name for name, _, value in kept if connection in name + value}
    assert naming == {keys.journal(house.shard_of())}
    everything = "\n".join("".join(parts) for parts in kept)
    for word in (
        "acme",
        "agent-1",
        FIRST,
        "a-session",
        "Private",
        view.calendar_id,
        view.event_id,
        receipt["salt"],
    ):
        assert word not in everything
    refused = invoke(house, "audit", "export", "--organization", "acme", "--agent", "agent-1")
    assert (refused.exit_code, "cannot be told from others" in refused.stderr) == (1, True)


def test_each_connection_has_a_pseudonym_of_its_own_and_its_own_end(house: Household) -> None:
    names = []
    for account in (FIRST, OTHER_ACCOUNT):  # the second connect replaces the first connection
        house.connect(account=account)
        names.append(house.service.audit.connection_of(house.agent))
    found = entries([json.loads(line) for line in house.service.audit.export()])
    ended = [
        line["facts"]["connection"] for line in found if line["facts"]["kind"] == "connection.disconnected"
    ]
    assert ended == [names[0]]
    assert len(set(names)) == 2


def test_an_errands_end_belongs_to_the_connection_that_left_it(house: Household) -> None:
    house.google.fault("/revoke", {"status": 503, "reason": "backendError"}, times=1)
    house.connect()
    former = house.service.audit.connection_of(house.agent)
    house.service.disconnect.disconnect(house.agent, Actor.AGENT)
    house.service.disconnect.erase_now(house.agent, Actor.AGENT)
    house.clock.advance(MINUTE / SECOND)
    house.work()
    found = entries([json.loads(line) for line in house.service.audit.export()])
    last = [line["facts"] for line in found if line["facts"]["kind"] == "errand.step"][-1]
    assert (last["connection"], last["outcome"]) == (former, "confirmed")


def test_an_expiry_by_the_database_itself_is_noted_and_counted(house: Household) -> None:
    house.connect()
    client = house.service.database.client
    client.delete(*(house.key(part) for part in keys.SLOT_PARTS))  # as its expiry does
    days(house, 2)
    house.work()
    house.work()
    found = entries([json.loads(line) for line in house.service.audit.export()])
    assert [line["facts"]["kind"] for line in found].count("connection.expired") == 1
    newest = house.service.audit.newest_checkpoint()
    assert newest is not None
    assert newest["erased"] == 1
