"""The scripts of an agent's slot: atomic steps, fencing tokens, ends and expiries."""

from dataclasses import replace

import pytest

from calendar_service.domain.clock import DAY, HOUR, MINUTE
from calendar_service.domain.connection import GrantState
from calendar_service.domain.errors import StoreUnavailable
from calendar_service.domain.names import Agent
from calendar_service.domain.session import Status
from calendar_service.store import keys, script_loader
from calendar_service.store.audit_log import Actor
from calendar_service.store.file_rewrites import FileRewriteStore
from calendar_service.store.leases import Lease
from calendar_service.store.legal_holds import LegalHoldStore
from calendar_service.store.tickets import Ticket, Tickets
from tests.adapters.store.conftest import AGENT, WEEK, Store
from tests.support.evidence import shows


def erase(store: Store, *, timed: bool) -> str:
    return store.connections.erase(AGENT, Actor.SERVICE, receipt_of(store), "{}", timed=timed)


def receipt_of(store: Store) -> str:
    return f"{store.shard_of()}-{'0' * 24}"


def test_an_acceptance_on_an_old_reading_is_refused(store: Store) -> None:
    grant = store.connect()
    old = store.sessions.load(AGENT, "s1")
    assert store.accept(store.wanted(grant))[0] == "leased"
    again = store.sessions.accept(old, store.wanted(grant), "x", Actor.BACKEND, inline=True, end=None)
    assert again[0] == "again"


def test_a_second_writer_is_queued_behind_the_lease_and_follows_it(store: Store) -> None:
    grant = store.connect()
    _, record = store.accept(store.wanted(grant))
    assert store.accept(replace(record, revision=2), "newer")[0] == "queued"
    copy = replace(record.copy, applied_revision=1, etag='"1"', exists=True)
    done = replace(record, copy=copy, status=Status.SCHEDULED)
    assert store.sessions.settle(AGENT, "c1", done, again=None, latest=None, destroy_content=True)
    after = store.sessions.load(AGENT, "s1")
    assert after.record is not None
    assert (after.record.revision, after.record.copy.applied_revision, after.record.copy.etag) == (
        2,
        1,
        '"1"',
    )
    assert after.content == "newer"  # the newer content is not destroyed by the older write
    assert store.sessions.lease(AGENT, "s1") is not None  # and it is due at once


def test_a_newer_version_that_was_noted_meanwhile_outlives_the_settling(store: Store) -> None:
    """The holder settles the version that it wrote. It must not overwrite a newer one recorded meanwhile."""
    grant = store.connect()
    store.accept(store.wanted(grant, version=1))
    loaded = store.sessions.load(AGENT, "s1")
    assert loaded.record is not None
    noted = replace(loaded.record, version=5)
    store.sessions.accept(loaded, noted, "", Actor.BACKEND, inline=False, end=None, only="keep")
    done = replace(loaded.record, version=1, status=Status.SCHEDULED)
    assert store.sessions.settle(AGENT, "c1", done, again=None, latest=None, destroy_content=True)
    after = store.sessions.load(AGENT, "s1").record
    assert after is not None
    assert (after.status, after.version) == (Status.SCHEDULED, 5)


def test_who_lost_the_lease_settles_nothing(store: Store) -> None:
    """A holder that was paused past its lease still returns with a result of Google."""
    grant = store.connect()
    _, accepted = store.accept(store.wanted(grant))
    store.moved.advance(31)
    taken = store.sessions.lease(AGENT, "s1")
    assert taken is not None
    assert taken[0].fencing_token == accepted.fencing_token + 1
    late = replace(accepted, status=Status.SCHEDULED)
    assert not store.sessions.settle(AGENT, "c1", late, again=None, latest=None, destroy_content=True)
    assert store.sessions.load(AGENT, "s1").content == "sealed"


