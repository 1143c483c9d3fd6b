"""Why a process must not use the database that it reached. Must not ask the database."""

from calendar_service.config import ConfigurationFault
from calendar_service.domain.errors import StoreUnavailable


class UnusableDatabase(StoreUnavailable):
    """The database must not be used with this configuration: `faults` says why. Nothing is written in it."""

    def __init__(self, faults: tuple[ConfigurationFault, ...]) -> None:
        super().__init__(" ".join([*map(str, faults), "Nothing was changed."]), retry_after=300)
        self.faults = faults
