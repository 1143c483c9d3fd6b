"""Calendar v3 ``watch`` methods and ``channels.stop``: notification channels. ``push`` sends the messages.

Source: Google's guide to push notifications (docs/local-google.md, "Push").
"""

from typing import Any
from urllib.parse import urlsplit

from local_google import errors
from local_google.calendar.call import MethodCall
from local_google.state import identifiers
from local_google.state.records import Channel

DEFAULT_SECONDS = 604800
LONGEST = 30 * 86400  # [R] the longest life is not documented
LOCAL_HOSTS = ("localhost", "127.0.0.1")


def watch_events(call: MethodCall) -> dict[str, Any]:
    """Open a channel on a calendar's events."""
    calendar = call.calendar()
    uri = f"{call.context.url}/calendar/v3/calendars/{calendar.id}/events?alt=json"
    return _watch(call, f"events {calendar.id}", uri)


def watch_calendar_list(call: MethodCall) -> dict[str, Any]:
    """Open a channel on the caller's list of calendars."""
    uri = f"{call.context.url}/calendar/v3/users/me/calendarList?alt=json"
    return _watch(call, f"calendarList {call.email}", uri)


def watch_settings(call: MethodCall) -> dict[str, Any]:
    """Open a channel on the caller's settings, which never change here."""
    return _watch(
        call, f"settings {call.email}", f"{call.context.url}/calendar/v3/users/me/settings?alt=json"
    )


def watch_acl(call: MethodCall) -> dict[str, Any]:
    """Open a channel on a calendar's sharing, which never changes here."""
    calendar = call.calendar()
    uri = f"{call.context.url}/calendar/v3/calendars/{calendar.id}/acl?alt=json"
    return _watch(call, f"acl {calendar.id}", uri)


def _watch(call: MethodCall, collection: str, uri: str) -> dict[str, Any]:
    body, books = call.body, call.context.books
    _demand(call, body)
    resource_id = books.used_channels.get(collection)
    if resource_id is None:
        resource_id = identifiers.resource_id()
        books.save("used_channel", collection, resource_id)
    channel = Channel(
        body["id"],
        resource_id,
        uri,
        body["address"],
        call.email,
        call.token.client_id,
        collection,
        _expires(call, body),
        body.get("token"),
    )
    books.save("channel", channel.id, channel)
    call.context.ring(f"channel {channel.id}", "sync")
    document = {"kind": "api#channel", "id": channel.id, "resourceId": resource_id, "resourceUri": uri}
    if channel.token is not None:
        document["token"] = channel.token
    return document | {"expiration": str(int(channel.expires_at * 1000))}


def _demand(call: MethodCall, body: dict[str, Any]) -> None:
    identifier = body.get("id")
    if not identifier:
        raise errors.required("Missing channel id.")  # [R] the text
    if len(identifier) > 64 or len(body.get("token") or "") > 256:
        raise errors.invalid("Channel id or token is too long.")  # [R] the text
    if body.get("type") not in ("web_hook", "webhook"):
        raise errors.invalid("Unknown channel type.")  # [R] the text
    if identifier in call.context.books.channels:  # also one that was stopped: an id serves once
        raise errors.ApiError(400, "channelIdNotUnique", f"Channel id {identifier} not unique")
    _demand_address(call, body.get("address") or "")


def _demand_address(call: MethodCall, address: str) -> None:
    parts = urlsplit(address)
    local = parts.scheme == "http" and parts.hostname in LOCAL_HOSTS and call.context.switches.push_to_http
    if not local and (parts.scheme != "https" or not parts.hostname):
        message = f"WebHook callback must be HTTPS: {address}"
        raise errors.ApiError(400, "push.webhookUrlNotHttps", message)


def _expires(call: MethodCall, body: dict[str, Any]) -> float:
    if body.get("expiration"):
        wanted = int(body["expiration"]) / 1000
        if wanted <= call.now:
            raise errors.invalid("Channel expiration is in the past.")  # [R] the text
        return min(wanted, call.now + LONGEST)
    seconds = (body.get("params") or {}).get("ttl", str(DEFAULT_SECONDS))
    if not (seconds.isascii() and seconds.isdigit()) or len(seconds) > 18:
        raise errors.invalid("Invalid ttl.")  # [R] the text
    return call.now + min(int(seconds), LONGEST)


def stop(call: MethodCall) -> None:
    """Close a channel, by its id and what it watches; only the same user can."""
    channel = call.context.books.channels.get(call.body.get("id", ""))
    mine = channel is not None and channel.account == call.email and channel.expires_at > call.now
    if channel is None or not mine or channel.resource_id != call.body.get("resourceId"):
        identifier = call.body.get("id")
        raise errors.ApiError(404, "notFound", f"Channel '{identifier}' not found for project")
    channel.expires_at = call.now
    call.context.books.save("channel", channel.id, channel)
