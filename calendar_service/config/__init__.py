"""The configuration: read once, and every fault reported at once. Starts, connects and writes nothing."""

from calendar_service.config.config import Config, Environment, GoogleClient, load
from calendar_service.config.faults import ConfigurationFault, ConfigurationFaults
from calendar_service.config.keys import ApiKey, Role

__all__ = [
    "ApiKey",
    "Config",
    "ConfigurationFault",
    "ConfigurationFaults",
    "Environment",
    "GoogleClient",
    "Role",
    "load",
]
