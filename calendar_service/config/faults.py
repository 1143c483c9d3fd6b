"""What is wrong with a configuration, said so that it can be mended. Must never carry a secret's value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigurationFault:
    """One reason not to start."""

    where: str
    """The variable, or the place in the operator's profile."""
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where} {self.what}: {self.remedy}."


class ConfigurationFaults(Exception):
    """The configuration cannot be used; `faults` lists every reason at once."""

    def __init__(self, faults: tuple[ConfigurationFault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class ValueRefused(ValueError):
    """A value does not fit its variable; every argument is one `(what, remedy)`."""

    args: tuple[tuple[str, str], ...]