def test_who_has_the_same_fencing_token_by_a_database_that_went_back_settles_nothing(store: Store) -> None:
    """The database lost the first lease, and gave its fencing token once more to another process."""
    grant = store.connect()
    _, first = store.accept(store.wanted(grant))
    store.database.client.hdel(store.key("sessions"), "s1")
    _, second = store.accept(store.wanted(grant))
    assert first.fencing_token == second.fencing_token
    late, done = replace(first, status=Status.FAILED), replace(second, status=Status.SCHEDULED)
    assert not store.sessions.settle(AGENT, "c1", late, again=None, latest=None, destroy_content=True)
    assert store.sessions.settle(AGENT, "c1", done, again=None, latest=None, destroy_content=True)
    record = store.sessions.load(AGENT, "s1").record
    assert record is not None
    assert record.status is Status.SCHEDULED


def test_a_lease_that_runs_is_not_taken(store: Store) -> None:
    grant = store.connect()
    store.accept(store.wanted(grant))
    assert store.sessions.lease(AGENT, "s1") is None


def test_a_version_of_sixteen_digits_survives_every_script(store: Store) -> None:
    """Lua writes a number with 14 digits unless its form is given, so a longer version could change."""
    grant = store.connect()
    store.accept(store.wanted(grant, version=2**53 - 1))
    store.disconnect()
    record = store.sessions.load(AGENT, "s1").record
    assert record is not None
    assert record.version == 2**53 - 1


@shows("RV-3")
def test_a_disconnect_takes_the_token_away_in_one_step_and_fails_what_waited(store: Store) -> None:
    grant = store.connect()
    store.accept(store.wanted(grant))
    assert store.disconnect() == ("ok", "c1")
    slot = store.slots.timed(AGENT)
    assert slot.grant == ""
    assert slot.facts.grant.state is GrantState.RELEASED
    assert [teardown.grant for teardown in slot.teardowns] == [grant.sealed]
    loaded = store.sessions.load(AGENT, "s1")
    assert loaded.record is not None
    assert (loaded.record.status, loaded.content) == (Status.FAILED, "")
    assert "session:s1" not in slot.due
    assert store.accept(store.wanted(grant))[0] == "gone"


def test_a_second_disconnect_keeps_the_first_date(store: Store) -> None:
    store.connect()
    store.disconnect()
    due = store.slots.read(AGENT).facts.end.erase_due
    store.moved.advance(3600)
    assert store.disconnect() == ("already", "")
    assert store.slots.read(AGENT).facts.end.erase_due == due


def test_a_disconnect_of_an_agent_never_seen_leaves_nothing_behind(store: Store) -> None:
    assert store.disconnect() == ("not_connected", "")
    assert store.names() == set()


@shows("RV-3")
def test_a_consent_begun_before_a_disconnect_cannot_complete(store: Store) -> None:
    """The person may still have Google's page open in another tab, after an administrator disconnected them."""
    grant = store.connect()
    store.connections.begin(AGENT, "later")
    store.disconnect()
    slot = store.slots.read(AGENT)
    answer = store.connections.connect(
        AGENT, "later", slot, "c2", grant.sealed, {}, reconsent=False, account_ref="account_ref", probe_due=1
    )
    assert answer == "superseded"
    assert store.slots.read(AGENT).facts.grant.state is GrantState.RELEASED


def test_a_consent_that_was_only_begun_expires_by_itself(store: Store) -> None:
    store.connections.begin(AGENT, "digest")
    facts = store.key("facts")
    assert 0 < store.database.client.pttl(facts) <= keys.OAUTH_STATE
    store.timers.reschedule(AGENT, "", None)
    assert 0 < store.database.client.pttl(facts) <= keys.OAUTH_STATE


def test_a_connection_that_stands_never_expires_whoever_begins_a_consent(store: Store) -> None:
    store.connect()
    store.connections.begin(AGENT, "later")
    store.timers.reschedule(AGENT, "", None)
    assert store.database.client.pttl(store.key("facts")) == -1


