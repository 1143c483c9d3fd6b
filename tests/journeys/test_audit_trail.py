"""The audit log: sealed after the scripts, summed up by checkpoints, exported, and ended by retention (LU-6, ST-5)."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from calendar_service.cli import main
from calendar_service.config.new_keys import new_key
from calendar_service.crypto.signing import SignatureInvalid
from calendar_service.domain.audit import Verdict
from calendar_service.domain.checkpoint import Statement
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.errors import Busy
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.journeys.audit.audit_export import ExportFilter
from calendar_service.journeys.audit.checkpoints import verified_statement
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from tests.journeys.conftest import NEIGHBOUR
from tests.journeys.test_throttle import alarms
from tests.support.evidence import shows
from tests.support.service import FIRST, TestService
from tests.support.service import SECOND as OTHER_ACCOUNT


def sealed(service: TestService) -> None:
    while service.parts.audit.sealer.seal():
        pass


def verify(service: TestService) -> Verdict:
    return service.parts.audit.audit_export.verify()


def invoke(service: TestService, *words: str, **more: Any) -> Result:
    clean = dict.fromkeys(("CALENDAR_KEYRING", "CALENDAR_KEYRING_FILE", "CALENDAR_DATA_DIR"))
    return CliRunner().invoke(main, words, env={**clean, **service.variables}, **more)


def lines(text: str | bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def entries(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in rows if line["type"] == "entry"]


def days(service: TestService, count: float) -> None:
    service.clock.advance(count * DAY / SECOND)


# --- the sealer ---


def test_what_the_scripts_wrote_is_sealed_and_verifies(populated: TestService) -> None:
    verdict = verify(populated)
    assert (verdict.faults, verdict.unsealed, verdict.checkpoints) == ([], {}, 2)
    written = sum(
        populated.parts.store.database.client.xlen(keys.audit_log(shard)) for shard in keys.all_shards()
    )
    assert verdict.entries == written > 8


def test_entries_that_no_sealer_has_taken_are_named_as_the_unsealed_tail(populated: TestService) -> None:
    populated.parts.store.connections.choose_retention(NEIGHBOUR, HOUR)
    assert verify(populated).unsealed == {populated.shard_of(NEIGHBOUR): 1}
    answer = invoke(populated, "audit", "verify")
    assert (answer.exit_code, f"1 in shard {populated.shard_of(NEIGHBOUR)}" in answer.stdout) == (0, True)
    sealed(populated)
    assert verify(populated).unsealed == {}


def test_sealing_when_nothing_is_new_is_one_round_trip(populated: TestService) -> None:
    database = populated.parts.store.database
    sealed(populated)
    counts = []
    for written in (0, 1, 0):
        for number in range(written):
            populated.parts.store.connections.choose_retention(NEIGHBOUR, (number + 1) * HOUR)
        before = database.round_trips
        populated.parts.audit.sealer.seal()
        counts.append(database.round_trips - before)
    assert counts == [1, 2, 1]


def test_many_entries_of_one_shard_are_sealed_batch_by_batch(service: TestService) -> None:
    service.connect()
    for number in range(120):
        service.parts.store.connections.choose_retention(service.agent, (number + 1) * HOUR)
    assert service.parts.audit.sealer.seal() is True
    assert verify(service).unsealed == {0: 1, service.shard_of(): 23}  # shard 0 tells of its beginning
    assert service.parts.audit.sealer.seal() is False
    assert (verify(service).unsealed, verify(service).faults) == ({}, [])


def test_several_workers_seal_side_by_side_and_nothing_is_doubled(service: TestService) -> None:
    service.connect()
    service.connect(NEIGHBOUR, FIRST)
    workers = [service.replica() for _ in range(3)]

    def write(number: int) -> None:
        whose = (service.agent, NEIGHBOUR)[number % 2]
        service.parts.store.connections.pause(whose, Actor.AGENT, paused=number // 2 % 2 == 0)

    with ThreadPoolExecutor(4) as pool:
        writing = pool.submit(lambda: [write(number) for number in range(120)])
        sealing = [
            pool.submit(lambda one=one: [one.parts.audit.sealer.seal() for _ in range(40)]) for one in workers
        ]
        for job in (writing, *sealing):
            job.result()
    sealed(service)
    verdict = verify(service)
    assert (verdict.faults, verdict.unsealed) == ([], {})
    assert verdict.entries == sum(
        service.parts.store.database.client.xlen(keys.audit_log(shard)) for shard in keys.all_shards()
    )
    for worker in workers:
        worker.close()


def test_the_worker_seals_and_makes_the_first_checkpoint(service: TestService) -> None:
    service.connect()
    service.work(2)
    verdict = verify(service)
    assert (verdict.faults, verdict.checkpoints) == ([], 1)
    assert sum(verdict.unsealed.values()) == 1  # that the checkpoint was made


@pytest.mark.parametrize("what", ["a head that was set back", "a MAC behind the head"])
def test_a_sealer_does_not_go_on_from_a_head_that_is_not_its_own(
    populated: TestService, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    client, shard = populated.parts.store.database.client, populated.shard_of(NEIGHBOUR)
    if what == "a head that was set back":
        client.hset(keys.audit_chain(shard), mapping={"number": "1", "mac": "0" * 32})
    else:
        client.xadd(keys.audit_macs(shard), {"number": "9", "mac": "0" * 32})
    before = client.xlen(keys.audit_macs(shard))
    populated.parts.store.connections.choose_retention(NEIGHBOUR, HOUR)
    sealed(populated)
    assert client.xlen(keys.audit_macs(shard)) == before
    assert "audit.head_changed" in alarms(capsys)


def test_trouble_with_the_audit_chain_keeps_no_erasure_back(service: TestService) -> None:
    service.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    days(service, 8)
    service.parts.store.database.client.set(keys.CHECKPOINTS, "spoilt")
    service.work()
    assert service.parts.audit.audit_export.ends().due == 0
    assert "spoilt" in service.stored()


@shows("LU-6")
def test_closing_and_reopening_an_organization_are_entries_that_do_not_name_it(service: TestService) -> None:
    organizations = service.parts.operations.organizations
    for step in (
        organizations.off_board,
        organizations.off_board,
        organizations.reopen,
        organizations.reopen,
    ):
        step("a-customer")
    sealed(service)
    facts = [entry.facts for entry in service.parts.audit.audit_export.reader.entries(0)]
    assert facts == [
        {"kind": "organization.closed", "actor": "administrator"},
        {"kind": "organization.reopened", "actor": "administrator"},
    ]
    assert "a-customer" not in service.stored()
    assert verify(service).faults == []


def test_that_a_shard_begins_stands_in_shard_0_before_its_first_seal(service: TestService) -> None:
    """A worker dies between the two. The next one goes on, and the beginning is announced once more at most."""
    service.connect()
    shard = service.shard_of()
    audit_chain, chain_macs = service.parts.audit.chain, service.parts.audit.sealer.chain_macs
    chain, news = audit_chain.chains()[shard], list(service.parts.audit.audit_export.reader.entries(shard))
    _, numbered = chain_macs.extended(chain, news)
    assert audit_chain.begin(shard, numbered[0].mac) is True
    assert (verify(service).faults, verify(service).unsealed) == ([], {0: 1, shard: len(news)})
    sealed(service)
    assert (verify(service).faults, verify(service).unsealed) == ([], {})
    assert audit_chain.begin(shard, numbered[0].mac) is False
    assert str(service.parts.store.database.client.xrange(keys.audit_log(0))).count("audit.chain_begun") == 2


# --- checkpoints ---


def test_a_checkpoint_states_what_is_due_erased_held_and_overdue(service: TestService) -> None:
    gone, held = Agent("acme", "gone"), Agent("acme", "held")
    for agent in (service.agent, gone, held):
        service.connect(agent)
        service.parts.connection.disconnect.disconnect(agent, Actor.AGENT)
    service.connect(NEIGHBOUR)
    service.parts.connection.access.probe(NEIGHBOUR)
    service.parts.connection.erasure.erase_now(gone, Actor.AGENT)
    until = service.parts.clock.now() + 100 * DAY
    service.parts.personal_data.holds.place(held, Hold("A. One", "B. Two", "a court", "a matter", until))
    checkpoint = service.parts.audit.sealer.checkpoint()
    assert checkpoint is not None
    assert checkpoint.details["probes"] == 1
    assert checkpoint.details["entries"] == verify(service).entries
    assert service.parts.audit.audit_export.newest_checkpoint() == checkpoint
    stated = verified_statement(checkpoint.note, service.parts.audit.public_keys)
    assert (stated.number, stated.overdue, stated.faults) == (1, 0, 0)
    assert (stated.due, stated.held, stated.erased, stated.unverified) == (2, 1, 1, 0)
    with pytest.raises(SignatureInvalid, match="was changed after it was signed"):
        verified_statement(
            checkpoint.note.replace("overdue: 0", "overdue: 1"), service.parts.audit.public_keys
        )


def test_the_next_checkpoint_counts_from_the_one_before(populated: TestService) -> None:
    populated.parts.connection.erasure.erase_now(populated.agent, Actor.AGENT)
    days(populated, 1)
    checkpoint = populated.parts.audit.sealer.checkpoint()
    assert checkpoint is not None
    assert (checkpoint.number, checkpoint.statement.erased, checkpoint.statement.due) == (3, 1, 0)
    days(populated, 1)
    then = populated.parts.audit.sealer.checkpoint()
    assert then is not None
    assert (then.number, then.statement.erased, then.statement.due) == (4, 0, 0)
    assert verify(populated).faults == []


def test_probes_are_counted_and_not_listed(service: TestService) -> None:
    service.connect()
    sealed(service)
    before = verify(service).entries
    for _ in range(5):
        service.parts.connection.access.probe(service.agent)
    sealed(service)
    assert verify(service).entries == before
    counts = []
    for more in (0, 2):
        for _ in range(more):
            service.parts.connection.access.probe(service.agent)
        checkpoint = service.parts.audit.sealer.checkpoint()
        assert checkpoint is not None
        counts.append(checkpoint.details["probes"])
        days(service, 1)
    assert counts == [5, 2]


def test_one_of_several_workers_makes_the_days_checkpoint(populated: TestService) -> None:
    workers = [populated.replica() for _ in range(4)]
    assert populated.parts.audit.sealer.checkpoint() is None  # the last one is of today
    days(populated, 1)
    with ThreadPoolExecutor(4) as pool:
        checkpoints = list(pool.map(lambda one: one.parts.audit.sealer.checkpoint(), workers))
    assert sum(one is not None for one in checkpoints) == 1
    assert verify(populated).checkpoints == 3
    for worker in workers:
        worker.close()


def test_a_checkpoint_of_a_clock_since_put_right_holds_no_other_up(populated: TestService) -> None:
    days(populated, 30)
    assert populated.parts.audit.sealer.checkpoint() is not None
    days(populated, -29)
    checkpoint = populated.parts.audit.sealer.checkpoint()
    assert checkpoint is not None
    assert checkpoint.number == 4
    assert populated.parts.audit.sealer.checkpoint() is None
    assert verify(populated).faults == []


def test_the_absence_of_a_checkpoint_alarms(
    populated: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    level, age = _level_and_age(populated)
    assert (level, age < HOUR / SECOND) == ("ok", True)
    days(populated, 1.6)
    assert _level_and_age(populated) == ("fault", pytest.approx(age + 1.6 * DAY / SECOND, abs=60))
    populated.work()
    assert "audit.checkpoint_absent" in alarms(capsys)
    assert _level_and_age(populated)[0] == "ok"


def test_a_spoilt_checkpoint_is_a_fault_and_hides_no_other_number(populated: TestService) -> None:
    populated.parts.store.database.client.zadd(keys.CHECKPOINTS, {"spoilt": 99})
    numbers = populated.metrics()
    assert numbers["calendar_audit_faults"] == 1
    assert "calendar_agents_due" in numbers
    findings = json.loads(invoke(populated, "doctor", "--json").stdout)
    assert ("audit trail", "fault") in {(one["check"], one["level"]) for one in findings}
    assert json.loads(invoke(populated, "report", "--json").stdout)["standing"] == "missing"


def test_an_erasure_that_is_overdue_alarms(
    populated: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    days(populated, 7.5)  # and no worker came
    checkpoint = populated.parts.audit.sealer.checkpoint()
    assert checkpoint is not None
    assert "overdue: 1\n" in checkpoint.note
    assert "erasure.overdue" in alarms(capsys)
    assert populated.metrics()["calendar_erasures_overdue"] == 1
    findings = json.loads(invoke(populated, "doctor", "--json").stdout)
    assert "erasures" in {one["check"] for one in findings if one["level"] == "fault"}
    populated.work(2)
    assert populated.parts.audit.audit_export.ends().overdue == 0


def overdue_erasures(service: TestService) -> float:
    return service.metrics()["calendar_erasures_overdue"]


def test_overdue_erasures_are_counted_when_asked_while_no_worker_makes_a_checkpoint(
    service: TestService,
) -> None:
    gone, held = Agent("acme", "gone"), Agent("acme", "held")
    for agent in (service.agent, gone, held, NEIGHBOUR):
        service.connect(agent)
    for agent in (service.agent, gone, held):
        service.parts.connection.disconnect.disconnect(agent, Actor.AGENT)
    until = service.parts.clock.now() + 10 * DAY
    service.parts.personal_data.holds.place(held, Hold("A. One", "B. Two", "a court", "a matter", until))
    days(service, 7)
    assert overdue_erasures(service) == 0
    days(service, 0.1)
    assert (overdue_erasures(service), service.parts.audit.audit_export.newest_checkpoint()) == (2, None)
    days(service, 3)
    assert overdue_erasures(service) == 3
    service.parts.connection.erasure.erase_now(gone, Actor.AGENT)
    assert overdue_erasures(service) == 2
    service.connect()
    assert overdue_erasures(service) == 1
    service.work(2)
    assert (overdue_erasures(service), service.parts.audit.audit_export.ends().overdue) == (0, 0)


def test_an_erasure_that_a_worker_puts_off_each_time_stays_overdue(populated: TestService) -> None:
    """A worker whose clock differs moves the timer ahead and erases nothing: the timer is no longer late."""
    days(populated, 7.5)
    wrong = TestService.of(
        populated.variables["CALENDAR_REDIS_URL"],
        populated.google,
        populated.clock,
        CALENDAR_TEST_SKEW="7200",
    )
    wrong.work(2)
    wrong.close()
    assert populated.parts.store.slots.timed(populated.agent).due["erase"] > populated.parts.clock.now()
    assert overdue_erasures(populated) == 1


def test_what_the_databases_own_expiry_removed_is_overdue_no_longer_once_a_worker_comes(
    populated: TestService,
) -> None:
    days(populated, 8.5)
    client = populated.parts.store.database.client
    client.delete(*(populated.key(part) for part in keys.SLOT_PARTS))  # as their expiry does
    assert overdue_erasures(populated) == 1
    populated.work(2)
    assert overdue_erasures(populated) == 0
    assert client.zscore(keys.erasure_deadlines(populated.shard_of()), populated.agent.member) is None


def test_a_permission_without_a_proof_of_life_for_three_days_alarms(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    service.google.fault("/token", {"status": 503, "reason": "backendError"})

    def unverified_grants() -> tuple[bool, float, str, int]:
        service.work(2)  # what was written first is sealed first
        (one,) = [
            one
            for one in json.loads(invoke(service, "doctor", "--json").stdout)
            if one["check"] == "permissions"
        ]
        checkpoint = service.parts.audit.audit_export.newest_checkpoint()
        assert checkpoint is not None
        number = service.metrics()["calendar_grants_unverified"]
        return "grant.unverified" in alarms(capsys), number, one["level"], checkpoint.statement.unverified

    days(service, 2.9)
    assert unverified_grants() == (False, 0, "ok", 0)
    days(service, 1.1)
    assert unverified_grants() == (True, 1, "fault", 1)
    service.google.clear_faults()
    days(service, 1)
    service.work()
    days(service, 1)
    assert unverified_grants() == (False, 0, "ok", 0)


def test_a_permission_that_is_over_needs_no_proof_of_life(populated: TestService) -> None:
    days(populated, 5)
    assert (
        populated.parts.audit.audit_export.ends().unverified == 1
    )  # the neighbour's; the other's connection is over


def test_a_token_that_outlives_its_teardown_is_overdue_too(service: TestService) -> None:
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    service.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    assert (service.parts.audit.audit_export.ends().overdue, overdue_erasures(service)) == (0, 0)
    days(service, 7.1)
    assert (service.parts.audit.audit_export.ends().overdue, overdue_erasures(service)) == (1, 1)
    service.work(2)
    assert overdue_erasures(service) == 0


def test_a_changed_audit_log_is_reported_by_the_next_checkpoint(
    populated: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    client, name = populated.parts.store.database.client, keys.audit_log(populated.shard_of(NEIGHBOUR))
    last = client.xrevrange(name, count=1)[0][0]
    client.xdel(name, last)
    days(populated, 1)
    checkpoint = populated.parts.audit.sealer.checkpoint()
    assert checkpoint is not None
    assert "faults: 1\n" in checkpoint.note
    assert "audit.chain_broken" in alarms(capsys)
    assert populated.metrics()["calendar_audit_faults"] == 1
    findings = json.loads(invoke(populated, "doctor", "--json").stdout)
    assert "audit trail" in {one["check"] for one in findings if one["level"] == "fault"}


def test_without_any_checkpoint_the_doctor_says_so(service: TestService) -> None:
    level, age = _level_and_age(service)
    assert (level, age) == ("note", 0)
    service.connect()
    days(service, 1)
    level, age = _level_and_age(service)
    assert (level, age) == ("note", pytest.approx(DAY / SECOND, abs=60))


def test_a_first_checkpoint_that_fails_each_time_alarms(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its signing fails here. The alarm comes from a task of its own, so nothing that fails can keep it back."""
    service.connect()
    spoilt = replace(service.parts.audit.sealer, origin="no key name")
    broken = replace(service, parts=replace(service.parts, audit=replace(service.parts.audit, sealer=spoilt)))
    broken.work(2)
    assert broken.parts.audit.audit_export.newest_checkpoint() is None
    assert "audit.checkpoint_absent" not in alarms(capsys)
    days(service, 1.6)
    broken.work(2)
    assert "audit.checkpoint_absent" in alarms(capsys)
    level, age = _level_and_age(service)
    assert (level, age) == ("fault", pytest.approx(1.6 * DAY / SECOND, abs=60))


