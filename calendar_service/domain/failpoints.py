"""Named steps at which a test can pause, crash or fail the process. Without configuration they do nothing (law 12)."""

import os
import time
from collections.abc import Mapping

_actions: dict[str, str] = {}


class FailpointRaised(RuntimeError):
    """A configured failpoint of kind `raise` was reached."""


def configure(actions: Mapping[str, str]) -> None:
    """Set what happens at each named step: `exit`, `pause` or `raise`. Production refuses such a configuration."""
    _actions.clear()
    _actions.update(actions)


def failpoint(name: str) -> None:
    """Do what is configured for this step."""
    action = _actions.get(name)
    if action is None:
        return
    if action == "exit":
        os._exit(137)  # like SIGKILL: no clean-up, no flush
    if action == "pause":
        time.sleep(3600)
    raise FailpointRaised(name)