def test_the_erasure_waits_for_its_date_and_then_takes_everything_but_the_teardown(store: Store) -> None:
    grant = store.connect()
    store.accept(store.wanted(grant))
    store.disconnect()
    assert erase(store, timed=True) == "early"
    store.moved.advance(WEEK / 1000 + 1)
    assert erase(store, timed=True) == "ok"
    slot = store.slots.timed(AGENT)
    assert slot.facts.grant.state is GrantState.NONE
    assert slot.facts.connection_id == ""
    assert [teardown.connection_id for teardown in slot.teardowns] == ["c1"]
    assert set(slot.due) == {"teardown:c1"}
    store.connections.teardown_done(AGENT, slot.teardowns[0], "confirmed")
    left = {key for key in store.names() if AGENT.member in key or "org:" in key}
    assert left == set()
    assert store.database.client.zscore(keys.timers(store.shard_of()), AGENT.member) is None
    assert store.receipts.find(receipt_of(store)) == "{}"


def test_a_live_connection_is_never_erased(store: Store) -> None:
    store.connect()
    store.moved.advance(90 * DAY / 1000)
    assert erase(store, timed=True) == "not_ended"
    assert erase(store, timed=False) == "not_ended"


def test_nothing_is_erased_while_the_clocks_disagree(store: Store) -> None:
    """An erasure cannot be undone, so a wrong clock must not cause one."""
    store.connect()
    store.disconnect()
    store.moved.advance(WEEK / 1000 + 1)
    ahead = store.clock.now() + 2 * HOUR
    answer = store.database.step(
        "erase_connection", AGENT, {}, mode="due", process_now=ahead, receipt_number="0-r", receipt="{}"
    )
    assert answer == ["clock"]
    assert store.slots.read(AGENT).facts.grant.state is GrantState.RELEASED


def test_the_databases_own_expiry_stands_a_day_behind_the_erasure(store: Store) -> None:
    grant = store.connect()
    store.accept(store.wanted(grant))
    redis = store.database.client
    assert redis.pttl(store.key("facts")) == -1
    store.disconnect()
    due = store.slots.read(AGENT).facts.end.erase_due
    for part in ("facts", "sessions", "due"):
        assert redis.pexpiretime(store.key(part)) == due + DAY
    assert abs(redis.pexpiretime(store.key("teardowns")) - (store.clock.now() + 8 * DAY)) < MINUTE


def test_connecting_again_lifts_the_expiry_and_the_date(store: Store) -> None:
    store.connect()
    store.disconnect()
    store.connect(connection_id="c2")
    slot = store.slots.timed(AGENT)
    assert slot.facts.end.erase_due == 0
    assert "erase" not in slot.due
    assert store.database.client.pttl(store.key("facts")) == -1


@shows("ST-5")
def test_a_revocation_counts_from_the_last_proof_of_life_but_leaves_an_hour(store: Store) -> None:
    store.connect()
    proof = store.slots.read(AGENT).facts.grant.last_refresh_ok_at
    store.moved.advance(3 * DAY / 1000)
    assert store.connections.mark_revoked(AGENT, "c1", 1, WEEK) == "ok"
    assert store.slots.read(AGENT).facts.end.erase_due == proof + WEEK
    other = Agent("acme", "agent-2")
    store.connect(other)
    store.moved.advance(8 * DAY / 1000)
    store.connections.mark_revoked(other, "c1", 1, WEEK)
    slot = store.slots.read(other)
    assert abs(slot.facts.end.erase_due - (slot.now + HOUR)) < MINUTE


def test_a_proof_of_a_clock_that_was_ahead_does_not_put_the_erasure_off(store: Store) -> None:
    """The retention period begins at the last proof; one dated in the future would extend it."""
    store.moved.advance(31 * DAY / 1000)
    store.connect()
    store.moved.advance(-31 * DAY / 1000)
    assert store.connections.mark_revoked(AGENT, "c1", 1, WEEK) == "ok"
    slot = store.slots.read(AGENT)
    assert abs(slot.facts.end.erase_due - (slot.now + WEEK)) < MINUTE


