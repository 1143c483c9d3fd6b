"""The scenarios: each injects one fault or several into an episode, and returns how many it injected.

This page is the only list of them. A scenario's name begins with the number of its fault in `docs/faults.md`. Names
and their order decide, with the seed, which scenarios a campaign plays: a new one belongs at the end.

A scenario does not judge. What has to hold afterwards is the checker's; what only the scenario can see it writes into
the journal (`DriverJournal.expect`, `DriverJournal.limit_calls`).
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from faults.episode import Episode
from faults.paths import PACKAGE
from faults.scenarios import (
    backups,
    clocks,
    disconnects,
    erasure,
    failover,
    google,
    holds,
    keys,
    leases,
    limits,
    notifications,
    order,
    person,
    primaries,
    processes,
    programs,
    records,
    restores,
    store,
    tokens,
    versions,
    webhooks,
    wire,
)
from faults.scenarios.steps import is_step, step_names, step_scenarios

__all__ = [
    "CLUSTER_SCENARIOS",
    "SCENARIOS",
    "SENTINEL_SCENARIOS",
    "Scenario",
    "all_scenarios",
    "is_step",
    "step_names",
]

Scenario = Callable[[Episode], int]

SCENARIOS: dict[str, Scenario] = {
    "F1 store killed": store.killed,
    "F2 power lost": store.power_lost,
    "F5 store out of memory": store.out_of_memory,
    "F6 store stands still": store.suspended,
    "F6 store slow": store.slow,
    "F7 store cut off": store.cut_off,
    "F7 store's answers lost": store.answers_lost,
    "F8 disk full": store.disk_full,
    "F9 worker killed": processes.worker_killed,
    "F11 web killed": processes.web_killed,
    "F11 web killed after Google accepted": processes.web_killed_after_insert,
    "F11 web killed, then cancelled": processes.web_killed_then_cancelled,
    "F11 web killed, refused since, then cancelled": processes.web_killed_then_refused,
    "F12 insert arrives late, twins possible": google.late_insert,
    "F34 rolling restart": processes.rolling_restart,
    "F16 holder stands still": leases.holder_suspended,
    "F16 late write": leases.late_write,
    "F16 late settling": leases.late_settling,
    "F16 late create": leases.late_create,
    "F16 late create after a cancel": leases.late_create_after_cancel,
    "F16 late create of a holder cut off": leases.late_create_of_cut_off_holder,
    "F16 one at Google": leases.one_at_google,
    "F16 refresh by many": leases.refresh_by_many,
    "F16 refresh lease lost": leases.refresh_lease_lost,
    "F12 answer to insert lost": google.insert_answer_lost,
    "F12 answer lost, cancelled at once": google.insert_answer_lost_then_cancelled,
    "F12 answer to patch lost": google.patch_answer_lost,
    "F12 answer to delete lost": google.delete_answer_lost,
    "F12 request lost": google.request_lost,
    "F12 answer torn": google.answer_torn,
    "F12 answer dripped": google.answer_dripped,
    "F12 no answer": google.no_answer,
    "F12 Google unreachable": google.unreachable,
    "F13 rate limited": google.rate_limited,
    "F13 change forbidden": google.change_forbidden,
    "F13 server error": google.server_error,
    "F14 access token refused": google.access_token_refused,
    "F15 event deleted by the person": person.event_deleted,
    "F15 calendar deleted by the person": person.calendar_deleted,
    "F17 refresh answer lost": tokens.refresh_answer_lost,
    "F17 token endpoint in trouble": tokens.token_endpoint_failing,
    "F18 revoked at Google": tokens.revoked_at_google,
    "F18 revoked at Google while paused": tokens.revoked_while_paused,
    "F19 revocation fails": disconnects.revocation_fails,
    "F20 reconnect before the revocation": disconnects.reconnect_before_revocation,
    "F21 one account, two agents": disconnects.shared_account,
    "F22 clock jumps": clocks.jump,
    "F22 a worker's clock is wrong": clocks.wrong_worker,
    "F22 web's clock is wrong": clocks.wrong_web,
    "F10 erasure at its term": erasure.at_term,
    "F26 hold against erasure": holds.against_erasure,
    "F28 reconnect against erasure": erasure.against_reconnect,
    "F28 erased and back": erasure.then_reconnect,
    "F29 two disconnects": disconnects.two_disconnects,
    "F29 callback after disconnect": disconnects.callback_after_disconnect,
    "F29 disconnect during connect": disconnects.disconnect_during_connect,
    "F13 webhook receiver in trouble": webhooks.receiver_failing,
    "F30 cancel against reschedule": order.cancel_against_reschedule,
    "F30 slow decision": order.slow_decision,
    "F30 pause lifted meanwhile": order.pause_lifted,
    "F31 order kept": order.queue_behind_failing_create,
    "F25 replica with other keys": keys.other_keys,
    "F39 another service on the database": keys.another_service,
    "F39 another Google client": keys.another_google_client,
    "F41 erased while sessions wait": webhooks.erased_while_waiting,
    "F32 record moved": records.moved,
    "F32 poisoned record": records.unreadable,
    "F36 old back-up put back": backups.old_backup,
    "F3 failover to a stale replica": failover.stale_replica,
    "F4 two primaries": failover.two_primaries,
    "F5 erasure without memory": erasure.without_memory,
    "F23 no worker until the last hour": erasure.workers_absent,
    "F27 hold lifted late": holds.lifted_late,
    "F24 keys rotated": keys.rotated,
    "F35 two versions at once": versions.two_at_once,
    "F35 record of a newer version": versions.later_record,
    "F12 answer exchanged": wire.answer_replaced,
    "F12 answer announced for ever": wire.endless_continue,
    "F33 notifications shuffled, repeated, forged": notifications.shuffled,
    "F33 notifications after a disconnect": notifications.after_disconnect,
    "F37 sessions of an old back-up": backups.sessions_went_back,
    "F42 private properties replaced": programs.properties_replaced,
    "F42 private properties replaced in doubt": programs.properties_replaced_in_doubt,
    "F42 event copied": programs.event_copied,
    "F42 event copied, then erased and back": programs.copied_then_reconnected,
    "F44 time zone unknown to Google": google.zone_unknown,
    "F40 store away while sessions are under way": store.away_while_writing,
    "F43 refused for a while": limits.refused_for_a_while,
    "F46 one account at its limit": limits.account_at_its_limit,
    "F37 restored by the runbook": restores.by_the_runbook,
    "F37 file cut by the server's tool": restores.file_cut,
    "F37 former holder with the same number": restores.former_holder,
    "F39 check values missing": keys.check_values_missing,
    "F41 erased while the receiver fails": webhooks.erased_while_receiver_fails,
    "F32 waiting content miscounted": records.miscounted,
    "F32 calls counted by a clock ahead": records.calls_of_a_clock_ahead,
}
"""Every scenario by name, without those of the named steps."""

SENTINEL_SCENARIOS: dict[str, Scenario] = {
    "F38 planned failover": primaries.planned_failover,
    "F38 server killed": primaries.server_killed,
    "F38 partition": primaries.partition,
}
"""Scenarios over a primary that sentinels name. They have episodes of their own (`faults.series`)."""

CLUSTER_SCENARIOS: dict[str, Scenario] = {
    "F38 planned failover in a cluster": primaries.planned_failover,
    "F38 server of a cluster killed": primaries.server_killed,
}
"""Scenarios over a cluster, in episodes of their own too."""


@cache
def all_scenarios(package: Path = PACKAGE) -> dict[str, Scenario]:
    """Return every scenario by name, with one for each named step of the service in this folder (F9)."""
    return SCENARIOS | step_scenarios(package)
