"""Core dumps: a process that holds keys leaves none."""

import resource


def forbid() -> None:
    """Forbid core files of this process and its children, for good: one would hold the keyring in the clear.

    A host that pipes core dumps to a program is not bound by the limit (core(5)).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
