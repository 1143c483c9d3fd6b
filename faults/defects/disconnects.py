"""Defects in a connection's end: what it leaves, and what it does not finish at Google."""
# ruff: noqa: E501 - the texts stand here as they stand in the service

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="teardown's token kept for ever",
        file="store/errand.lua",
        search="  redis.call('HDEL', E, id)\n",
        replace="",
        scenarios=("F19 revocation fails", "F29 two disconnects"),
    ),
    Defect(
        name="failed revocation taken for confirmed",
        file="journeys/disconnect.py",
        search="        except GoogleError:\n            self._again(agent, errand)\n            return\n        finally:",
        replace="        except GoogleError:\n            pass\n        finally:",
        scenarios=("F19 revocation fails",) * 4,
    ),
    Defect(
        name="disconnect leaves the grant",
        file="store/disconnect.lua",
        search="redis.call('DEL', G)\nput('grant', 'released'",
        replace="put('grant', 'released'",
        scenarios=("F19 revocation fails",),
    ),
    Defect(
        name="a consent outlives the disconnect",
        file="store/disconnect.lua",
        search="redis.call('HDEL', F, 'connecting')\n",
        replace="",
        scenarios=("F29 callback after disconnect",) * 4,
    ),
)
