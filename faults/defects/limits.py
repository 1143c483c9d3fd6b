"""Defects in the counts on which limits rely: they go wrong, stay wrong, or believe a clock that was ahead."""

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="dropped content stays counted",
        law="miscounted",
        file="store/scripts/lib/waiting.lua",
        search="  count_waiting(-1, -before)\n",
        replace="",
        scenarios=("F22 clock jumps",) * 2,
    ),
    Defect(
        name="counts of waiting content never repaired",
        law="miscounted",
        file="worker/maintenance.py",
        search="                self.repairs.waiting_counts,\n",
        replace="",
        scenarios=("F32 waiting content miscounted",) * 2,
    ),
    Defect(
        name="a clock ahead believed of callers' tokens",
        law="unanswered",
        file="store/scripts/lease_call_tokens.lua",
        search="at = plausible(tonumber(at) or 0, 0)",
        replace="at = tonumber(at) or 0\nnow = math.max(now, at)",
        scenarios=("F32 calls counted by a clock ahead",) * 2,
    ),
)
