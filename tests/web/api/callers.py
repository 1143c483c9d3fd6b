"""The callers of the internal API in these tests, and a client for them."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

CALLERS = {
    "backend": ("*", "backend"),
    "admin": ("*", "admin"),
    "acme-backend": ("acme", "backend"),
    "acme-admin": ("acme", "admin"),
    "beta-backend": ("beta", "backend"),
    "beta-admin": ("beta", "admin"),
}


def key_of(caller: str) -> str:
    return f"the-secret-key-of-{caller}"


def configured() -> str:
    """The callers as CALENDAR_API_KEYS takes them."""
    return ",".join(
        f"{name}:{organization}:{role}:{sha256(key_of(name).encode()).hexdigest()}"
        for name, (organization, role) in CALLERS.items()
    )


@dataclass(frozen=True)
class Api:
    """A client with one caller's key."""

    app: Flask
    caller: str = "backend"

    def by(self, caller: str) -> "Api":
        return Api(self.app, caller)

    def call(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {key_of(self.caller)}"} if self.caller else {}
        headers |= more.pop("headers", {})
        return self.app.test_client().open(
            path, base_url="http://localhost:8080", method=method, headers=headers, **more
        )

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.call("GET", path, **more)

    def put(self, path: str, body: Any, **more: Any) -> TestResponse:
        return self.call("PUT", path, json=body, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("POST", path, **({} if body is None else {"json": body}), **more)

    def delete(self, path: str, **more: Any) -> TestResponse:
        return self.call("DELETE", path, **more)
