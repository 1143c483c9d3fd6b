"""Why a database cannot be reached, told from the errors of its client. Must not connect."""

from collections.abc import Iterator
from typing import Final

import redis

from calendar_service.domain.errors import StoreUnavailable
from calendar_service.net.obstacles import Obstacle, obstacle_of


def obstacle(error: StoreUnavailable) -> Obstacle:
    """Return what caused this error; `OTHER` where its cause is not one of the connection."""
    for cause in _causes(error):
        if (known := _known(cause)) is not None:
            return known
    return Obstacle.OTHER


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what caused the error, the innermost first: the client's own errors only wrap it."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    return reversed(chain)


_OF_ANSWER: Final[tuple[tuple[type[redis.RedisError], Obstacle], ...]] = (
    (redis.AuthenticationError, Obstacle.WRONG_LOGIN),
    (redis.exceptions.NoPermissionError, Obstacle.FORBIDDEN),
    (redis.exceptions.BusyLoadingError, Obstacle.LOADING),
    (redis.TimeoutError, Obstacle.SILENCE),
)
_OF_TEXT: Final = {
    "No such master": Obstacle.UNKNOWN_PRIMARY,
    "cluster support disabled": Obstacle.NO_CLUSTER,
    "closed by server": Obstacle.CLOSED_AT_ONCE,
}
"""What answers say that have no class of their own."""


def _known(cause: BaseException) -> Obstacle | None:
    if isinstance(cause, OSError):
        return obstacle_of(cause)
    if not isinstance(cause, redis.RedisError):
        return None
    by_kind = (known for kind, known in _OF_ANSWER if isinstance(cause, kind))
    by_text = (known for text, known in _OF_TEXT.items() if text in str(cause))
    return next(by_kind, None) or next(by_text, None)