def _level_and_age(service: TestService) -> tuple[str, float]:
    findings = json.loads(invoke(service, "doctor", "--json").stdout)
    (level,) = {one["level"] for one in findings if one["check"] == "audit trail"}
    return level, service.metrics()["calendar_audit_checkpoint_age_seconds"]


# --- what a checkpoint states in public ---


def stated(service: TestService) -> Statement:
    """Make the day's checkpoint and return what it states."""
    checkpoint = service.parts.audit.sealer.checkpoint()
    assert checkpoint is not None
    return verified_statement(checkpoint.note, service.parts.audit.public_keys)


@shows("ST-5")
def test_each_day_has_one_checkpoint_at_whatever_hour_the_last_was_made(populated: TestService) -> None:
    """One made each 24 hours would come later each day, and after some months a day would have none."""
    populated.clock.advance(11 * HOUR / SECOND)
    assert populated.parts.audit.sealer.checkpoint() is None
    stated_days = []
    for hours in (2, 23, 25, 24):
        populated.clock.advance(hours * HOUR / SECOND)
        stated_days.append(stated(populated).day)
    assert [later - former for former, later in pairwise(stated_days)] == [DAY, DAY, DAY]


@shows("ST-5")
def test_a_checkpoint_states_how_much_is_due_held_erased_and_late(service: TestService) -> None:
    agents = [Agent("acme", f"agent-{number}") for number in range(5)]
    for agent in agents[:4]:
        service.connect(agent)
        service.parts.connection.disconnect.disconnect(agent, Actor.AGENT)
    statement = stated(service)
    assert (statement.due, statement.held, statement.erased, statement.overdue) == (4, 0, 0, 0)
    service.connect(agents[4])
    service.parts.connection.disconnect.disconnect(agents[4], Actor.AGENT)
    days(service, 7.5)
    statement = stated(service)
    assert (statement.due, statement.overdue) == (5, 4 + 1)


