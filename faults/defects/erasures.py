"""Defects in erasures: too early, never, or not whole."""

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="queued webhooks erased untold",
        law="lost",
        file="journeys/connection/erasure.py",
        search="        self.webhook_delivery.offer_last(agent)\n",
        replace="",
        scenarios=("F41 erased while sessions wait",) * 3,
    ),
    Defect(
        name="untold webhooks not counted",
        law="lost",
        file="store/scripts/erase_connection.lua",
        search="redis.call('ZCARD', KEY.outbox)",
        replace="0",
        scenarios=("F41 erased while the receiver fails",) * 2,
    ),
    Defect(
        name="erasure after one day instead of seven",
        law="early_erasure",
        file="store/scripts/disconnect_agent.lua",
        search="'end_erase_due', ms(now + retention(tonumber(arg.erase_after)))",
        replace="'end_erase_due', ms(now + retention(tonumber(arg.erase_after)) / 7)",
        scenarios=("F10 erasure at its term",) * 3 + ("F22 a worker's clock is wrong",),
    ),
    Defect(
        name="erasure forgotten",
        law="late_erasure",
        file="store/scripts/disconnect_agent.lua",
        search="set_timer(TIMER.erase, instant('end_erase_due'))",
        replace="set_timer(TIMER.erase, nil)",
        scenarios=("F10 erasure at its term",) * 2,
    ),
    Defect(
        name="erasure leaves the sessions",
        law="half_erased",
        file="store/scripts/erase_connection.lua",
        search="redis.call('DEL', KEY.facts, KEY.grant, KEY.sessions,",
        replace="redis.call('DEL', KEY.facts, KEY.grant,",
        scenarios=("F10 erasure at its term", "F29 two disconnects", "F29 two disconnects"),
    ),
    Defect(
        name="the request for a rewrite needs memory",
        law="late_erasure",
        file="store/scripts/file_rewrite_request.lua",
        search="#!lua flags=allow-oom",
        replace="#!lua",
        scenarios=("F5 erasure without memory",) * 4,
    ),
    Defect(
        name="a hold's end wakes nobody",
        law="late_erasure",
        file="store/scripts/lift_hold.lua",
        search="if instant('end_erase_due') > 0 then set_timer(TIMER.erase, instant('end_erase_due')) end\n",
        replace="",
        scenarios=("F27 hold lifted late",) * 4,
    ),
)
