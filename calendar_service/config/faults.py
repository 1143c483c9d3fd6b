"""Faults of a configuration, each with its remedy. They never contain the value of a secret."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigurationFault:
    """One reason why the service does not start."""

    where: str
    """The variable, or the place in the operator's profile."""
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where} {self.what}: {self.remedy}."


class ConfigurationFaults(Exception):
    """The configuration cannot be used; `faults` lists every reason."""

    def __init__(self, faults: tuple[ConfigurationFault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class ValueRefused(ValueError):
    """A value does not fit its variable; each argument is one `(what, remedy)`."""

    args: tuple[tuple[str, str], ...]
