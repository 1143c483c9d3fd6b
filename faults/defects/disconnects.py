"""Defects in a connection's end: what it leaves, and what it does not finish at Google."""

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="teardown's token kept for ever",
        law="teardown_left",
        file="store/scripts/update_teardown.lua",
        search="  redis.call('HDEL', KEY.teardowns, id)\n",
        replace="",
        scenarios=("F19 revocation fails", "F29 two disconnects"),
    ),
    Defect(
        name="failed revocation taken for confirmed",
        law="token_alive",
        file="journeys/connection/teardown.py",
        search="            return self._try_later(agent, teardown)\n        failpoint(",
        replace="            pass\n        failpoint(",
        scenarios=("F19 revocation fails",) * 4,
    ),
    Defect(
        name="disconnect leaves the grant",
        law="half_erased",
        file="store/scripts/disconnect_agent.lua",
        search="redis.call('DEL', KEY.grant)\nput('grant_state', 'released'",
        replace="put('grant_state', 'released'",
        scenarios=("F19 revocation fails",) * 3,
    ),
    Defect(
        name="a consent outlives the disconnect",
        law="resurrected",
        file="store/scripts/disconnect_agent.lua",
        search="redis.call('HDEL', KEY.facts, 'consent_pending_state')\n",
        replace="",
        scenarios=("F29 callback after disconnect",) * 4,
    ),
)
