"""Google Meet on events: created a moment after the request, and only with ``conferenceDataVersion=1``. Pure.

Source: Google's guide to creating events, "Add video and phone conferences".
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from local_google import errors

MEET = {"type": "hangoutsMeet"}


def conference(query: Mapping[str, Any], body: dict[str, Any], held: dict[str, Any] | None) -> dict[str, Any]:
    """The conference fields after a write; unchanged unless ``conferenceDataVersion`` is 1."""
    before: dict[str, Any] = {n: held[n] for n in ("conferenceData", "hangoutLink") if held and n in held}
    if query.get("conferenceDataVersion", 0) != 1 or "conferenceData" not in body:
        return before
    wanted = body["conferenceData"].get("createRequest")
    if not wanted:
        return {"conferenceData": body["conferenceData"]}
    kind = (wanted.get("conferenceSolutionKey") or MEET).get("type")
    if kind not in MEET.values():  # [I] the calendars here allow Meet alone
        raise errors.invalid("Invalid conference type value.")
    earlier = before.get("conferenceData", {}).get("createRequest", {})
    if earlier.get("requestId") == wanted.get("requestId"):
        return before
    request = {"requestId": wanted.get("requestId", ""), "conferenceSolutionKey": MEET}
    return {"conferenceData": {"createRequest": request | {"status": {"statusCode": "pending"}}}}


def settled(resource: dict[str, Any]) -> bool:
    """Complete a pending conference at the next read; True if there was one."""
    request = resource.get("conferenceData", {}).get("createRequest")
    if not request or request["status"]["statusCode"] != "pending":
        return False
    digest = hashlib.sha256(f"{resource['id']}{request['requestId']}".encode()).hexdigest()
    code = "".join(chr(ord("a") + int(c, 16)) for c in digest[:10])
    code = f"{code[:3]}-{code[3:7]}-{code[7:]}"
    link = f"https://meet.google.com/{code}"
    request["status"] = {"statusCode": "success"}
    resource["conferenceData"] |= {
        "entryPoints": [{"entryPointType": "video", "uri": link, "label": link[8:]}],
        "conferenceSolution": {"key": MEET, "name": "Google Meet"},
        "conferenceId": code,
    }
    resource["hangoutLink"] = link
    return True
