"""The audit trail: sealed behind the scripts, stated by checkpoints, handed out, and ended by its term (LU-6, ST-5)."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from calendar_service.cli import main
from calendar_service.config.new_keys import new_key
from calendar_service.crypto.signing import SignatureInvalid, check
from calendar_service.domain.audit import Verdict
from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.errors import Busy
from calendar_service.domain.legal_hold import Hold
from calendar_service.domain.names import Agent
from calendar_service.domain.session import By
from calendar_service.journeys.audit.audit_export import ExportFilter
from calendar_service.store import keys
from calendar_service.store.audit_log import Actor
from tests.journeys.conftest import NEIGHBOUR
from tests.journeys.test_throttle import alarms
from tests.support.evidence import shows
from tests.support.service import FIRST, TestService
from tests.support.service import SECOND as OTHER_ACCOUNT


def sealed(service: TestService) -> None:
    while service.parts.sealer.seal():
        pass


def verify(service: TestService) -> Verdict:
    return service.parts.audit.verify()


def invoke(service: TestService, *words: str, **more: Any) -> Result:
    clean = dict.fromkeys(("CALENDAR_KEYRING", "CALENDAR_KEYRING_FILE", "CALENDAR_DATA_DIR"))
    return CliRunner().invoke(main, words, env={**clean, **service.variables}, **more)


def lines(text: str | bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def entries(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in found if line["type"] == "entry"]


def days(service: TestService, count: float) -> None:
    service.clock.advance(count * DAY / SECOND)


# --- the sealer ---


def test_what_the_scripts_wrote_is_sealed_and_verifies(lived: TestService) -> None:
    verdict = verify(lived)
    assert (verdict.faults, verdict.unsealed, verdict.checkpoints) == ([], {}, 2)
    written = sum(lived.parts.database.client.xlen(keys.audit_log(shard)) for shard in keys.all_shards())
    assert verdict.entries == written > 8


def test_entries_that_no_sealer_has_taken_are_named_as_the_unsealed_tail(lived: TestService) -> None:
    lived.parts.connections.choose_retention(NEIGHBOUR, HOUR)
    assert verify(lived).unsealed == {lived.shard_of(NEIGHBOUR): 1}
    answer = invoke(lived, "audit", "verify")
    assert (answer.exit_code, f"1 in shard {lived.shard_of(NEIGHBOUR)}" in answer.stdout) == (0, True)
    sealed(lived)
    assert verify(lived).unsealed == {}


def test_a_look_when_nothing_is_new_is_one_round_trip(lived: TestService) -> None:
    database = lived.parts.database
    sealed(lived)
    counts = []
    for written in (0, 1, 0):
        for number in range(written):
            lived.parts.connections.choose_retention(NEIGHBOUR, (number + 1) * HOUR)
        before = database.round_trips
        lived.parts.sealer.seal()
        counts.append(database.round_trips - before)
    assert counts == [1, 2, 1]


def test_many_entries_of_one_shard_are_sealed_batch_by_batch(service: TestService) -> None:
    service.connect()
    for number in range(120):
        service.parts.connections.choose_retention(service.agent, (number + 1) * HOUR)
    assert service.parts.sealer.seal() is True
    assert verify(service).unsealed == {0: 1, service.shard_of(): 23}  # shard 0 tells of its beginning
    assert service.parts.sealer.seal() is False
    assert (verify(service).unsealed, verify(service).faults) == ({}, [])


def test_several_workers_seal_side_by_side_and_nothing_is_doubled(service: TestService) -> None:
    service.connect()
    service.connect(NEIGHBOUR, FIRST)
    workers = [service.replica() for _ in range(3)]

    def write(number: int) -> None:
        whose = (service.agent, NEIGHBOUR)[number % 2]
        service.parts.connections.pause(whose, Actor.AGENT, paused=number // 2 % 2 == 0)

    with ThreadPoolExecutor(4) as pool:
        writing = pool.submit(lambda: [write(number) for number in range(120)])
        sealing = [
            pool.submit(lambda one=one: [one.parts.sealer.seal() for _ in range(40)]) for one in workers
        ]
        for job in (writing, *sealing):
            job.result()
    sealed(service)
    verdict = verify(service)
    assert (verdict.faults, verdict.unsealed) == ([], {})
    assert verdict.entries == sum(
        service.parts.database.client.xlen(keys.audit_log(shard)) for shard in keys.all_shards()
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
    lived: TestService, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    client, shard = lived.parts.database.client, lived.shard_of(NEIGHBOUR)
    if what == "a head that was set back":
        client.hset(keys.audit_chain(shard), mapping={"number": "1", "mac": "0" * 32})
    else:
        client.xadd(keys.audit_macs(shard), {"number": "9", "mac": "0" * 32})
    before = client.xlen(keys.audit_macs(shard))
    lived.parts.connections.choose_retention(NEIGHBOUR, HOUR)
    sealed(lived)
    assert client.xlen(keys.audit_macs(shard)) == before
    assert "audit.head_changed" in alarms(capsys)


def test_trouble_with_the_trail_keeps_no_erasure_back(service: TestService) -> None:
    service.connect()
    service.parts.disconnect.disconnect(service.agent, Actor.AGENT)
    days(service, 8)
    service.parts.database.client.set(keys.CHECKPOINTS, "spoilt")
    service.work()
    assert service.parts.audit.ends().due == 0
    assert "spoilt" in service.stored()


@shows("LU-6")
def test_closing_and_reopening_an_organization_are_entries_that_do_not_name_it(service: TestService) -> None:
    organizations = service.parts.organizations
    for step in (
        organizations.off_board,
        organizations.off_board,
        organizations.reopen,
        organizations.reopen,
    ):
        step("a-customer")
    sealed(service)
    facts = [entry.facts for entry in service.parts.audit.audit_chain.entries(0)]
    assert facts == [
        {"kind": "organization.closed", "actor": "administrator"},
        {"kind": "organization.reopened", "actor": "administrator"},
    ]
    assert "a-customer" not in service.stored()
    assert verify(service).faults == []


def test_that_a_shard_begins_stands_in_shard_0_before_its_first_seal(service: TestService) -> None:
    """A worker died between the two: the next one goes on, and it is said once more at the most."""
    service.connect()
    shard = service.shard_of()
    audit_chain, chain_macs = service.parts.audit.audit_chain, service.parts.sealer.chain_macs
    chain, news = audit_chain.chains()[shard], list(audit_chain.entries(shard))
    _, numbered = chain_macs.extended(chain, news)
    assert audit_chain.begin(shard, numbered[0].mac) is True
    assert (verify(service).faults, verify(service).unsealed) == ([], {0: 1, shard: len(news)})
    sealed(service)
    assert (verify(service).faults, verify(service).unsealed) == ([], {})
    assert audit_chain.begin(shard, numbered[0].mac) is False
    assert str(service.parts.database.client.xrange(keys.audit_log(0))).count("audit.chain_begun") == 2


# --- checkpoints ---


def test_a_checkpoint_states_what_is_due_erased_held_and_overdue(service: TestService) -> None:
    gone, held = Agent("acme", "gone"), Agent("acme", "held")
    for agent in (service.agent, gone, held):
        service.connect(agent)
        service.parts.disconnect.disconnect(agent, Actor.AGENT)
    service.connect(NEIGHBOUR)
    service.parts.access.probe(NEIGHBOUR)
    service.parts.erasure.erase_now(gone, Actor.AGENT)
    until = service.parts.clock.now() + 100 * DAY
    service.parts.holds.place(held, Hold("A. One", "B. Two", "a court", "a matter", until))
    made = service.parts.sealer.checkpoint()
    assert made is not None
    assert {name: made[name] for name in ("number", "due", "held", "erased", "overdue", "probes", "faults")} == {
        "number": 1, "due": 2, "held": 1, "erased": 1, "overdue": 0, "probes": 1, "faults": 0,
    }  # fmt: skip
    assert made["entries"] == verify(service).entries
    assert service.parts.audit.newest_checkpoint() == made
    check(made, service.parts.public_keys, frozenset())
    with pytest.raises(SignatureInvalid):
        check(made | {"overdue": 1}, service.parts.public_keys, frozenset())


def test_the_next_checkpoint_counts_from_the_one_before(lived: TestService) -> None:
    lived.parts.erasure.erase_now(lived.agent, Actor.AGENT)
    days(lived, 1)
    made = lived.parts.sealer.checkpoint()
    assert made is not None
    assert (made["number"], made["erased"], made["due"]) == (3, 1, 0)
    days(lived, 1)
    then = lived.parts.sealer.checkpoint()
    assert then is not None
    assert (then["number"], then["erased"], then["due"]) == (4, 0, 0)
    assert verify(lived).faults == []


def test_probes_are_counted_and_not_listed(service: TestService) -> None:
    service.connect()
    sealed(service)
    before = verify(service).entries
    for _ in range(5):
        service.parts.access.probe(service.agent)
    sealed(service)
    assert verify(service).entries == before
    stated = []
    for more in (0, 2):
        for _ in range(more):
            service.parts.access.probe(service.agent)
        made = service.parts.sealer.checkpoint()
        assert made is not None
        stated.append(made["probes"])
        days(service, 1)
    assert stated == [5, 2]


def test_one_of_several_workers_makes_the_days_checkpoint(lived: TestService) -> None:
    workers = [lived.replica() for _ in range(4)]
    assert lived.parts.sealer.checkpoint() is None  # the last one is of today
    days(lived, 1)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda one: one.parts.sealer.checkpoint(), workers))
    assert sum(one is not None for one in made) == 1
    assert verify(lived).checkpoints == 3
    for worker in workers:
        worker.close()


def test_a_checkpoint_of_a_clock_since_put_right_holds_no_other_up(lived: TestService) -> None:
    days(lived, 30)
    assert lived.parts.sealer.checkpoint() is not None
    days(lived, -29)
    made = lived.parts.sealer.checkpoint()
    assert made is not None
    assert made["number"] == 4
    assert lived.parts.sealer.checkpoint() is None
    assert verify(lived).faults == []


def test_the_absence_of_a_checkpoint_alarms(lived: TestService, capsys: pytest.CaptureFixture[str]) -> None:
    def found() -> tuple[str, float]:
        findings = json.loads(invoke(lived, "doctor", "--json").stdout)
        (level,) = {one["level"] for one in findings if one["check"] == "audit trail"}
        return level, lived.metrics()["calendar_audit_checkpoint_age_seconds"]

    assert found() == ("ok", pytest.approx(0, abs=30))
    days(lived, 1.6)
    assert found() == ("fault", pytest.approx(1.6 * DAY / SECOND, abs=30))
    lived.work()
    assert "audit.checkpoint_absent" in alarms(capsys)
    assert found()[0] == "ok"


def test_a_spoilt_checkpoint_is_a_fault_and_hides_no_other_number(lived: TestService) -> None:
    lived.parts.database.client.zadd(keys.CHECKPOINTS, {"spoilt": 99})
    numbers = lived.metrics()
    assert numbers["calendar_audit_faults"] == 1
    assert "calendar_agents_due" in numbers
    findings = json.loads(invoke(lived, "doctor", "--json").stdout)
    assert ("audit trail", "fault") in {(one["check"], one["level"]) for one in findings}
    assert json.loads(invoke(lived, "report", "--json").stdout)["standing"] == "missing"


def test_an_erasure_that_is_overdue_alarms(lived: TestService, capsys: pytest.CaptureFixture[str]) -> None:
    days(lived, 7.5)  # and no worker came
    made = lived.parts.sealer.checkpoint()
    assert made is not None
    assert made["overdue"] == 1
    assert "erasure.overdue" in alarms(capsys)
    assert lived.metrics()["calendar_erasures_overdue"] == 1
    findings = json.loads(invoke(lived, "doctor", "--json").stdout)
    assert "erasures" in {one["check"] for one in findings if one["level"] == "fault"}
    lived.work(2)
    assert lived.parts.audit.ends().overdue == 0


def test_a_permission_without_a_proof_of_life_for_three_days_alarms(
    service: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect()
    service.google.fault("/token", {"status": 503, "reason": "backendError"})

    def told() -> tuple[bool, float, str, int]:
        service.work(2)  # what was written first is sealed first
        (one,) = [
            one
            for one in json.loads(invoke(service, "doctor", "--json").stdout)
            if one["check"] == "permissions"
        ]
        made = service.parts.audit.newest_checkpoint() or {}
        number = service.metrics()["calendar_grants_unverified"]
        return "grant.unverified" in alarms(capsys), number, one["level"], made["unverified"]

    days(service, 2.9)
    assert told() == (False, 0, "ok", 0)
    days(service, 1.1)
    assert told() == (True, 1, "fault", 1)
    service.google.clear_faults()
    days(service, 1)
    service.work()
    days(service, 1)
    assert told() == (False, 0, "ok", 0)


def test_a_permission_that_is_over_needs_no_proof_of_life(lived: TestService) -> None:
    days(lived, 5)
    assert lived.parts.audit.ends().unverified == 1  # the neighbour's; the other's connection is over


def test_a_token_that_outlives_its_teardown_is_overdue_too(service: TestService) -> None:
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"})
    service.connect()
    service.parts.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.erasure.erase_now(service.agent, Actor.AGENT)
    assert service.parts.audit.ends().overdue == 0
    days(service, 7.1)
    assert service.parts.audit.ends().overdue == 1


def test_a_trail_that_was_changed_is_told_by_the_next_checkpoint(
    lived: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    client, name = lived.parts.database.client, keys.audit_log(lived.shard_of(NEIGHBOUR))
    last = client.xrevrange(name, count=1)[0][0]
    client.xdel(name, last)
    days(lived, 1)
    made = lived.parts.sealer.checkpoint()
    assert made is not None
    assert made["faults"] == 1
    assert "audit.trail_broken" in alarms(capsys)
    assert lived.metrics()["calendar_audit_faults"] == 1
    findings = json.loads(invoke(lived, "doctor", "--json").stdout)
    assert "audit trail" in {one["check"] for one in findings if one["level"] == "fault"}


def test_without_any_checkpoint_the_doctor_says_so(service: TestService) -> None:
    findings = json.loads(invoke(service, "doctor", "--json").stdout)
    assert next(one["level"] for one in findings if one["check"] == "audit trail") == "note"
    assert "calendar_audit_checkpoint_age_seconds" not in service.metrics()


# --- the term ---


def test_entries_past_their_term_end_at_a_checkpoint_and_the_rest_verifies(lived: TestService) -> None:
    lived.parts.erasure.erase_now(lived.agent, Actor.AGENT)
    days(lived, 1)
    lived.parts.sealer.checkpoint()
    lived.parts.connections.choose_retention(NEIGHBOUR, HOUR)
    before = verify(lived).entries
    (receipt,) = lived.parts.database.client.hkeys(keys.receipts(lived.shard_of()))
    days(lived, 399)
    lived.parts.sealer.checkpoint()
    verdict = verify(lived)
    assert (verdict.faults, verdict.checkpoints) == (
        [],
        3,
    )  # the second one, at which the rest begins, and two more
    assert 0 < verdict.entries < before
    assert lived.parts.erasure.receipt(receipt)
    days(lived, 2)
    lived.parts.sealer.checkpoint()
    verdict = verify(lived)
    assert (verdict.faults, verdict.checkpoints) == ([], 3)
    assert lived.parts.database.client.hkeys(keys.receipts(lived.shard_of())) == []
    export = list(lived.parts.audit.export())
    assert lived.parts.audit.verify_export(export).faults == []
    lived.parts.connections.choose_retention(NEIGHBOUR, 2 * HOUR)
    sealed(lived)
    assert verify(lived).faults == []


def test_no_entry_and_no_receipt_ends_while_the_clocks_disagree(
    lived: TestService, capsys: pytest.CaptureFixture[str]
) -> None:
    lived.parts.erasure.erase_now(lived.agent, Actor.AGENT)
    days(lived, 1)
    lived.parts.sealer.checkpoint()
    before, receipts = verify(lived).entries, keys.receipts(lived.shard_of())
    days(lived, 500)  # for the database, and not for this worker
    behind = TestService.of(
        lived.variables["CALENDAR_REDIS_URL"], lived.google, lived.clock,
        **lived.variables | {"CALENDAR_TEST_SKEW": str(-500 * DAY // SECOND)},
    )  # fmt: skip
    assert behind.parts.sealer.checkpoint() is not None
    behind.close()
    assert (verify(lived).faults, verify(lived).entries > before) == ([], True)
    assert lived.parts.database.client.hlen(receipts) == 1
    assert alarms(capsys).count("erasure.clocks_differ") == 1
    days(lived, 1)  # and now both say so
    lived.parts.sealer.checkpoint()
    assert (verify(lived).faults, verify(lived).entries < before) == ([], True)
    assert lived.parts.database.client.hlen(receipts) == 0
    assert "erasure.clocks_differ" not in alarms(capsys)


def test_a_reading_during_which_the_term_ended_entries_is_begun_again(lived: TestService) -> None:
    days(lived, 402)
    reading = lived.parts.audit.export()
    next(reading)
    lived.parts.sealer.checkpoint()
    with pytest.raises(Busy, match="Begin it again"):
        list(reading)


# --- handing out ---


def test_an_export_verifies_also_when_it_is_sealed_and_written_to_meanwhile(lived: TestService) -> None:
    """An export reads for minutes and locks nothing. New entries and seals must not look like tampering."""
    reading = lived.parts.audit.export()
    begun = [next(reading) for _ in range(3)]
    lived.parts.connections.choose_retention(NEIGHBOUR, HOUR)
    sealed(lived)
    days(lived, 1)
    lived.parts.sealer.checkpoint()
    verdict = lived.parts.audit.verify_export([*begun, *reading])
    assert (verdict.faults, verdict.unsealed) == ([], {0: 1, lived.shard_of(NEIGHBOUR): 1})


def test_the_export_is_a_file_for_its_owner_that_the_command_verifies(
    lived: TestService, tmp_path: Path
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
    lived: TestService, tmp_path: Path
) -> None:
    own = lived.parts.audit.connection_of(NEIGHBOUR)
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
        assert (answer.exit_code, "part of the audit log" in answer.stdout) == (0, True)


@pytest.mark.parametrize("spoil", ["changed", "removed"])
def test_a_narrowed_export_that_was_changed_is_found(lived: TestService, spoil: str) -> None:
    found = list(lived.parts.audit.export(ExportFilter(kinds=("session.accepted",))))
    at = next(number for number, line in enumerate(found) if b'"type":"entry"' in line)
    found[at : at + 1] = [found[at].replace(b'"revision":1', b'"revision":7')] if spoil == "changed" else []
    faults = [str(fault) for fault in lived.parts.audit.verify_export(found).faults]
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
def test_an_export_that_is_asked_for_wrongly_is_refused(lived: TestService, words: tuple[str, ...]) -> None:
    answer = invoke(lived, "audit", "export", *words)
    assert (answer.exit_code, answer.stdout) == (2, "")


def test_another_identity_key_or_signing_key_verifies_nothing(lived: TestService) -> None:
    export = b"".join(lived.parts.audit.export())
    stranger = TestService.of(
        "", lived.google, lived.clock, CALENDAR_REDIS_URL=lived.variables["CALENDAR_REDIS_URL"]
    )
    faults = [
        str(fault) for fault in stranger.parts.audit.verify_export(export.splitlines(keepends=True)).faults
    ]
    assert "checkpoint 1: the checkpoint names a signing key that is not the operator's" in faults
    assert any("entry 1" in fault for fault in faults)
    stranger.close()


def test_checkpoints_of_a_former_signing_key_verify_by_its_public_half(
    lived: TestService, tmp_path: Path
) -> None:
    path, former = tmp_path / "audit_chain", lived.parts.public_keys[0]
    path.write_bytes(b"".join(lived.parts.audit.export()))
    newer = TestService.of(
        "", lived.google, lived.clock, **{**lived.variables, "CALENDAR_SIGNING_KEY": new_key()}
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
    view = service.parts.schedule.put(service.agent, "a-session", service.content("Private"), By.AGENT, None)
    service.parts.organizations.pause(service.agent, Actor.ADMINISTRATOR, paused=True)
    connection = service.parts.audit.connection_of(service.agent)
    service.parts.disconnect.disconnect(service.agent, Actor.AGENT)
    receipt = service.parts.erasure.erase_now(service.agent, Actor.AGENT)
    service.work(2)
    rows = [line.partition(" = ") for line in service.stored().splitlines()]
    kept = [row for row in rows if not row[0].startswith("browser:")]  # an open page, for hours at most
    naming = {name for name, _, value in kept if connection in name + value}
    assert naming == {keys.audit_log(service.shard_of())}
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
    refused = invoke(service, "audit", "export", "--organization", "acme", "--agent", "agent-1")
    assert (refused.exit_code, "cannot be told from others" in refused.stderr) == (1, True)


def test_each_connection_has_a_pseudonym_of_its_own_and_its_own_end(service: TestService) -> None:
    names = []
    for account in (FIRST, OTHER_ACCOUNT):  # the second connect replaces the first connection
        service.connect(account=account)
        names.append(service.parts.audit.connection_of(service.agent))
    found = entries([json.loads(line) for line in service.parts.audit.export()])
    ended = [
        line["facts"]["connection"] for line in found if line["facts"]["kind"] == "connection.disconnected"
    ]
    assert ended == [names[0]]
    assert len(set(names)) == 2


def test_an_teardowns_end_belongs_to_the_connection_that_left_it(service: TestService) -> None:
    service.google.fault("/revoke", {"status": 503, "reason": "backendError"}, times=1)
    service.connect()
    former = service.parts.audit.connection_of(service.agent)
    service.parts.disconnect.disconnect(service.agent, Actor.AGENT)
    service.parts.erasure.erase_now(service.agent, Actor.AGENT)
    service.clock.advance(MINUTE / SECOND)
    service.work()
    found = entries([json.loads(line) for line in service.parts.audit.export()])
    last = [line["facts"] for line in found if line["facts"]["kind"] == "teardown.step"][-1]
    assert (last["connection"], last["outcome"]) == (former, "confirmed")


def test_an_expiry_by_the_database_itself_is_noted_and_counted(service: TestService) -> None:
    service.connect()
    client = service.parts.database.client
    client.delete(*(service.key(part) for part in keys.SLOT_PARTS))  # as its expiry does
    days(service, 2)
    service.work()
    service.work()
    found = entries([json.loads(line) for line in service.parts.audit.export()])
    assert [line["facts"]["kind"] for line in found].count("connection.expired") == 1
    newest = service.parts.audit.newest_checkpoint()
    assert newest is not None
    assert newest["erased"] == 1
