from dataclasses import replace
from typing import Any

import pytest

from calendar_service.domain.errors import (
    AccessRevoked,
    AccessTokenExpired,
    AdminBlocked,
    ClientRejected,
    ConsentRefused,
    GoogleError,
    GoogleUnavailable,
)
from calendar_service.domain.scope import SCOPE
from calendar_service.domain.secret import Secret
from calendar_service.google.calendar import CalendarApi
from calendar_service.google.oauth import CodeRefused, OAuth, OAuthClient, check_callback_issuer
from calendar_service.google.transport import Transport
from tests.adapters.google.conftest import callback, connect
from tests.support.local_google import LocalGoogle

ONE = "agent-one@example.com"

TROUBLE: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503, "reason": "invalid_grant"},
    {"html": 502},
    {"html": 200},
    {"cut": "before_commit"},
    {"truncate": True},
    {"answer": {"status": 200, "body": {"error": "invalid_grant"}}},
    {"answer": {"status": 400, "body": "invalid_grant", "content_type": "text/plain"}},
]


def live_refresh_tokens(google: LocalGoogle) -> int:
    return len([one for one in google.state()["refresh_tokens"] if not one.get("revoked")])


def test_a_consent_becomes_tokens_for_exactly_our_scope(google: LocalGoogle, oauth: OAuth) -> None:
    tokens = connect(google, oauth)
    assert tokens.scopes == {SCOPE}
    assert tokens.refresh_token is not None
    assert 3500 <= tokens.expires_in <= 3600


def test_consenting_again_gives_a_refresh_token_again(google: LocalGoogle, oauth: OAuth) -> None:
    assert connect(google, oauth).refresh_token is not None
    assert connect(google, oauth).refresh_token is not None


def test_a_refresh_token_of_another_client_is_the_operators_mistake_and_no_dead_grant(
    google: LocalGoogle, oauth: OAuth, client: OAuthClient, transport: Transport
) -> None:
    refresh_token = connect(google, oauth).refresh_token
    assert refresh_token is not None
    other_client = OAuth(replace(client, client_id="theirs.apps.example"), transport)
    with pytest.raises(ClientRejected):
        other_client.refresh(refresh_token)
    assert oauth.refresh(refresh_token).scopes == {SCOPE}


def test_a_refreshed_token_opens_the_calendar(
    google: LocalGoogle, oauth: OAuth, calendar: CalendarApi
) -> None:
    refresh_token = connect(google, oauth).refresh_token
    assert refresh_token is not None
    fresh = oauth.refresh(refresh_token)
    assert fresh.scopes == {SCOPE}
    assert fresh.refresh_token is None
    assert calendar.find_ours(fresh.access_token, "our-marker").primary_id == ONE


def test_a_rotated_refresh_token_is_handed_on(google: LocalGoogle, oauth: OAuth) -> None:
    google.switch(rotate_refresh_tokens=True)
    first = connect(google, oauth).refresh_token
    assert first is not None
    second = oauth.refresh(first).refresh_token
    assert second is not None
    assert second.reveal() != first.reveal()


def test_a_code_is_good_once(google: LocalGoogle, oauth: OAuth) -> None:
    verifier = oauth.new_verifier()
    code = Secret(callback(google, oauth, verifier, ONE)["code"][0])
    oauth.exchange(code=code, verifier=verifier)
    with pytest.raises(CodeRefused):
        oauth.exchange(code=code, verifier=verifier)


def test_a_code_is_worth_nothing_without_its_verifier(google: LocalGoogle, oauth: OAuth) -> None:
    code = callback(google, oauth, oauth.new_verifier(), ONE)["code"][0]
    with pytest.raises(CodeRefused):
        oauth.exchange(code=Secret(code), verifier=oauth.new_verifier())
    assert google.state()["refresh_tokens"] == []


def test_a_wrong_client_secret_touches_no_grant(
    google: LocalGoogle, oauth: OAuth, client: OAuthClient, transport: Transport
) -> None:
    refresh_token = connect(google, oauth).refresh_token
    assert refresh_token is not None
    wrong = OAuth(
        OAuthClient(
            client.client_id, lambda: Secret("wrong"), client.redirect_uri,
            client.auth_uri, client.token_uri, client.revoke_uri,
        ),
        transport,
    )  # fmt: skip
    with pytest.raises(ClientRejected):
        wrong.refresh(refresh_token)
    with pytest.raises(ClientRejected):
        connect(google, wrong)
    assert oauth.refresh(refresh_token).scopes == {SCOPE}


def test_a_client_that_google_deleted_is_the_operators_concern(
    google: LocalGoogle, oauth: OAuth, client: OAuthClient
) -> None:
    refresh_token = connect(google, oauth).refresh_token
    assert refresh_token is not None
    google.switch(deleted_clients=[client.client_id])
    with pytest.raises(ClientRejected):
        oauth.refresh(refresh_token)