def test_a_lease_of_a_clock_that_was_ahead_does_not_stand_for_a_month(store: Store) -> None:
    store.connect()
    store.moved.advance(31 * DAY / 1000)
    assert number_of(store.leases.take(AGENT, "refresh", 30_000)) == 1
    assert store.leases.take(AGENT, "refresh", 30_000) is None
    store.moved.advance(-31 * DAY / 1000)
    assert number_of(store.leases.take(AGENT, "refresh", 30_000)) == 2


def number_of(lease: Lease | None) -> int:
    return lease.fencing_number if lease else 0


def test_a_named_lease_is_not_ended_by_a_holder_of_the_same_number(store: Store) -> None:
    """The database lost the first lease, and gave its number once more to another process."""
    store.connect()
    first = store.leases.take(AGENT, "refresh", 30_000)
    store.database.client.hdel(store.key("facts"), "refresh_leased", "refresh_fencing_token")
    second = store.leases.take(AGENT, "refresh", 30_000)
    assert first
    assert second
    assert first.fencing_number == second.fencing_number
    store.leases.release(AGENT, first)
    assert store.leases.take(AGENT, "refresh", 30_000) is None
    store.leases.release(AGENT, second)
    assert store.leases.take(AGENT, "refresh", 30_000)


def test_nobody_queues_behind_a_holder_of_a_clock_that_was_ahead(store: Store) -> None:
    """The lease that was written then ends a month from now, and its holder is gone."""
    grant = store.connect()
    store.moved.advance(31 * DAY / 1000)
    _, first = store.accept(store.wanted(grant))
    store.moved.advance(-31 * DAY / 1000)
    answer, second = store.accept(replace(first, revision=2), "newer")
    assert (answer, second.fencing_token) == ("leased", first.fencing_token + 1)


def test_an_older_token_proves_nothing_against_a_newer_one(store: Store) -> None:
    """A refusal of a token that was replaced meanwhile must not end the connection."""
    grant = store.connect()
    newer = store.grants.next(grant, grant.refresh_token, grant.access_token, store.clock.now() + HOUR)
    assert store.connections.save_refreshed(AGENT, "c1", 1, newer.sealed, store.clock.now() + DAY)
    assert store.connections.mark_revoked(AGENT, "c1", 1, WEEK) == "newer"
    assert not store.connections.save_refreshed(AGENT, "c1", 1, grant.sealed, 0)
    assert store.slots.read(AGENT).grant == newer.sealed


def test_a_lease_on_the_slot_is_exclusive_until_it_ends(store: Store) -> None:
    store.connect()
    first = store.leases.take(AGENT, "refresh", 10_000)
    assert first is not None
    assert store.leases.take(AGENT, "refresh", 10_000) is None
    store.leases.release(
        AGENT, replace(first, fencing_number=first.fencing_number - 1)
    )  # not the holder's number
    assert store.leases.take(AGENT, "refresh", 10_000) is None
    store.moved.advance(11)
    second = store.leases.take(AGENT, "refresh", 10_000)
    assert number_of(second) == first.fencing_number + 1
    store.leases.release(AGENT, first)  # who wakes up late releases nothing
    assert store.leases.take(AGENT, "refresh", 10_000) is None


def test_a_due_agent_is_leased_to_one_worker_and_comes_back(store: Store) -> None:
    store.connect()
    store.disconnect()
    store.moved.advance(31)
    assert list(store.timers.due(10)) == [AGENT]
    assert list(store.timers.due(10)) == []
    store.moved.advance(31)
    assert list(store.timers.due(10)) == [AGENT]


def test_names_left_by_an_expired_slot_are_removed(store: Store) -> None:
    store.connect()
    redis = store.database.client
    redis.delete(*[store.key(part) for part in keys.SLOT_PARTS])
    store.timers.reschedule(AGENT, "", None)
    assert redis.zscore(keys.timers(store.shard_of()), AGENT.member) is None
    assert list(store.organization_index.members("acme")) == []


