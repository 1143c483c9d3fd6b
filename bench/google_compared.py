"""Compares the local Google with npm's `emulate` (its Google service), by the same calls of the same public clients.

    npm install --prefix /tmp/emulate emulate@0.8.0
    python bench/google_compared.py /tmp/emulate

Each line is a call with Google's answer; the columns hold the answers of the two. Loopback only.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from google.oauth2.credentials import Credentials  # noqa: E402
from google_auth_oauthlib.flow import Flow  # noqa: E402
from googleapiclient.discovery import build  # noqa: E402
from googleapiclient.errors import HttpError  # noqa: E402
from oauthlib.oauth2 import OAuth2Error  # noqa: E402

from tests.local_google.app import APP  # noqa: E402
from tests.local_google.http_api import FULL, TIMES, GoogleApi  # noqa: E402
from tests.support.local_google import LocalGoogle, fetch  # noqa: E402

EMULATE_PORT = 18423


@dataclass
class StandIn:
    """One of the two: its address, and how a person consents there."""

    name: str
    url: str
    auth: str
    token: str
    revoke: str
    consent: Callable[[str], str]
    bearer: str = ""

    @property
    def endpoint(self) -> str:
        """The base address for googleapiclient."""
        return f"{self.url}/calendar/v3/"

    def flow(self, *, pkce: bool = True) -> Flow:
        """A flow of google-auth-oauthlib, in its ordinary use."""
        web = {"client_id": APP.client_id, "client_secret": APP.client_secret}
        web |= {"auth_uri": self.auth, "token_uri": self.token}
        return Flow.from_client_config(
            {"web": web}, [FULL], redirect_uri=APP.redirect_uris[0], autogenerate_code_verifier=pkce
        )

    def connected(self, *, in_body: bool = True) -> Flow:
        """A flow with tokens; Flow sends the client's secret in a Basic header."""
        flow = self.flow()
        callback = self.consent(flow.authorization_url(prompt="consent")[0])
        code = dict(parse_qsl(urlsplit(callback).query))["code"]
        flow.fetch_token(code=code, **({"include_client_id": True} if in_body else {}))
        return flow

    def service(self) -> Any:
        """A client of google-api-python-client."""
        return build(
            "calendar",
            "v3",
            credentials=Credentials(self.bearer),
            client_options={"api_endpoint": self.endpoint},
            cache_discovery=False,
        )

    def raw(self) -> GoogleApi:
        """Bare HTTP, for what that client does not show."""
        return GoogleApi(self.endpoint, self.bearer)


def emulate_consent(url: str) -> str:
    """Consent at emulate: one click on a form with the request's fields."""
    query = dict(parse_qsl(urlsplit(url).query))
    names = ("redirect_uri", "scope", "state", "client_id", "code_challenge", "code_challenge_method")
    form = {name: query.get(name, "") for name in names} | {"email": "testuser@gmail.com"}
    base = url.partition("/o/oauth2")[0]
    return str(fetch(f"{base}/o/oauth2/v2/auth/callback", form)[1]["Location"])


def status_of(work: Callable[[], Any]) -> int:
    """Return 200, or the status of the refusal."""
    try:
        work()
    except HttpError as refusal:
        return int(refusal.status_code)
    return 200


