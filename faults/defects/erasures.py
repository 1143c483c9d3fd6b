"""Defects in erasures: too early, never, or not whole."""

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="erasure after one day instead of seven",
        file="store/disconnect.lua",
        search="'erase_due', ms(now + erase_term(tonumber(A[2])))",
        replace="'erase_due', ms(now + erase_term(tonumber(A[2])) / 7)",
        scenarios=("F10 erasure at its term", "F22 a worker's clock is wrong"),
    ),
    Defect(
        name="erasure forgotten",
        file="store/disconnect.lua",
        search="wake_at('erase', instant('erase_due'))",
        replace="wake_at('erase', nil)",
        scenarios=("F10 erasure at its term",) * 2,
    ),
    Defect(
        name="erasure leaves the sessions",
        file="store/erase.lua",
        search="redis.call('DEL', F, G, S, W, D",
        replace="redis.call('DEL', F, G, W, D",
        scenarios=("F10 erasure at its term", "F29 two disconnects", "F29 two disconnects"),
    ),
    Defect(
        name="the request for a rewrite needs memory",
        file="store/rewrite_want.lua",
        search="#!lua flags=allow-oom",
        replace="#!lua",
        scenarios=("F5 erasure without memory",) * 4,
    ),
    Defect(
        name="a hold's end wakes nobody",
        file="store/hold_ends.lua",
        search="if instant('erase_due') > 0 then wake_at('erase', instant('erase_due')) end\n",
        replace="",
        scenarios=("F27 hold lifted late",) * 4,
    ),
)
