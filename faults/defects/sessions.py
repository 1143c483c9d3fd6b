"""Defects in what a session's record says: order, acceptance, waiting, retries."""

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="sealed content kept after settling",
        law="content_left",
        file="store/scripts/settle_session.lua",
        search="  if arg.destroy_content == '1' then drop_content(name) end\n",
        replace="",
        scenarios=("F22 clock jumps",) * 3,
    ),
    Defect(
        name="accepted without comparing",
        law="wrong_final",
        file="store/scripts/accept_session.lua",
        search="if current ~= arg.loaded then return {'again'} end",
        replace="",
        scenarios=("F30 slow decision",) * 4,
    ),
    Defect(
        name="older versions accepted",
        law="wrong_final",
        file="journeys/sessions/decide.py",
        search="if version < record.version or (version == record.version and not same):",
        replace="if version == record.version and not same:",
        scenarios=("F30 slow decision", "F30 cancel against reschedule") * 3,
    ),
    Defect(
        name="cancel forgets what may have been written",
        law="wrong_final",
        file="journeys/sessions/decide.py",
        search="never_written = not (record.copy.exists or record.copy.in_doubt or record.leased)",
        replace="never_written = not record.copy.exists",
        scenarios=("F12 answer lost, cancelled at once",) * 4,
    ),
    Defect(
        name="retry gives up silently",
        law="unsettled",
        file="journeys/sessions/attempt.py",
        search="again=after, latest=latest, destroy_content=False",
        replace="again=None, latest=None, destroy_content=False",
        scenarios=("F13 server error",) * 2,
    ),
    Defect(
        name="a wait that is over when it is written",
        law="unsettled",
        file="store/scripts/lib/sessions.lua",
        search="  if waiting and not waits_for_person() then at = now end\n",
        replace="",
        scenarios=("F30 pause lifted meanwhile",) * 8,
    ),
    Defect(
        name="the end of a pause wakes no cancel",
        law="unsettled",
        file="store/scripts/lib/sessions.lua",
        search="    if unsettled and not record.leased then",
        replace="    if unsettled and not record.leased and record.must_exist then",
        scenarios=("F30 pause lifted meanwhile",) * 3,
    ),
    Defect(
        name="a cancel of a forgotten session does nothing",
        law="lost",
        file="journeys/sessions/schedule.py",
        search="if state in REFUSING_STATES or stands is False:",
        replace="if state in REFUSING_STATES or record is None:",
        scenarios=("F37 sessions of an old back-up",) * 2,
    ),
    Defect(
        name="the replay raises no revisions",
        law="wrong_answer",
        file="journeys/operations/restore.py",
        search="        if step.revision:\n",
        replace="        if False:\n",
        scenarios=("F37 restored by the runbook",) * 2,
    ),
)