def calendar_answers(one: StandIn) -> dict[str, Any]:
    """Return the answers that google-api-python-client gets."""
    service, answers = one.service(), dict[str, Any]()
    events = service.events()
    answers["calendars.insert"] = status_of(
        lambda: service.calendars().insert(body={"summary": "x"}).execute()
    )
    answers["calendarList.list"] = status_of(lambda: service.calendarList().list().execute())
    calendar = "primary"
    body = TIMES | {"id": "abcde12345", "summary": "one"}
    event = events.insert(calendarId=calendar, body=body).execute()
    answers["events.insert"] = 200
    answers["the client's id is kept"] = event["id"] == "abcde12345"
    where = {"calendarId": calendar, "eventId": event["id"]}
    answers["events.get"] = status_of(lambda: events.get(**where).execute())
    answers["events.patch"] = status_of(lambda: events.patch(**where, body={"summary": "two"}).execute())
    answers["events.update"] = status_of(lambda: events.update(**where, body=TIMES).execute())
    answers["a taken id"] = status_of(lambda: events.insert(calendarId=calendar, body=body).execute())
    answers["events.delete"] = status_of(lambda: events.delete(**where).execute())
    answers["events.delete again"] = status_of(lambda: events.delete(**where).execute())
    answers["a deleted id again"] = status_of(lambda: events.insert(calendarId=calendar, body=body).execute())
    empty = {"start": TIMES["end"], "end": TIMES["start"]}
    answers["an end before the start"] = status_of(
        lambda: events.insert(calendarId=calendar, body=empty).execute()
    )
    answers["no end"] = status_of(
        lambda: events.insert(calendarId=calendar, body={"start": TIMES["start"]}).execute()
    )
    bad = TIMES | {"id": "with-w"}
    answers["a bad id"] = status_of(lambda: events.insert(calendarId=calendar, body=bad).execute())
    answers["an unknown calendar"] = status_of(lambda: events.list(calendarId="nobody@x.org").execute())
    channel = {"id": "c1", "type": "web_hook", "address": "https://localhost/x"}
    answers["events.watch"] = status_of(lambda: events.watch(calendarId=calendar, body=channel).execute())
    stale = events.list(calendarId=calendar, syncToken="dead")
    answers["a dead sync token"] = status_of(stale.execute)
    service.close()
    return answers | raw_answers(one)


def raw_answers(one: StandIn) -> dict[str, Any]:
    """Return the answers that bare HTTP gets."""
    api, answers = one.raw(), dict[str, Any]()
    event = api.insert("primary", {"summary": "etag"}).document or {}
    path = f"calendars/primary/events/{event.get('id')}"
    answers["etag on an event"] = "etag" in event
    answers["If-Match of an older state"] = api.call("DELETE", path, headers={"If-Match": '"0"'}).status
    listed = api.events("primary", maxResults=1).document or {}
    answers["nextPageToken or nextSyncToken"] = bool({"nextPageToken", "nextSyncToken"} & set(listed))
    chosen = api.events("primary", fields="items(id)").document or {}
    answers["fields"] = all(set(event) == {"id"} for event in chosen.get("items", [{}]))
    answers["a wrong type in a body"] = api.insert("primary", {"summary": 5}).status
    answers["a broken body"] = api.call("POST", "calendars/primary/events", b"{").status
    api.token = "ya29.unknown"
    answers["an unknown token"] = api.call("GET", "users/me/calendarList").status
    api.close()
    batch = GoogleApi(f"{one.url}/batch/", one.bearer)
    head = {"Content-Type": "multipart/mixed; boundary=b"}
    part = "--b\r\nContent-Type: application/http\r\n\r\nGET /calendar/v3/users/me/calendarList HTTP/1.1\r\n\r\n--b--"
    answers["batch"] = batch.call("POST", "calendar/v3", part.encode(), headers=head).status
    batch.close()
    return answers


def oauth_answers(one: StandIn) -> dict[str, Any]:
    """Return the answers that OAuth clients get."""
    answers: dict[str, Any] = {}
    try:
        one.connected(in_body=False).oauth2session.close()
        answers["Flow as it is, secret in a Basic header"] = True
    except OAuth2Error:
        answers["Flow as it is, secret in a Basic header"] = False
    flow = one.connected()
    tokens = flow.oauth2session.token
    answers["Flow exchanges a code with PKCE"] = bool(tokens.get("access_token"))
    answers["a refresh token with prompt=consent"] = "refresh_token" in tokens
    base = {
        "client_id": APP.client_id,
        "redirect_uri": APP.redirect_uris[0],
        "response_type": "code",
        "scope": FULL,
    }
    wrong = base | {"redirect_uri": "http://localhost:9/elsewhere"}
    answers["redirect_uri_mismatch"] = fetch(f"{one.auth}?{urlencode(wrong)}")[0]
    answers["an unknown scope"] = fetch(f"{one.auth}?{urlencode(base | {'scope': 'nonsense'})}")[0]
    callback = one.consent(f"{one.auth}?{urlencode(base | {'prompt': 'consent'})}")
    names = [name for name, _ in parse_qsl(urlsplit(callback).query)]
    answers["iss and scope on the callback"] = {"iss", "scope"} <= set(names)
    form = {"client_id": APP.client_id, "client_secret": "wrong", "grant_type": "refresh_token"}
    form |= {"refresh_token": str(tokens.get("refresh_token"))}
    answers["a wrong client secret"] = fetch(one.token, form)[0]
    code = dict(parse_qsl(urlsplit(callback).query))["code"]
    exchange = {"client_id": APP.client_id, "client_secret": APP.client_secret, "code": code}
    exchange |= {"grant_type": "authorization_code", "redirect_uri": APP.redirect_uris[0]}
    answers["a verifier that is not needed"] = fetch(one.token, exchange | {"code_verifier": "v" * 43})[0]
    fetch(one.revoke, {"token": str(tokens.get("access_token"))})
    right = form | {"client_secret": APP.client_secret}
    answers["refreshing after a revocation"] = fetch(one.token, right)[0]
    answers["revoking again"] = fetch(one.revoke, {"token": str(tokens.get("access_token"))})[0]
    flow.oauth2session.close()
    return answers


