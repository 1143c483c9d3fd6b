"""The errors of the service. Their HTTP statuses are in `web/problems.py`."""

from calendar_service.domain.caller_limits import LimitName


class ServiceError(Exception):
    """An error that ends a request. `code` is stable; `retryable` tells the caller whether to repeat."""

    code = "internal"
    retryable = False

    def __init__(self, detail: str, *, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.retry_after = retry_after
        """After how many seconds to repeat; None = the caller decides."""


class InvalidRequest(ServiceError):
    """The request is malformed; `field` names the place."""

    code = "invalid_request"


class Unauthenticated(ServiceError):
    """The request has no API key, or an unknown one."""

    code = "unauthenticated"


class Forbidden(ServiceError):
    """The key has the wrong role, or a browser's request fails its checks."""

    code = "forbidden"


class NotFound(ServiceError):
    """The thing does not exist, or this caller may not know of it: both are answered alike."""

    code = "not_found"


class NotConnected(ServiceError):
    """The agent has no usable connection and has to connect first."""

    code = "not_connected"


class StaleVersion(ServiceError):
    """A lower version than the stored one arrived, or the same with other content."""

    code = "stale_version"


class OrganizationClosed(ServiceError):
    """The organization was off-boarded and has to be reopened first."""

    code = "organization_closed"


class RetentionRequiredByLaw(ServiceError):
    """A legal hold forbids the erasure."""

    code = "retention_required_by_law"


class SessionOver(ServiceError):
    """The video session ended in the past."""

    code = "session_over"


class GoogleRefused(ServiceError):
    """Google refused this very change for good. The one refusal that changes state: the session is `failed`."""

    code = "google_refused"


class LinkOver(ServiceError):
    """The reviewer's link has ended or never existed; the caller does not learn which."""

    code = "link_over"


class TooManyRequests(ServiceError):
    """The caller asks for more than one caller may; others go on."""

    code = "too_many_requests"
    retryable = True

    def __init__(self, detail: str, *, limit: LimitName, retry_after: int) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.limit: LimitName = limit


class StoreUnavailable(ServiceError):
    """The database does not answer, refuses writes, or keeps a record that cannot be read here."""

    code = "store_unavailable"
    retryable = True


class RecordUnreadable(StoreUnavailable):
    """The database answers, but a record cannot be opened with the keys at hand, or a newer version wrote it."""


class Busy(ServiceError):
    """Too many requests are being served for this agent or process; nothing was accepted."""

    code = "busy"
    retryable = True


# --- What Google's answers prove; only `google/` raises these ---


class GoogleError(ServiceError):
    """Google refused, or gave no usable answer."""

    code = "google"


class GoogleUnavailable(GoogleError):
    """Timeout, cut answer, 5xx, HTML, refused connection: nothing is proved, and the call may be repeated.

    `ambiguous` is true when the request may have been carried out.
    """

    retryable = True

    def __init__(self, detail: str, *, ambiguous: bool, retry_after: int | None = None) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.ambiguous = ambiguous


class RateLimited(GoogleError):
    """403 or 429 with a rate reason: Google did nothing; repeat after a pause."""

    retryable = True


class AccountRateLimited(RateLimited):
    """403 or 429 for one account's rate; calls for other accounts may go on."""


class QuotaExceeded(GoogleError):
    """403 `quotaExceeded`: the account's limit against abuse, which lasts hours to months."""

    retryable = True


class AccessRevoked(GoogleError):
    """`invalid_grant` (or its reauth form) from the token endpoint: the one proof that a grant is dead."""


class ClientRejected(GoogleError):
    """The operator's credentials or project are refused (`invalid_client`); says nothing of any grant."""

    retryable = True


class RefreshRefused(GoogleError):
    """The token endpoint refused for a reason that proves nothing, neither of the grant nor of our credentials."""

    retryable = True


class AdminBlocked(GoogleError):
    """The account's administrator has to act; the grant is still alive.

    `admin_policy_enforced` from the token endpoint, or a refusal of the account or its domain (`notACalendarUser`).
    """


class AccessTokenExpired(GoogleError):
    """401 from the API: the caller refreshes the token once and repeats once."""


class InsufficientScope(GoogleError):
    """403 `insufficientPermissions`: the agent has to consent again."""


class AccessForbidden(GoogleError):
    """403 about this very event or calendar: it is not accessible to us."""


class UnknownRefusal(GoogleError):
    """403 for a reason that is not known here, so nothing shows that it is about this event: repeated, never final."""


class ChannelRefused(GoogleError):
    """Google refuses to send notifications to our address: the operator has to verify the domain with Google."""


class EventMissing(GoogleError):
    """404: the event or its calendar does not exist, or we have no access to it."""


class AlreadyDeleted(GoogleError):
    """410 `deleted`: a delete is already done."""


class DuplicateId(GoogleError):
    """409 `duplicate`: the id exists, perhaps as a deleted event."""


class Overtaken(GoogleError):
    """412: the resource is no longer at the ETag of the request."""


class RequestRefused(GoogleError):
    """Any other 4xx: the request itself is wrong, so it is not repeated."""


class ZoneRefused(RequestRefused):
    """400: Google does not know the time zone, which may be newer than its list."""


class ConsentRefused(Exception):
    """The consent ended without a usable grant; `reason` is one of the list for which the pages have sentences."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
