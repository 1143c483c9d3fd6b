"""What a consent covers: one scope, under one version of the policy (SC-5, UP-1)."""

import re
from dataclasses import dataclass

_VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")


@dataclass(frozen=True, slots=True)
class ConsentTerms:
    """What an agent is asked to agree to, or was when it was last asked."""

    scope: str
    policy: str
    """The policy's version: numbers with dots between them."""


def is_version(text: str) -> bool:
    """Tell whether this is a policy's version, such as `2` or `2.1`."""
    return bool(_VERSION.fullmatch(text))


def is_newer(policy: str, than: str) -> bool:
    """Tell whether one version comes after another: 10 after 9, 1.1 after 1, any after an empty one."""
    return _order(policy) > _order(than)


def _order(policy: str) -> tuple[int, ...]:
    return tuple(map(int, policy.split("."))) if is_version(policy) else ()
