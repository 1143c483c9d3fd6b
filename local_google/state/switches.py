"""Switches that tests set to make the local Google behave as Google does to some accounts, projects or days.

All are off at the start. Handlers read them.
"""

from typing import Any, Literal

import msgspec


class Switches(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One field a switch; ``null`` and ``false`` mean Google's usual behaviour."""

    # OAuth
    iss: str | None = None  # "absent", "twice", or the issuer to name instead of Google's
    granted_scope: Literal["less", "more", "reordered", "empty", "absent"] | None = None
    enforced_scope: str | None = (
        None  # the token answer names the requested scopes, the API enforces this one
    )
    testing_mode: bool = False  # publishing status Testing: grants end after seven days
    refresh_token_limit: int = 100  # live refresh tokens per account and client; beyond it the oldest ends
    refresh_token_omitted: bool = False
    rotate_refresh_tokens: bool = False  # Google does not; for services that must survive it
    revocation_delay: float = 0.0  # seconds during which revoked tokens still pass
    revocation_kills_later_grants: bool = (
        False  # [I] a delayed revocation also ends what was granted meanwhile
    )
    admin_block: bool = False  # an administrator blocks the app: admin_policy_enforced
    admin_trusted: bool = False  # an administrator trusts the app: no boxes on the consent screen
    org_internal: bool = False  # the client is for another organization's people
    sign_in_rate_limited: bool = False  # the app has reached its limit of new sign-ins: a page, no way back
    deleted_accounts: list[str] = []
    deleted_clients: list[str] = []
    # Calendar
    api_disabled: bool = False
    not_calendar_users: list[str] = []  # accounts for which Calendar is off; "*" means all of them
    unknown_zones: list[str] = []  # time zones that Google does not know yet
    control_characters_refused: bool = False  # [R] what Google does with them was not found
    undetected_collisions: bool = False  # [I] an insert under a taken id creates a second event
    revive_forbidden: bool = False  # 403 on reviving a deleted event
    trash_emptied: bool = False  # deleted events are gone for get and list; their ids stay taken
    calendar_quota: int | None = None  # new calendars per account, then 403 quotaExceeded
    guest_quota: int | None = None  # guests per account, then 403 quotaExceeded, also with sendUpdates=none
    per_minute_user: int | None = None  # Google's number is 600
    per_minute_project: int | None = None  # Google's number is 10000
    rate_limit_form: Literal["403", "403_user", "429", "front_end"] = "403"
    # Push and sync tokens
    push_to_http: bool = False  # the exception for development: notifications to http://localhost addresses
    push_loss: float = 0.0  # share of notifications that never leave
    push_retry_seconds: float = 1.0  # first wait before a notification is tried again; doubles
    sync_tokens_expired: bool = False  # every sync token answers 410


def changed(switches: Switches, changes: dict[str, Any]) -> Switches:
    """The switches with changes applied; raises msgspec.ValidationError for unknown names and wrong types."""
    unknown = set(changes) - set(Switches.__struct_fields__)
    if unknown:
        raise msgspec.ValidationError(f"no such switch: {', '.join(sorted(unknown))}")
    return msgspec.convert(msgspec.to_builtins(switches) | changes, Switches)
