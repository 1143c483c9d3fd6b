"""Core dumps: a process that holds keys leaves none."""

import resource


def forbid() -> None:
    """Forbid core dumps of this process and its children, for good: one would hold the keyring in the clear."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
