"""Google Meet on events: made later than asked, and only for clients that say they know of it. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

MEET = {"type": "hangoutsMeet"}


def conference(query: Mapping[str, Any], body: dict[str, Any], held: dict[str, Any] | None) -> dict[str, Any]:
    """The fields about the conference after a write: as held, unless ``conferenceDataVersion`` is 1."""
    before: dict[str, Any] = {n: held[n] for n in ("conferenceData", "hangoutLink") if held and n in held}
    if query.get("conferenceDataVersion", 0) != 1 or "conferenceData" not in body:
        return before
    wanted = body["conferenceData"].get("createRequest")
    if not wanted:
        return {"conferenceData": body["conferenceData"]}
    earlier = before.get("conferenceData", {}).get("createRequest", {})
    if earlier.get("requestId") == wanted.get("requestId"):
        return before
    request = {"requestId": wanted.get("requestId", ""), "conferenceSolutionKey": MEET}
    return {"conferenceData": {"createRequest": request | {"status": {"statusCode": "pending"}}}}


def settled(resource: dict[str, Any]) -> bool:
    """Finish a conference that was pending when the event is read next; True if there was one."""
    request = resource.get("conferenceData", {}).get("createRequest")
    if not request or request["status"]["statusCode"] != "pending":
        return False
    outbox = hashlib.sha256(f"{resource['id']}{request['requestId']}".encode()).hexdigest()
    code = "".join(chr(ord("a") + int(c, 16)) for c in outbox[:10])
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