def test_what_was_made_due_meanwhile_is_not_put_off(store: Store) -> None:
    """A worker that ends an item must not delay a wake-up that came while it was running."""
    store.connect()
    slots, timers = store.slots, store.timers
    timers.reschedule(AGENT, "chore", 1000)
    due = slots.timed(AGENT).due["chore"]
    timers.reschedule(AGENT, "chore", 2000)
    meanwhile = slots.timed(AGENT).due["chore"]
    for after in (DAY, None):
        timers.reschedule(AGENT, "chore", after, due)
        assert slots.timed(AGENT).due["chore"] == meanwhile
    timers.reschedule(AGENT, "chore", None, meanwhile)
    assert "chore" not in slots.timed(AGENT).due
    timers.reschedule(AGENT, "chore", 0, meanwhile)  # it was done with meanwhile
    assert "chore" not in slots.timed(AGENT).due


@shows("ST-5")
def test_a_full_database_refuses_to_accept_but_still_disconnects_and_erases(store: Store) -> None:
    """The promises to end and to erase must hold where no memory is left."""
    grant = store.connect()
    redis = store.database.client
    redis.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(StoreUnavailable):
            store.accept(store.wanted(grant))
        assert store.sessions.load(AGENT, "s1").record is None
        assert store.disconnect()[0] == "ok"
        slot = store.slots.read(AGENT)
        store.connections.teardown_done(AGENT, slot.teardowns[0], "confirmed")
        assert erase(store, timed=False) == "ok"
        files = FileRewriteStore(store.database)
        files.request()
        desired = files.take()
        assert desired
        files.done(desired)
        assert files.waiting() == 0
        store.organization_index.set_closed("acme", Actor.ADMINISTRATOR, is_closed=True)
        assert store.organization_index.is_closed("acme")
        store.organization_index.set_closed("acme", Actor.ADMINISTRATOR, is_closed=False)
    finally:
        redis.config_set("maxmemory", "0")
    assert store.slots.read(AGENT).facts.grant.state is GrantState.NONE


@shows("LU-6")
def test_every_step_leaves_its_entry_and_no_identifier_of_google(store: Store) -> None:
    grant = store.connect()
    store.accept(store.wanted(grant))
    store.disconnect()
    entries = store.database.client.xrange(keys.audit_log(store.shard_of()))
    text = str(entries)
    assert [kind in text for kind in ("consent.begun", "connection.connected", "session.accepted")] == [
        True
    ] * 3
    assert "connection.disconnected" in text
    assert grant.event_id("s1", 0) not in text
    assert "cal@group" not in text
    assert "agent-1" not in text


NO_ENTRY = {
    "whose turn it is, and when": {
        "claim_due", "lease_session", "take_lease", "release_lease", "start_item", "reschedule",
        "wake_change_detection", "reset_far_timers",
    },
    "how revisions are counted after a restore": {"raise_revisions"},
    "which pages of an agent are open": {"add_open_page"},
    "a fresh token or a new seal for what is there": {"save_refreshed_grant", "reseal_grant"},
    "what Google refuses to the connection, which stays in its state": {"set_block"},
    "which connections share an account": {
        "account_ref_join", "account_ref_leave", "account_ref_drop", "account_ref_end_revocation",
    },
    "how a webhook event fares": {
        "outbox_take", "outbox_finish", "outbox_expire", "outbox_replay", "outbox_reschedule_erased",
    },
    "the audit log itself": {
        "append_macs", "trim_audit_chain", "compact_audit_chain", "append_checkpoint", "append_entry",
    },
    "nobody's: what is to be rewritten, reviewers' links": {
        "file_rewrite_request", "file_rewrite_take", "file_rewrite_finish",
        "reviewer_link_set_end", "reviewer_link_count_act",
    },
    "nobody's: how much is asked of Google": {
        name for name in script_loader.names() if name.startswith("throttle_")
    },
    "nobody's: how much callers may ask for": {"lease_call_tokens"},
    "how much waits, which follows from what does": {"recount_waiting", "correct_waiting_load"},
    "that an organization is closed, behind an entry of its own": {"set_flag"},
}  # fmt: skip
"""Scripts that write no entry, by what they change."""


@shows("LU-6")
def test_only_scripts_that_change_no_connection_or_session_write_no_entry() -> None:
    silent = {name for name in script_loader.names() if "append_entry(" not in script_loader.source(name)}
    assert silent == set().union(*NO_ENTRY.values())


