"""What can go wrong, as facts. Must not know HTTP: statuses are the web's table."""


class ServiceError(Exception):
    """A fact that ends a request; `code` is stable, `retryable` tells callers what to do."""

    code = "internal"
    retryable = False

    def __init__(self, detail: str, *, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.retry_after = retry_after
        """Seconds after which a repeat makes sense."""


class InvalidRequest(ServiceError):
    """The caller sent something that cannot be meant; `field` names the place."""

    code = "invalid_request"


class Unauthenticated(ServiceError):
    """No key, or a key that is not one of ours."""

    code = "unauthenticated"


class Forbidden(ServiceError):
    """A known key of the wrong role, or a browser request that fails its checks."""

    code = "forbidden"


class NotFound(ServiceError):
    """Nothing is there, or nothing that this caller may know of: both answer alike."""

    code = "not_found"


class NotConnected(ServiceError):
    """The agent has no usable connection; a human has to connect first."""

    code = "not_connected"


class StaleVersion(ServiceError):
    """A lower version, or an equal one with other content, arrived after a newer one."""

    code = "stale_version"


class OrganizationClosed(ServiceError):
    """The organization was off-boarded; it has to be reopened first."""

    code = "organization_closed"


class RetentionRequiredByLaw(ServiceError):
    """A legal hold keeps identifiers back from their erasure."""

    code = "retention_required_by_law"


class SessionOver(ServiceError):
    """The video session ended in the past."""

    code = "session_over"


class LinkOver(ServiceError):
    """The reviewer's link is over, or never was one: nobody learns which."""

    code = "link_over"


class TooManyRequests(ServiceError):
    """More was asked within a minute than is allowed."""

    code = "too_many_requests"
    retryable = True


class StoreUnavailable(ServiceError):
    """The database does not answer, refuses writes, or a record cannot be opened with the keys at hand."""

    code = "store_unavailable"
    retryable = True


class Busy(ServiceError):
    """Too much is under way for this agent or process; nothing was accepted."""

    code = "busy"
    retryable = True


# --- What Google's answers prove. Raised by `google/` alone, by reason, not by status (google: errors guide). ---


class GoogleError(ServiceError):
    """Something that Google answered, or failed to answer."""

    code = "google"


class GoogleUnavailable(GoogleError):
    """Timeout, cut, 5xx, HTML, refused connection: nothing is proved, a repeat makes sense.

    `ambiguous` is true when the request may have been carried out.
    """

    retryable = True

    def __init__(self, detail: str, *, ambiguous: bool, retry_after: int | None = None) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.ambiguous = ambiguous


class RateLimited(GoogleError):
    """403 or 429 with a rate reason: nothing was done; wait, then repeat."""

    retryable = True


class AccountRateLimited(RateLimited):
    """The same for one account's rate: the others may go on."""


class QuotaExceeded(GoogleError):
    """403 `quotaExceeded`: the account's abuse limit; lasts hours to months."""

    retryable = True


class AccessRevoked(GoogleError):
    """`invalid_grant` (or its reauth form) from the token endpoint: the only proof that a grant is dead."""


class ClientRejected(GoogleError):
    """`invalid_client` or `deleted_client`: our own credentials are wrong; no grant is touched."""

    retryable = True


class RefreshRefused(GoogleError):
    """The token endpoint refused for a reason that proves nothing, neither of the grant nor of our credentials."""

    retryable = True


class AdminBlocked(GoogleError):
    """`admin_policy_enforced`: the Workspace administrator has to act; the grant lives."""


class AccessTokenExpired(GoogleError):
    """401 from the API: refresh once, then stop."""


class InsufficientScope(GoogleError):
    """403 `insufficientPermissions`: consent has to be asked again."""


class AccessForbidden(GoogleError):
    """403 for any other reason: this object may not be touched."""


class ChannelRefused(GoogleError):
    """Google sends no notifications to our address: the operator has to verify the domain with Google."""


class EventMissing(GoogleError):
    """404: the event or its calendar is not there (or is not ours to see)."""


class AlreadyDeleted(GoogleError):
    """410 `deleted`: nothing is left to do for a delete."""


class DuplicateId(GoogleError):
    """409 `duplicate`: the identifier exists, perhaps as a tombstone."""


class Overtaken(GoogleError):
    """412: the resource changed since the ETag we named."""


class RequestRefused(GoogleError):
    """Any other 4xx: the request itself is wrong and is never repeated as it is."""


class ConsentRefused(Exception):
    """The consent ended without a usable grant; `reason` is one of a closed list the pages have words for."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
