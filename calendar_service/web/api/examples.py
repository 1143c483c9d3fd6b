"""Whole bodies and answers, as examples of the API's description. Their times are far ahead: they can be sent."""

from typing import Any, Final

from calendar_service.web.api.forms import FAR_DAY

_START: Final = f"{FAR_DAY}T14:00:00-04:00"
_END: Final = f"{FAR_DAY}T14:45:00-04:00"
_SINCE: Final = f"{FAR_DAY}T12:00:00Z"
_EVENT_ID: Final = "5b1g6k8q0v3c9m2r7t4d"
_SESSION: Final = {"session": "s-4711", "status": "scheduled", "revision": 1, "event_id": _EVENT_ID}
_WAITS: Final = {"session": "s-4711", "status": "pending", "revision": 2, "reason": "paced"}
_CONNECTION: Final = {"state": "connected", "since": _SINCE}
_CONNECTION_ID: Final = "5f2c0a9be1d84c6f9a3e7b1c2d4e6f80"
_OF_CONNECTION: Final = {
    "organization": "acme",
    "agent": "agent-17",
    "connection_id": _CONNECTION_ID,
    "sequence": 1,
}

BODIES: Final[dict[str, dict[str, Any]]] = {
    "create_portal_session": {"locale": "es-CL", "time_zone": "America/Santiago"},
    "put_session": {
        "start": _START,
        "end": _END,
        "time_zone": "America/Santiago",
        "by": "agent",
        "title": "First talk",
        "join_url": "https://video.example/rooms/17",
        "version": 1,
    },
    "reconcile_sessions": {
        "from": f"{FAR_DAY}T00:00:00Z",
        "to": f"{FAR_DAY}T23:59:59Z",
        "sessions": [
            {"session": "s-4711", "start": _START, "end": _END, "title": "First talk", "version": 1}
        ],
    },
}
"""By the call's name: a body that it takes."""

ANSWERS: Final[dict[tuple[str, int], dict[str, Any]]] = {
    ("create_portal_session", 201): {
        "url": "https://calendar.example.com/portal/one-time-link",
        "expires_at": f"{FAR_DAY}T12:05:00Z",
    },
    ("get_connection", 200): {
        "state": "not_connected",
        "since": None,
        "action": {
            "code": "connect",
            "needs": "agent",
            "text": {
                "en": "Connect Google Calendar on the settings page; it is optional.",
                "es": "Conectar Google Calendar en la página de ajustes; es opcional.",
            },
        },
    },
    ("pause_connection", 200): {"state": "paused", "since": _SINCE},
    ("resume_connection", 200): _CONNECTION,
    ("end_connection", 200): {"state": "disconnected"},
    ("put_session", 201): _SESSION,
    ("put_session", 200): {**_SESSION, "revision": 2},
    ("put_session", 202): _WAITS,
    ("cancel_session", 200): {**_SESSION, "status": "cancelled", "revision": 3, "applied": True},
    ("cancel_session", 202): {**_WAITS, "status": "cancelled", "applied": True},
    ("get_session", 200): {
        **_SESSION,
        "in_google": "confirmed",
        "start": f"{FAR_DAY}T18:00:00Z",
        "end": f"{FAR_DAY}T18:45:00Z",
        "html_link": "https://www.google.com/calendar/event?eid=NWIx",
    },
    ("list_sessions", 200): {"sessions": [_SESSION]},
    ("reconcile_sessions", 200): {
        "applied": False,
        "equal": 1,
        "unknown_events": [{"event_id": _EVENT_ID, "kind": "forgotten", "removed": False}],
        "differences": [{"session": "s-4712", "difference": "missing"}],
    },
    ("list_connections", 200): {"connections": [{"agent": "agent-17", **_CONNECTION}]},
    ("get_organization", 200): {
        "organization": "acme",
        "closed": False,
        "connections": {"connected": 17, "paused": 1},
        "revocations": {"confirmed": 2},
    },
    ("off_board", 202): {"organization": "acme", "disconnected": 18},
    ("reopen", 200): {"organization": "acme", "closed": False, "connections": {}, "revocations": {}},
}
"""By the call's name and the status: an answer of it."""

EVENTS: Final[dict[str, dict[str, Any]]] = {
    "ConnectionEvent": {
        "type": "connection.connected",
        "timestamp": _SINCE,
        "data": {**_OF_CONNECTION, "status": "connected"},
    },
    "ErasureEvent": {
        "type": "connection.erased",
        "timestamp": _SINCE,
        "data": {"connection_id": _CONNECTION_ID, "sequence": 9, "untold": 0},
    },
    "SessionEvent": {
        "type": "session.failed",
        "timestamp": _SINCE,
        "data": {
            **_OF_CONNECTION,
            "sequence": 12,
            "session": "s-4711",
            "status": "failed",
            "reason": "session_over",
        },
    },
    "WebhookTest": {"type": "webhook.test", "timestamp": _SINCE, "data": {}},
}
"""By the name of its schema: a webhook."""
