"""Whether the database keeps what it has acknowledged: its settings, or the operator's word for them (law 10).

Must not know what is stored.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calendar_service.config import ConfigurationFault
from calendar_service.config.declaration import DURABILITY, DatabaseDeclaration
from calendar_service.store.server_checks import ServerChecks, ServerSettings
from calendar_service.store.unusable import UnusableDatabase


class DatabaseForgets(UnusableDatabase):
    """The database may lose what it has acknowledged, or nobody says that it does not."""


@dataclass(frozen=True, slots=True)
class DurabilityState:
    """How the settings of `DURABILITY` stand on the servers that answer."""

    wrong: Mapping[str, tuple[str, ...]]
    """Each setting that some server has otherwise, with these servers' addresses."""
    untold: tuple[str, ...]
    """The settings that some server does not tell, and that the operator does not declare either."""
    declared: tuple[str, ...]
    """The settings that some server does not tell, and for which the operator's word is taken."""

    @property
    def is_sound(self) -> bool:
        """Whether every setting is as required, as measured or as declared."""
        return not (self.wrong or self.untold)

    @classmethod
    def of(
        cls, servers: Iterable[ServerSettings], declaration: DatabaseDeclaration | None
    ) -> "DurabilityState":
        """Judge the servers. What a server tells counts more than what is declared of it."""
        servers = tuple(servers)
        untold = [name for name in DURABILITY if any(name not in server.values for server in servers)]
        declared = declaration.settings if declaration else frozenset()
        return cls(
            wrong={
                name: where
                for name, required in DURABILITY.items()
                if (where := _differing(servers, name, required))
            },
            untold=tuple(name for name in untold if name not in declared),
            declared=tuple(name for name in untold if name in declared),
        )

    def faults(self) -> tuple[ConfigurationFault, ...]:
        """Return why a process of production does not start, each with its remedy."""
        faults = [
            ConfigurationFault(
                "CALENDAR_REDIS_URL",
                f"leads to a database that may lose what it has acknowledged: {name} is not {DURABILITY[name]} "
                f"at {', '.join(where)}",
                f"set `{name} {DURABILITY[name]}` there, also in the server's configuration file",
            )
            for name, where in self.wrong.items()
        ]
        if self.untold:
            faults.append(
                ConfigurationFault(
                    "CALENDAR_REDIS_URL",
                    f"leads to a database that does not tell {', '.join(self.untold)}",
                    "permit INFO and CONFIG GET to the user of the service, or, where no user may have them, declare "
                    "the settings in CALENDAR_DATABASE_DECLARED",
                )
            )
        return tuple(faults)


def _differing(servers: Iterable[ServerSettings], name: str, required: str) -> tuple[str, ...]:
    return tuple(server.address for server in servers if server.values.get(name, required) != required)


class Durability:
    """Judges the servers of one service, with the operator's declaration."""

    def __init__(
        self, server_checks: ServerChecks, declaration: DatabaseDeclaration | None, *, is_required: bool
    ) -> None:
        """Take who asks the servers, what the operator declares, and whether `require` may refuse."""
        self._server_checks = server_checks
        self.declaration = declaration
        self._is_required = is_required

    def state(self) -> DurabilityState:
        """Return how the settings stand now. Raises `StoreUnavailable` if no server answers."""
        return DurabilityState.of(self._server_checks.settings(), self.declaration)

    def require(self) -> None:
        """Raise `DatabaseForgets` if the database is not sound and production depends on it. Only reads."""
        if self._is_required and not (state := self.state()).is_sound:
            raise DatabaseForgets(state.faults())
