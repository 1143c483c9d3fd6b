"""How grants end: revocation, limits, expiry, administrators, deleted accounts."""

import json

import pytest

from tests.local_google.app import APP, ONE, OTHER_APP, STRANGER_APP, TWO, App
from tests.local_google.conftest import TestClock
from tests.local_google.facts import fact
from tests.support.local_google import LocalGoogle, fetch

DAY = 86400


def dead(reply: tuple[int, dict[str, str]]) -> bool:
    status, document = reply
    return (status, document["error"]) == (400, "invalid_grant")


@fact("V", "Revocation takes an access or a refresh token, in a form or the query, and answers 200")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_either_token_revokes_the_grant(app: App, kind: str) -> None:
    tokens = app.connect()
    assert app.revoke(tokens[kind])[0] == 200
    assert dead(app.refresh(tokens["refresh_token"]))
    assert app.works(tokens["access_token"]) == 401


@fact("V", "The token to revoke may stand in the query")
def test_the_query_form_of_revocation_works(app: App, google: LocalGoogle) -> None:
    tokens = app.connect()
    assert fetch(f"{google.revoke_uri}?token={tokens['access_token']}", {})[0] == 200


@fact("V", "A revocation removes everything the user granted to the project: all tokens, all client ids")
def test_a_revocation_kills_every_grant_of_user_and_project(app: App, google: LocalGoogle) -> None:
    other, stranger = App(google, OTHER_APP), App(google, STRANGER_APP)
    first, second, sibling = app.connect(), app.connect(), other.connect()
    foreign, colleague = stranger.connect(), app.connect(TWO)
    app.revoke(first["refresh_token"])
    assert dead(app.refresh(second["refresh_token"]))
    assert dead(other.refresh(sibling["refresh_token"]))
    assert app.works(sibling["access_token"]) == 401
    assert stranger.refresh(foreign["refresh_token"])[0] == 200
    assert app.refresh(colleague["refresh_token"])[0] == 200


@fact("V2", "Revoking an unknown or revoked token: 400 invalid_token")
def test_a_token_is_revoked_once(app: App) -> None:
    token = app.connect()["refresh_token"]
    app.revoke(token)
    for known in (token, "1//unknown"):
        assert app.revoke(known) == (
            400,
            {"error": "invalid_token", "error_description": "Token expired or revoked"},
        )


@fact("V2", "A malformed revocation: 400 invalid_request")
def test_a_revocation_without_token_is_refused(google: LocalGoogle) -> None:
    status, _, text = fetch(google.revoke_uri, {})
    assert (status, json.loads(text)["error"]) == (400, "invalid_request")


@fact("V", "The full effect of a revocation may take some time after the 200")
def test_a_revocation_may_take_effect_later(app: App, google: LocalGoogle, clock: TestClock) -> None:
    google.switch(revocation_delay=30)
    tokens = app.connect()
    assert app.revoke(tokens["refresh_token"])[0] == 200
    assert app.works(tokens["access_token"]) == 200
    clock.advance(31)
    assert app.works(tokens["access_token"]) == 401
    assert dead(app.refresh(tokens["refresh_token"]))


def test_a_late_revocation_can_take_a_newer_grant_with_it(
    app: App, google: LocalGoogle, clock: TestClock
) -> None:  # [I]
    google.switch(revocation_delay=30, revocation_kills_later_grants=True)
    app.revoke(app.connect()["refresh_token"])
    newer = app.connect()
    clock.advance(31)
    assert app.works(newer["access_token"]) == 401


@fact("V2", "A dead refresh token: 400 invalid_grant, Token has been expired or revoked.")
def test_a_dead_token_says_so(app: App) -> None:
    token = app.connect()["refresh_token"]
    app.revoke(token)
    expected = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    assert app.refresh(token) == (400, expected)


@fact("V2", "Beyond 100 live refresh tokens per account and client the oldest dies silently")
def test_the_hundred_and_first_token_kills_the_oldest(app: App, google: LocalGoogle) -> None:
    tokens = [app.connect()["refresh_token"] for _ in range(101)]
    assert dead(app.refresh(tokens[0]))
    assert app.refresh(tokens[1])[0] == 200
    assert app.refresh(tokens[100])[0] == 200


