"""What the token and revocation endpoints' answers prove (law 5). Must not decide what becomes of a grant.

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
"""Seconds that an access token is trusted at most; Google's last 3599."""

_CLIENT = frozenset({"invalid_client", "deleted_client", "unauthorized_client"})
_PASSING = frozenset({"temporarily_unavailable", "server_error", "internal_failure"})


class CodeRefused(RequestRefused):
    """`invalid_grant` at the exchange: the code is wrong, used or expired. It says nothing of any grant."""


@dataclass(frozen=True)
class Tokens:
    """What one answer of the token endpoint granted."""

    access_token: Secret
    expires_in: int
    """Seconds, 1 to `LONGEST_LIFE`."""
    refresh_token: Secret | None
    """None when the answer carried none: the one at hand stays valid."""
    scopes: frozenset[str] | None
    """What was granted; None when the answer named no scope."""


def tokens(status: int, headers: Mapping[str, str], content: bytes) -> Tokens:
    """Return the tokens of an answer, or raise the fact it proves; a 200 with an `error` is no success."""
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
    """Return if Google confirmed the revocation, else raise.

    A token Google does not know (`invalid_token`) is revoked already. A page that merely has
    status 200 confirms nothing.
    """
    answer = json_object(content) if _is_json(headers) else None
    if status == 200 and (not content.strip() or (answer is not None and "error" not in answer)):
        return
    if status == 400 and answer is not None and answer.get("error") == "invalid_token":
        return
    fact = refusal(status, headers, answer)
    # Only the token endpoint can prove a grant dead.
    raise RequestRefused(fact.detail) if isinstance(fact, AccessRevoked) else fact


def refusal(status: int, headers: Mapping[str, str], answer: Mapping[str, Any] | None) -> GoogleError:
    """Return what an answer without tokens proves; only 400 `invalid_grant`, in JSON, is a dead grant."""
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
        return AccessRevoked  # its reauth forms too (`invalid_rapt`): the person has to consent again
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