def test_identifiers_of_sessions_long_over_are_dropped(store: Store) -> None:
    grant = store.connect()
    store.accept(store.wanted(grant))
    store.moved.advance(33 * DAY / 1000)
    assert store.sessions.purge_old(AGENT, 30) == "ok"
    assert len(store.sessions.all(AGENT)) == 1
    store.moved.advance(DAY / 1000)
    assert store.sessions.purge_old(AGENT, 30) == "ok"
    assert store.sessions.all(AGENT) == []
    assert "purge_sessions" not in store.slots.timed(AGENT).due


def test_after_the_databases_own_expiry_the_names_go_too_and_the_teardown_is_due(store: Store) -> None:
    store.connect()
    store.disconnect()
    for part in ("facts", "grant", "sessions", "waiting", "due", "outbox"):  # no worker came for so long
        store.database.client.pexpireat(store.key(part), 1)
    store.timers.reschedule(AGENT, "", None)
    slot = store.slots.timed(AGENT)
    assert slot.facts.grant.state is GrantState.NONE
    assert list(store.organization_index.members("acme")) == []
    assert set(slot.due) == {"teardown:c1"}
    store.connections.teardown_done(AGENT, slot.teardowns[0], "given_up")
    assert {name for name in store.names() if AGENT.member in name or "org:" in name} == set()
    assert store.database.client.zscore(keys.timers(store.shard_of()), AGENT.member) is None


@pytest.mark.parametrize("who", [Actor.AGENT, Actor.ADMINISTRATOR])
def test_a_full_database_still_pauses_and_resumes(store: Store, who: Actor) -> None:
    """A pause stops work, and needs no memory to speak of; neither does its end."""
    store.connect()
    fact = "pause_by_agent" if who is Actor.AGENT else "pause_by_organization"
    redis = store.database.client
    redis.config_set("maxmemory", "1mb")
    try:
        assert store.connections.pause(AGENT, who, paused=True) == "ok"
        assert int(redis.hget(store.database.slot_keys(AGENT).part("facts"), fact)) > 0
        assert store.connections.pause(AGENT, who, paused=False) == "ok"
    finally:
        redis.config_set("maxmemory", "0")
    assert redis.hget(store.database.slot_keys(AGENT).part("facts"), fact) == "0"


def test_a_full_database_still_closes_a_page_lifts_a_hold_and_takes_a_shorter_retention(store: Store) -> None:
    store.connect()
    tickets, holds = Tickets(store.database), LegalHoldStore(store.database)
    ticket = Ticket(AGENT.organization, AGENT.agent, "en", "UTC", "", store.clock.now() + HOUR)
    cookie, _ = tickets.open_browser(ticket)
    placed = {"kind": "hold.placed", "actor": "operator"}
    until = store.clock.now() + WEEK
    store.database.step(
        "place_hold", AGENT, placed, ends_at=until, silent_until=0, statement="{}", replace="0"
    )
    redis = store.database.client
    redis.config_set("maxmemory", "1mb")
    try:
        tickets.close_browser(cookie)
        assert holds.lift(AGENT, Actor.OPERATOR, released=True) == "ok"
        assert store.connections.choose_retention(AGENT, DAY) == "ok"
    finally:
        redis.config_set("maxmemory", "0")
    assert tickets.browser(cookie) is None


def test_a_slot_costs_the_same_however_many_sessions_wait(store: Store) -> None:
    client, due = store.database.client, store.key("due")

    def sent() -> int:
        before = client.info("stats")["total_net_output_bytes"]
        store.slots.read(AGENT)
        return client.info("stats")["total_net_output_bytes"] - before

    store.connect()
    few = sent()
    client.zadd(due, {f"session:waiting-{number:04}": number for number in range(1_000)})
    # The answer to INFO and the digits of the time differ by some bytes.
    assert abs(sent() - few) < 200
    assert len(store.slots.timed(AGENT).due) >= 1_000