@shows("ST-5")
def test_a_hold_that_is_not_to_be_told_yet_stands_in_no_number(service: TestService) -> None:
    service.connect()
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    before = service.parts.audit.audit_export.ends()
    now = service.parts.clock.now()
    hold = Hold("A. One", "B. Two", "a court", "a matter", now + 100 * DAY, silent_until=now + 50 * DAY)
    service.parts.personal_data.holds.place(service.agent, hold)
    assert (before.due, before.held) == (1, 0)
    days(service, 20)  # long past the erasure that the hold keeps back
    statement = stated(service)
    assert (statement.due, statement.held, statement.overdue) == (0, 0, 0)
    days(service, 31)
    statement = stated(service)
    assert (statement.due, statement.held, statement.overdue) == (1, 1, 0)


# --- the term ---


def test_entries_past_their_term_end_at_a_checkpoint_and_the_rest_verifies(populated: TestService) -> None:
    populated.parts.connection.erasure.erase_now(populated.agent, Actor.AGENT)
    days(populated, 1)
    populated.parts.audit.sealer.checkpoint()
    populated.parts.store.connections.choose_retention(NEIGHBOUR, HOUR)
    before = verify(populated).entries
    (receipt,) = populated.parts.store.database.client.hkeys(keys.receipts(populated.shard_of()))
    days(populated, 399)
    populated.parts.audit.sealer.checkpoint()
    verdict = verify(populated)
    assert (verdict.faults, verdict.checkpoints) == (
        [],
        3,
    )  # the second one, at which the rest begins, and two more
    assert 0 < verdict.entries < before
    assert populated.parts.connection.erasure.receipt(receipt)
    days(populated, 2)
    populated.parts.audit.sealer.checkpoint()
    verdict = verify(populated)
    assert (verdict.faults, verdict.checkpoints) == ([], 3)
    assert populated.parts.store.database.client.hkeys(keys.receipts(populated.shard_of())) == []
    export = list(populated.parts.audit.audit_export.export())
    assert populated.parts.audit.audit_export.verify_export(export).faults == []
    populated.parts.store.connections.choose_retention(NEIGHBOUR, 2 * HOUR)
    sealed(populated)
    assert verify(populated).faults == []


