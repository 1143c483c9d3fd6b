"""What the answers of the token and revocation endpoints prove (law 5). Only reads, never acts.

Sources: RFC 6749 5.1 and 5.2, RFC 7009, https://developers.google.com/identity/protocols/oauth2/web-server.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calendar_service.domain.errors import (
    AccessRevoked,
    AdminBlocked,
    ClientRejected,
    GoogleError,
    GoogleUnavailable,
    RateLimited,
    RequestRefused,
)
from calendar_service.domain.secret import Secret
from calendar_service.google.answers import json_object, name_of, retry_after

LONGEST_LIFE = 3600
"""The most seconds for which an access token is used; Google's are valid for 3599."""

_CLIENT = frozenset({"invalid_client", "deleted_client", "unauthorized_client"})
_PASSING = frozenset({"temporarily_unavailable", "server_error", "internal_failure"})


class CodeRefused(RequestRefused):
    """`invalid_grant` at the exchange: the code is wrong, used or expired. It says nothing of any grant."""


@dataclass(frozen=True)
class Tokens:
    """What one answer of the token endpoint grants."""

    access_token: Secret
    expires_in: int
    """Seconds, 1 to `LONGEST_LIFE`."""
    refresh_token: Secret | None
    """None when the answer carried none: the present one stays valid."""
    scopes: frozenset[str] | None
    """The granted scopes; None when the answer named none."""


def tokens(status: int, headers: Mapping[str, str], content: bytes) -> Tokens:
    """Return the tokens of an answer, or raise what it proves; a 200 with an `error` is no success."""
    answer = json_object(content) if _is_json(headers) else None
    if status != 200 or answer is None or "error" in answer:
        raise refusal(status, headers, answer)
    scope = answer.get("scope")
    if not _has_token_type(answer) or not isinstance(scope, str | None):
        raise _unusable("no bearer token")
    return Tokens(
        access_token=_token(answer.get("access_token")),
        expires_in=_life(answer.get("expires_in")),
        refresh_token=_token(answer["refresh_token"]) if answer.get("refresh_token") is not None else None,
        scopes=None if scope is None else frozenset(scope.split()),
    )


def revoked(status: int, headers: Mapping[str, str], content: bytes) -> None:
    """Return if the answer confirms the revocation, else raise what it proves.

    `invalid_token` means that the token is revoked already. A 200 that is not Google's JSON or empty
    confirms nothing: a proxy may have sent it.
    """
    answer = json_object(content) if _is_json(headers) else None
    if status == 200 and (not content.strip() or (answer is not None and "error" not in answer)):
        return
    if status == 400 and answer is not None and answer.get("error") == "invalid_token":
        return
    error = refusal(status, headers, answer)
    # Only the token endpoint can prove a grant dead.
    raise RequestRefused(error.detail) if isinstance(error, AccessRevoked) else error


def refusal(status: int, headers: Mapping[str, str], answer: Mapping[str, Any] | None) -> GoogleError:
    """Return what an answer without tokens proves; only 400 `invalid_grant`, in JSON, proves a grant dead."""
    code = name_of((answer or {}).get("error"))
    detail = f"Google's token endpoint answered {status} {code}".rstrip()
    wait = retry_after(headers)
    if answer is None or not 400 <= status < 500 or status == 408 or code in _PASSING:
        return GoogleUnavailable(detail, ambiguous=True, retry_after=wait)
    if status == 429:
        return RateLimited(detail, retry_after=wait)
    return _fact(status, code)(detail)


def _fact(status: int, code: str) -> type[GoogleError]:
    if status == 400 and code == "invalid_grant":
        return AccessRevoked  # also its reauth form (`invalid_rapt`): the person has to consent again
    if code in _CLIENT:
        return ClientRejected
    return AdminBlocked if code == "admin_policy_enforced" else RequestRefused


def _is_json(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _has_token_type(answer: Mapping[str, Any]) -> bool:
    kind = answer.get("token_type")
    return isinstance(kind, str) and kind.lower() == "bearer"


def _token(value: object) -> Secret:
    """Return a token that can travel in a header: visible ASCII (RFC 6750, 2.1), Google's 2 KiB at most."""
    if not isinstance(value, str) or not re.fullmatch("[!-~]{1,4096}", value):
        raise _unusable("no usable token")
    return Secret(value)


def _life(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise _unusable("no usable lifetime")
    return min(value, LONGEST_LIFE)


def _unusable(why: str) -> GoogleUnavailable:
    return GoogleUnavailable(f"Google's token endpoint answered 200 with {why}", ambiguous=True)
