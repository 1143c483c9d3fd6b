"""The parts of one call of the internal API: path, roles, parameters, answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final, Generic, TypeVar

from msgspec import Meta, Struct

from calendar_service.config import Role
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.names import Agent, name, session_name
from calendar_service.web.problems import Misshapen
from calendar_service.wiring import Service

J = TypeVar("J")

ORGANIZATION: Final = "/v1/organizations/<organization>"
AGENT: Final = f"{ORGANIZATION}/agents/<agent>"

BACKEND: Final = frozenset({Role.BACKEND})
ADMIN: Final = frozenset({Role.ADMIN})
BOTH: Final = BACKEND | ADMIN

NAME_FORM: Final = {"minLength": 1, "maxLength": 128, "pattern": "^[A-Za-z0-9._~:@-]+$"}
"""The form of a name in JSON Schema; `domain.names.name` checks it."""

Cursor = Annotated[
    str,
    Meta(
        max_length=1024,
        description="Where the page before ended.",
        extra_json_schema={"pattern": "^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{3}=|[A-Za-z0-9_-]{2}==)?$"},
    ),
]


class Tag(StrEnum):
    """A group of calls in the description."""

    SESSIONS = "Sessions"
    CONNECTIONS = "Connections"
    ORGANIZATIONS = "Organizations"


class Nothing(Struct, forbid_unknown_fields=True):
    """An empty body, or no parameters."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a call's path."""

    organization: str
    agent: str = ""
    session: str = ""

    @classmethod
    def of_path(cls, parts: Mapping[str, str]) -> "Names":
        """Return the names in a path, or refuse the path."""
        try:
            return cls(
                **{
                    part: session_name(value, part) if part == "session" else name(value, part)
                    for part, value in parts.items()
                }
            )
        except InvalidRequest as error:
            raise Misshapen(error.detail, field=error.field) from None

    @property
    def whose(self) -> Agent:
        """The agent in the path."""
        return Agent(self.organization, self.agent)

    def path_of(self, session: str) -> str:
        """Return the path of a session of this agent."""
        return f"/v1/organizations/{self.organization}/agents/{self.agent}/sessions/{session}"


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The answer of a call."""

    status: int
    body: Struct
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiCall(Generic[J]):
    """One call of the API."""

    tag: Tag
    method: str
    path: str
    roles: frozenset[Role]
    needs: Callable[[Service], J]
    """Picks from the service the journey that `do` takes, or the group of journeys."""
    do: Callable[[J, Names, Any, Any], ApiAnswer]
    """Takes what `needs` picks, the names, the parameters and the body; its docstring describes the call."""
    answers: Mapping[int, type[Struct]]
    codes: tuple[str, ...] = ()
    """The codes of its refusals, besides those of every call."""
    query: type[Struct] = Nothing
    body: type[Struct] = Nothing
    is_long: Callable[[Any], bool] = lambda _: False
    """Tells by the parameters whether the call waits for Google or reads much, so that few may run at a time."""

    @property
    def name(self) -> str:
        """The call's name in the description."""
        return self.do.__name__
