"""Named steps at which a test may stop, crash or fail the process. Inert unless a test configures them (law 12)."""

import os
import time
from collections.abc import Mapping

_actions: dict[str, str] = {}


class FailpointRaised(RuntimeError):
    """A configured failpoint of kind `raise` was reached."""


def configure(actions: Mapping[str, str]) -> None:
    """Set what happens at each named step: `exit`, `pause` or `raise`. Production never calls this."""
    _actions.clear()
    _actions.update(actions)


def failpoint(name: str) -> None:
    """Do what was configured for this step; without configuration, nothing."""
    action = _actions.get(name)
    if action is None:
        return
    if action == "exit":
        os._exit(137)  # as a SIGKILL would: no cleanup, no flush
    if action == "pause":
        time.sleep(3600)
    raise FailpointRaised(name)
