"""Defects in leases and fencing tokens: two holders at once, or nobody after a holder has died."""

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="fence not checked when settling",
        law="lost",
        file="store/scripts/settle_session.lua",
        search="if current.fencing_token ~= tonumber(arg.fencing_number) or current.holder ~= arg.holder then",
        replace="if false then",
        scenarios=("F16 late settling",) * 4,
    ),
    Defect(
        name="holder not compared when settling",
        law="wrong_final",
        file="store/scripts/settle_session.lua",
        search=" or current.holder ~= arg.holder then",
        replace=" then",
        scenarios=("F37 former holder with the same number",) * 4,
    ),
    Defect(
        name="lease released without comparing",
        law="too_many_calls",
        file="store/scripts/release_lease.lua",
        search="if is_callers then",
        replace="if true then",
        scenarios=("F16 refresh lease lost",) * 3,
    ),
    Defect(
        name="session lease not taken",
        law="too_many_calls",
        file="store/scripts/accept_session.lua",
        search="record.leased, record.fencing_token, record.holder = true, record.fencing_token + 1, arg.holder",
        replace="record.fencing_token, record.holder = record.fencing_token + 1, arg.holder",
        scenarios=("F16 one at Google",) * 3,
    ),
    Defect(
        name="nobody wakes for a session whose holder died",
        law="unsettled",
        file="store/scripts/accept_session.lua",
        search="  set_timer(session_timer(name), now + LIFETIME.lease)\n",
        replace="",
        scenarios=("F11 web killed after Google accepted", "F11 web killed") * 2,
    ),
    Defect(
        name="a dead holder's write not remembered",
        law="wrong_final",
        file="store/scripts/lease_session.lua",
        search="local in_doubt = record.copy.in_doubt or record.leased",
        replace="local in_doubt = record.copy.in_doubt",
        scenarios=("F11 web killed, refused since, then cancelled",) * 8,
    ),
    Defect(
        name="a late holder's write not remembered",
        law="wrong_final",
        file="store/scripts/settle_session.lua",
        search="note_late_write(name, current) end",
        replace="end",
        scenarios=("F16 late create after a cancel",) * 3,
    ),
    Defect(
        name="a cancel in doubt taken for certain",
        law="wrong_final",
        file="journeys/sessions/event_writer.py",
        search="in_doubt = record.copy.in_doubt and not is_deleted",
        replace="in_doubt = False",
        scenarios=("F16 late create of a holder cut off",) * 3,
    ),
    Defect(
        name="refresh lease never taken",
        law="too_many_calls",
        file="store/scripts/take_lease.lua",
        search=" or plausible(instant(name), length) > now then",
        replace=" then",
        scenarios=("F16 refresh by many",) * 3,
    ),
)