def test_no_entry_and_no_receipt_ends_while_the_clocks_disagree(
    populated: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    populated.parts.connection.erasure.erase_now(populated.agent, Actor.AGENT)
    days(populated, 1)
    populated.parts.audit.sealer.checkpoint()
    before, receipts = verify(populated).entries, keys.receipts(populated.shard_of())
    days(populated, 500)  # for the database, and not for this worker
    behind = TestService.of(
        populated.variables["CALENDAR_REDIS_URL"], populated.google, populated.clock,
        **populated.variables | {"CALENDAR_TEST_SKEW": str(-500 * DAY // SECOND)},
    )  # fmt: skip
    assert behind.parts.audit.sealer.checkpoint() is not None
    behind.close()
    assert (verify(populated).faults, verify(populated).entries > before) == ([], True)
    assert populated.parts.store.database.client.hlen(receipts) == 1
    assert alarms(capsys).count("erasure.clocks_differ") == 1
    days(populated, 1)  # and now both say so
    populated.parts.audit.sealer.checkpoint()
    assert (verify(populated).faults, verify(populated).entries < before) == ([], True)
    assert populated.parts.store.database.client.hlen(receipts) == 0
    assert "erasure.clocks_differ" not in alarms(capsys)


def test_a_reading_during_which_the_term_ended_entries_is_begun_again(populated: TestService) -> None:
    days(populated, 402)
    reading = populated.parts.audit.audit_export.export()
    next(reading)
    populated.parts.audit.sealer.checkpoint()
    with pytest.raises(Busy, match="Begin it again"):
        list(reading)


# --- handing out ---


def test_an_export_verifies_also_when_it_is_sealed_and_written_to_meanwhile(populated: TestService) -> None:
    """An export reads for minutes and locks nothing. New entries and seals must not look like tampering."""
    reading = populated.parts.audit.audit_export.export()
    begun = [next(reading) for _ in range(3)]
    populated.parts.store.connections.choose_retention(NEIGHBOUR, HOUR)
    sealed(populated)
    days(populated, 1)
    populated.parts.audit.sealer.checkpoint()
    verdict = populated.parts.audit.audit_export.verify_export([*begun, *reading])
    assert (verdict.faults, verdict.unsealed) == ([], {0: 1, populated.shard_of(NEIGHBOUR): 1})


def test_the_export_is_a_file_for_its_owner_that_the_command_verifies(
    populated: TestService, tmp_path: Path
) -> None:
    path = tmp_path / "audit.jsonl"
    answer = invoke(populated, "audit", "export", "--output", str(path))
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert "entries" in answer.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    exported = lines(path.read_bytes())
    assert {line["type"] for line in exported} == {"audit-export", "checkpoint", "shard", "entry", "end"}
    verified = invoke(populated, "audit", "verify", str(path), "--json")
    assert (verified.exit_code, json.loads(verified.stdout)["entries"]) == (0, len(entries(exported)))
    assert lines(invoke(populated, "audit", "export").stdout)[1:-1] == exported[1:-1]


def test_an_export_can_be_narrowed_and_each_entry_still_proves_itself(
    populated: TestService, tmp_path: Path
) -> None:
    own = populated.parts.operations.all_connections.connection_id(NEIGHBOUR)
    everything = entries(lines(invoke(populated, "audit", "export").stdout))
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
        invoke(populated, "audit", "export", *words, "--output", str(path))
        narrowed = entries(lines(path.read_bytes()))
        assert narrowed == [line for line in everything if wanted(line)] != []
        answer = invoke(populated, "audit", "verify", str(path))
        assert (answer.exit_code, "part of the audit log" in answer.stdout) == (0, True)


@pytest.mark.parametrize("spoil", ["changed", "removed"])
def test_a_narrowed_export_that_was_changed_is_found(populated: TestService, spoil: str) -> None:
    exported = list(populated.parts.audit.audit_export.export(ExportFilter(kinds=("session.accepted",))))
    at = next(number for number, line in enumerate(exported) if b'"type":"entry"' in line)
    exported[at : at + 1] = (
        [exported[at].replace(b'"revision":1', b'"revision":7')] if spoil == "changed" else []
    )
    faults = [str(fault) for fault in populated.parts.audit.audit_export.verify_export(exported).faults]
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
def test_an_export_that_is_asked_for_wrongly_is_refused(
    populated: TestService, words: tuple[str, ...]
) -> None:
    answer = invoke(populated, "audit", "export", *words)
    assert (answer.exit_code, answer.stdout) == (2, "")


def test_another_identity_key_or_signing_key_verifies_nothing(populated: TestService) -> None:
    export = b"".join(populated.parts.audit.audit_export.export())
    stranger = TestService.of(
        "",
        populated.google,
        populated.clock,
        CALENDAR_REDIS_URL=populated.variables["CALENDAR_REDIS_URL"],
        CALENDAR_IDENTITY_KEY=b64encode(sha256(b"another identity").digest()).decode(),
    )
    faults = [
        str(fault)
        for fault in stranger.parts.audit.audit_export.verify_export(export.splitlines(keepends=True)).faults
    ]
    assert "checkpoint 1: the checkpoint is not signed by the operator's key" in faults
    assert any("entry 1" in fault for fault in faults)
    stranger.close()


def test_checkpoints_of_a_former_signing_key_verify_by_its_public_half(
    populated: TestService, tmp_path: Path
) -> None:
    path, former = tmp_path / "audit_chain", populated.parts.audit.public_keys[0]
    path.write_bytes(b"".join(populated.parts.audit.audit_export.export()))
    newer = TestService.of(
        "", populated.google, populated.clock, **{**populated.variables, "CALENDAR_SIGNING_KEY": new_key()}
    )
    assert invoke(newer, "audit", "verify", str(path)).exit_code == 1
    assert invoke(newer, "audit", "verify", str(path), "--public-key", former).exit_code == 0
    assert invoke(newer, "audit", "verify", "--public-key", former).exit_code == 0
    newer.close()


# --- who is who ---


def test_after_the_erasure_nothing_that_is_left_leads_from_an_entry_to_the_agent(
    service: TestService,
) -> None:
    """The audit log outlives the erasure.

    Its entries name a random connection id, and nothing else that is stored may lead from it to a person.
    """
    service.connect()
    view = service.parts.sessions.schedule.put(
        service.agent, "a-session", service.content("Private"), By.AGENT, None
    )
    service.parts.connection.pauses.set(service.agent, Actor.ADMINISTRATOR, paused=True)
    connection = service.parts.operations.all_connections.connection_id(service.agent)
    calendar_id = service.facts.calendar.id
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    receipt = service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    service.work(2)
    rows = [line.partition(" = ") for line in service.stored().splitlines()]
    remaining = [row for row in rows if not row[0].startswith("browser:")]  # an open page, for hours at most
    naming = {name for name, _, value in remaining if connection in name + value}
    assert naming == {keys.audit_log(service.shard_of())}
    everything = "\n".join("".join(parts) for parts in remaining)
    for word in (
        "acme",
        "agent-1",
        FIRST,
        "a-session",
        "Private",
        calendar_id,
        view.event_id,
        receipt["salt"],
    ):
        assert word not in everything
    refused = invoke(service, "audit", "export", "--organization", "acme", "--agent", "agent-1")
    assert (refused.exit_code, "cannot be told from others" in refused.stderr) == (1, True)


def test_each_connection_has_a_pseudonym_of_its_own_and_its_own_end(service: TestService) -> None:
    names = []
    for account in (FIRST, OTHER_ACCOUNT):  # the second connect replaces the first connection
        service.connect(account=account)
        names.append(service.parts.operations.all_connections.connection_id(service.agent))
    exported = entries([json.loads(line) for line in service.parts.audit.audit_export.export()])
    ended = [
        line["facts"]["connection"] for line in exported if line["facts"]["kind"] == "connection.disconnected"
    ]
    assert ended == [names[0]]
    assert len(set(names)) == 2


def test_the_end_of_a_teardown_belongs_to_the_connection_that_left_it(service: TestService) -> None:
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"}, times=1)
    service.connect()
    former = service.parts.operations.all_connections.connection_id(service.agent)
    service.parts.connection.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.connection.erasure.erase_now(service.agent, Actor.AGENT)
    service.clock.advance(MINUTE / SECOND)
    service.work()
    exported = entries([json.loads(line) for line in service.parts.audit.audit_export.export()])
    last = [line["facts"] for line in exported if line["facts"]["kind"] == "teardown.step"][-1]
    assert (last["connection"], last["outcome"]) == (former, "confirmed")


def test_an_expiry_by_the_database_itself_is_noted_and_counted(service: TestService) -> None:
    service.connect()
    client = service.parts.store.database.client
    client.delete(*(service.key(part) for part in keys.SLOT_PARTS))  # as its expiry does
    days(service, 2)
    service.work()
    service.work()
    exported = entries([json.loads(line) for line in service.parts.audit.audit_export.export()])
    assert [line["facts"]["kind"] for line in exported].count("connection.expired") == 1
    newest = service.parts.audit.audit_export.newest_checkpoint()
    assert newest is not None
    assert newest.statement.erased == 1