EXPECTED: dict[str, Any] = {
    "calendars.insert": 200, "calendarList.list": 200, "events.insert": 200, "the client's id is kept": True,
    "events.get": 200, "events.patch": 200, "events.update": 200, "a taken id": 409, "events.delete": 200,
    "events.delete again": 410, "a deleted id again": 409, "an end before the start": 400, "no end": 400,
    "a bad id": 400, "an unknown calendar": 404, "events.watch": 200, "a dead sync token": 410,
    "etag on an event": True, "If-Match of an older state": 412, "nextPageToken or nextSyncToken": True,
    "fields": True, "a wrong type in a body": 400, "a broken body": 400, "an unknown token": 401, "batch": 200,
    "Flow as it is, secret in a Basic header": True,
    "Flow exchanges a code with PKCE": True, "a refresh token with prompt=consent": True,
    "redirect_uri_mismatch": 400, "an unknown scope": 400, "iss and scope on the callback": True,
    "a wrong client secret": 401, "a verifier that is not needed": 400, "refreshing after a revocation": 400,
    "revoking again": 400,
}  # fmt: skip


def emulate_config(place: Path) -> Path:
    """Return emulate's configuration with the same client."""
    config = place / "seed.yaml"
    config.write_text(
        "google:\n  users:\n    - email: testuser@gmail.com\n      name: Test\n  oauth_clients:\n"
        f"    - client_id: {APP.client_id}\n      client_secret: {APP.client_secret}\n      name: Sessions App\n"
        f"      redirect_uris:\n        - {APP.redirect_uris[0]}\n"
    )
    return config


def main(place: Path) -> None:
    """Call both and print the table."""
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    cli = place / "node_modules/emulate/dist/index.js"
    command = ["node", str(cli), "start", "--service", "google", "--port", str(EMULATE_PORT)]
    command += ["--seed", str(emulate_config(place))]
    other = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with LocalGoogle.start([APP]) as google:
            time.sleep(3)
            base = f"http://localhost:{EMULATE_PORT}"
            ours = StandIn(
                "local Google",
                google.url,
                google.auth_uri,
                google.token_uri,
                google.revoke_uri,
                google.consent,
            )
            theirs = StandIn(
                "emulate 0.8.0",
                base,
                f"{base}/o/oauth2/v2/auth",
                f"{base}/oauth2/token",
                f"{base}/oauth2/revoke",
                emulate_consent,
            )
            answers = []
            for one in (ours, theirs):
                one.bearer = one.connected().oauth2session.token["access_token"]
                answers.append(calendar_answers(one) | oauth_answers(one))
    finally:
        other.terminate()
        other.wait()
    print("| asked | Google | local Google | emulate 0.8.0 |\n|---|---|---|---|")
    for name, expected in EXPECTED.items():
        print(f"| {name} | {expected} | {answers[0][name]} | {answers[1][name]} |")
    counts = [sum(answer[name] == expected for name, expected in EXPECTED.items()) for answer in answers]
    print(f"\nAs Google: {counts[0]} and {counts[1]} of {len(EXPECTED)}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("place", type=Path, help="the folder in which emulate is installed")
    main(parser.parse_args().place)
