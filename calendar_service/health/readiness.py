"""The checks of /readyz: may this process be sent requests? They name nobody."""

from calendar_service.domain.errors import StoreUnavailable
from calendar_service.health.measures import Measures
from calendar_service.health.measures.consents import ConsentMeasures
from calendar_service.health.measures.database import DatabaseMeasures
from calendar_service.wiring import Service


def readiness(service: Service) -> dict[str, bool]:
    """Return each check: database, keys, consents, and the local Google if one is configured.

    Without the database the checks `store` and `consent` fail; nothing is raised.
    """
    measures = Measures.of(service)
    checks = {
        "store": _is_ours(measures.database),
        "keys": not measures.keys.file_faults,
        "consent": _may_ask(measures.consents),
    }
    if measures.config.google.is_local:
        checks["google"] = measures.google.is_reachable
    return checks


def _is_ours(database: DatabaseMeasures) -> bool:
    try:
        return database.is_ours
    except StoreUnavailable:
        return False


def _may_ask(consents: ConsentMeasures) -> bool:
    try:
        return not consents.refusals
    except StoreUnavailable:
        return False