def test_an_administrators_block_is_not_a_dead_grant(google: LocalGoogle, oauth: OAuth) -> None:
    refresh_token = connect(google, oauth).refresh_token
    assert refresh_token is not None
    google.switch(admin_block=True)
    with pytest.raises(AdminBlocked):
        oauth.refresh(refresh_token)
    google.switch(admin_block=False)
    assert oauth.refresh(refresh_token).scopes == {SCOPE}


@pytest.mark.parametrize("granted", ["reordered", "more", "less", "empty", "absent"])
def test_whatever_scope_was_granted_the_exchange_tells_it(
    google: LocalGoogle, oauth: OAuth, granted: str
) -> None:
    google.switch(granted_scope=granted)
    scopes = connect(google, oauth).scopes
    assert (scopes is None) == (granted == "absent")
    assert (scopes == {SCOPE}) == (granted == "reordered")


def test_a_missing_refresh_token_is_told(google: LocalGoogle, oauth: OAuth) -> None:
    google.switch(refresh_token_omitted=True)
    assert connect(google, oauth).refresh_token is None


def test_a_callback_of_google_names_google_or_nobody(google: LocalGoogle, oauth: OAuth) -> None:
    check_callback_issuer(callback(google, oauth, oauth.new_verifier(), ONE)["iss"])
    google.switch(iss="absent")
    answer = callback(google, oauth, oauth.new_verifier(), ONE)
    check_callback_issuer(answer.get("iss", []))


@pytest.mark.parametrize("issuer", ["twice", "https://evil.example"])
def test_a_callback_that_names_another_issuer_or_two_is_refused(
    google: LocalGoogle, oauth: OAuth, issuer: str
) -> None:
    google.switch(iss=issuer)
    answer = callback(google, oauth, oauth.new_verifier(), ONE)
    with pytest.raises(ConsentRefused):
        check_callback_issuer(answer["iss"])


@pytest.mark.parametrize("trouble", TROUBLE)
def test_trouble_at_the_token_endpoint_leaves_the_grant_alive(
    google: LocalGoogle, oauth: OAuth, trouble: dict[str, Any]
) -> None:
    refresh_token = connect(google, oauth).refresh_token
    assert refresh_token is not None
    google.fault("/token", trouble)
    with pytest.raises(GoogleUnavailable):
        oauth.refresh(refresh_token)
    google.clear_faults()
    assert [call["path"] for call in google.journal()].count("/token") == 2
    assert oauth.refresh(refresh_token).scopes == {SCOPE}


@pytest.mark.parametrize("trouble", [{"hang": True}, {"drip": 0.05}])
def test_a_token_endpoint_that_takes_for_ever_ends_at_the_deadline(
    google: LocalGoogle, oauth: OAuth, client: OAuthClient, hasty: Transport, trouble: dict[str, Any]
) -> None:
    refresh_token = connect(google, oauth).refresh_token
    assert refresh_token is not None
    google.fault("/token", trouble)
    with pytest.raises(GoogleUnavailable):
        OAuth(client, hasty).refresh(refresh_token)


@pytest.mark.parametrize(
    "effect", [{"invalid_grant": True}, {"invalid_grant": True, "subtype": "invalid_rapt"}]
)
def test_a_dead_grant_says_so(google: LocalGoogle, oauth: OAuth, effect: dict[str, Any]) -> None:
    refresh_token = connect(google, oauth).refresh_token
    assert refresh_token is not None
    google.fault("/token", effect)
    with pytest.raises(AccessRevoked):
        oauth.refresh(refresh_token)


def test_a_revocation_ends_the_grant_and_may_be_repeated(
    google: LocalGoogle, oauth: OAuth, calendar: CalendarApi
) -> None:
    tokens = connect(google, oauth)
    assert tokens.refresh_token is not None
    oauth.revoke(tokens.refresh_token)
    with pytest.raises(AccessRevoked):
        oauth.refresh(tokens.refresh_token)
    with pytest.raises(AccessTokenExpired):
        calendar.find_ours(tokens.access_token, "our-marker")
    oauth.revoke(tokens.refresh_token)


@pytest.mark.parametrize("trouble", [*TROUBLE[:6], {"status": 400, "reason": "invalid_request"}])
def test_a_revocation_that_was_not_confirmed_is_not_done(
    google: LocalGoogle, oauth: OAuth, trouble: dict[str, Any]
) -> None:
    refresh_token = connect(google, oauth).refresh_token
    assert refresh_token is not None
    google.fault("/revoke", trouble)
    with pytest.raises(GoogleError):
        oauth.revoke(refresh_token)


def test_no_token_or_code_is_in_an_address(google: LocalGoogle, oauth: OAuth) -> None:
    tokens = connect(google, oauth)
    assert tokens.refresh_token is not None
    oauth.refresh(tokens.refresh_token)
    oauth.revoke(tokens.refresh_token)
    ours = [call for call in google.journal() if call["path"] in ("/token", "/revoke")]
    assert len(ours) == 3
    assert [call["query"] for call in ours] == ["", "", ""]
