"""The backend's names for organizations, agents and sessions."""

import re
from dataclasses import dataclass

from calendar_service.domain.errors import InvalidRequest

RESERVED = "reconcile"
"""No session's name: `…/sessions/reconcile` is a call."""
_NAME = re.compile(r"[A-Za-z0-9._~:@-]{1,128}")


def name(value: str, field: str) -> str:
    """Return the name unchanged; raise `InvalidRequest` unless it is 1 to 128 of letters, digits, `. _ ~ : @ -`."""
    if not _NAME.fullmatch(value) or value in {".", ".."}:
        raise InvalidRequest(
            f"`{field}` must be 1 to 128 characters out of letters, digits and . _ ~ : @ - (and not a path step).",
            field=field,
        )
    return value


def session_name(value: str, field: str) -> str:
    """Return the name of a session unchanged; raise `InvalidRequest` unless `name` takes it and no call has it."""
    if value == RESERVED:
        raise InvalidRequest(
            f"`{field}` cannot be `{RESERVED}`: a call has this path. Give the session another name.",
            field=field,
        )
    return name(value, field)


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent of one organization, by the backend's own names."""

    organization: str
    agent: str

    @classmethod
    def named(cls, organization: str, agent: str) -> "Agent":
        """Return the agent of these names, or raise `InvalidRequest`."""
        return cls(name(organization, "organization"), name(agent, "agent"))

    @property
    def member(self) -> str:
        """The agent as an entry of timers and indexes; `/` cannot occur in a name."""
        return f"{self.organization}/{self.agent}"

    @classmethod
    def of_member(cls, member: str) -> "Agent":
        """Return the agent that `member` stands for."""
        organization, _, agent = member.partition("/")
        return cls(organization, agent)
