"""The checks of /readyz: may this process be sent requests? They name nobody."""

from calendar_service.domain.errors import StoreUnavailable
from calendar_service.health.measures import Measures
from calendar_service.health.measures.consents import ConsentMeasures
from calendar_service.health.measures.database import DatabaseMeasures
from calendar_service.store.ownership import Owner
from calendar_service.wiring import Service


def readiness(service: Service) -> dict[str, bool]:
    """Return each check: database, Google client, keys, consents, and the local Google if one is configured.

    Without the database the checks `store`, `google_client` and `consent` fail; nothing is raised.
    """
    measures = Measures.of(service)
    checks = {
        "store": _is_ours(measures.database),
        "google_client": _is_google_client_ours(measures.database),
        "keys": not measures.keys.file_faults,
        "consent": _may_ask(measures.consents),
    }
    if measures.config.google.is_local:
        checks["google"] = measures.google.is_reachable
    return checks


def _is_ours(database: DatabaseMeasures) -> bool:
    try:
        return database.owner is Owner.OURS
    except StoreUnavailable:
        return False


def _is_google_client_ours(database: DatabaseMeasures) -> bool:
    try:
        return database.is_google_client_ours
    except StoreUnavailable:
        return False


def _may_ask(consents: ConsentMeasures) -> bool:
    try:
        return not consents.refusals
    except StoreUnavailable:
        return False
