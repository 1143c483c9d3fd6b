"""Defects in leases and fencing tokens: two holders at once, or nobody after a holder has died."""

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="fence not checked when settling",
        file="store/settle.lua",
        search="if fact('connection_id') ~= A[1] or current.fence ~= fence then",
        replace="if fact('connection_id') ~= A[1] then",
        scenarios=("F16 late settling",) * 4,
    ),
    Defect(
        name="lease released without comparing",
        file="store/release.lua",
        search="if fact(A[1] .. '_fence') == A[2] then redis.call('HDEL', F, A[1] .. '_leased') end",
        replace="redis.call('HDEL', F, A[1] .. '_leased')",
        scenarios=("F16 refresh lease lost",) * 3,
    ),
    Defect(
        name="session lease not taken",
        file="store/accept.lua",
        search="record.leased, record.fence = true, record.fence + 1",
        replace="record.fence = record.fence + 1",
        scenarios=("F16 one at Google",) * 3,
    ),
    Defect(
        name="nobody wakes for a session whose holder died",
        file="store/accept.lua",
        search="  wake_at('session:' .. name, now + tonumber(A[6]))\n",
        replace="",
        scenarios=("F11 web killed after Google accepted", "F11 web killed") * 2,
    ),
    Defect(
        name="a dead holder's write not remembered",
        file="store/take.lua",
        search="record.sent = record.sent or record.leased",
        replace="",
        scenarios=("F11 web killed, refused since, then cancelled",) * 4,
    ),
    Defect(
        name="refresh lease never taken",
        file="store/lease.lua",
        search="or (instant(name) > now and instant(name) <= now + length) then",
        replace="then",
        scenarios=("F16 refresh by many",) * 3,
    ),
)