@fact("V2", "The limit counts per account and per client")
def test_the_limit_counts_per_account_and_client(app: App, google: LocalGoogle) -> None:
    google.switch(refresh_token_limit=1)
    mine = app.connect()["refresh_token"]
    App(google, OTHER_APP).connect()
    app.connect(TWO)
    assert app.refresh(mine)[0] == 200


@fact("V2", "Six months without an exchange end a refresh token; an exchange counts as use")
def test_six_months_without_use_end_a_token(app: App, clock: TestClock) -> None:
    token = app.connect()["refresh_token"]
    clock.advance(150 * DAY)
    assert app.refresh(token)[0] == 200
    clock.advance(300 * DAY)
    assert app.refresh(token)[0] == 200
    clock.advance(300 * DAY + 190 * DAY)
    assert dead(app.refresh(token))


@fact("V2", "Publishing status Testing: grants end after seven days, refresh_token_expires_in counts down")
def test_testing_mode_ends_after_seven_days(app: App, google: LocalGoogle, clock: TestClock) -> None:
    google.switch(testing_mode=True)
    tokens = app.connect()
    assert 604_700 < tokens["refresh_token_expires_in"] <= 604_800
    clock.advance(DAY)
    assert 518_300 < app.refresh(tokens["refresh_token"])[1]["refresh_token_expires_in"] <= 518_400
    clock.advance(7 * DAY + 1)
    assert dead(app.refresh(tokens["refresh_token"]))


@fact("V2", "Tokens made during Testing keep their seven days after publishing")
def test_publishing_does_not_save_older_tokens(app: App, google: LocalGoogle, clock: TestClock) -> None:
    google.switch(testing_mode=True)
    token = app.connect()["refresh_token"]
    google.switch(testing_mode=False)
    clock.advance(7 * DAY + 1)
    assert dead(app.refresh(token))


@fact("V2", "Session control: invalid_grant with error_subtype invalid_rapt and its own description")
def test_a_reauthentication_is_demanded_by_subtype(app: App, google: LocalGoogle) -> None:
    token = app.connect()["refresh_token"]
    google.fault("/token", {"invalid_grant": True, "subtype": "invalid_rapt"}, times=1)
    assert app.refresh(token) == (
        400,
        {
            "error": "invalid_grant",
            "error_description": "reauth related error (invalid_rapt)",
            "error_subtype": "invalid_rapt",
        },
    )


@fact(
    "V2", "An administrator's restriction can come later: admin_policy_enforced on refresh, the grant stays"
)
def test_an_administrators_block_leaves_the_grant(app: App, google: LocalGoogle) -> None:
    token = app.connect()["refresh_token"]
    google.switch(admin_block=True)
    status, document = app.refresh(token)
    assert (status, document["error"]) == (400, "admin_policy_enforced")
    google.switch(admin_block=False)
    assert app.refresh(token)[0] == 200


@fact("V2", "A deleted account: invalid_grant on refresh")
def test_a_deleted_account_ends_its_grants(app: App, google: LocalGoogle) -> None:
    tokens = app.connect()
    google.switch(deleted_accounts=[ONE])
    assert dead(app.refresh(tokens["refresh_token"]))
    assert app.works(tokens["access_token"]) == 401


@fact("V", "People remove an app's access themselves, under third-party connections")
def test_a_person_removes_an_apps_access(app: App, google: LocalGoogle) -> None:
    tokens = app.connect()
    _, _, before = fetch(f"{google.url}/permissions?account={ONE}")
    assert APP.name in before
    fetch(f"{google.url}/permissions", {"account": ONE, "project": APP.project})
    assert dead(app.refresh(tokens["refresh_token"]))
    assert APP.name not in fetch(f"{google.url}/permissions?account={ONE}")[2]


def test_grants_can_rotate_for_services_that_must_survive_it(app: App, google: LocalGoogle) -> None:
    google.switch(rotate_refresh_tokens=True)
    token = app.connect()["refresh_token"]
    fresh = app.refresh(token)[1]["refresh_token"]
    assert dead(app.refresh(token))
    assert app.refresh(fresh)[0] == 200
