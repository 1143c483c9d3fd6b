"""HTTP requests to the service's web processes. A request is sent once, whatever becomes of it."""

import http.client
import json
import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from faults.service_processes import WEBS

TIMEOUT = 12.0
"""Seconds that the driver waits for a response."""


class ServiceResponse:
    """A response of the service; status 0 if none came."""

    def __init__(self, status: int, body: Any, headers: http.client.HTTPMessage) -> None:
        self.status, self.body, self.headers = status, body, headers

    @property
    def is_accepted(self) -> bool:
        """Whether the service answered 2xx."""
        return 200 <= self.status < 300

    def field(self, name: str) -> Any:
        """Return a field of a JSON body; None if there is none."""
        return self.body.get(name) if isinstance(self.body, dict) else None


class ServiceClient:
    """Sends requests to one web process or the other."""

    def __init__(self, ports: Mapping[str, int], rng: random.Random) -> None:
        self._ports, self._rng = ports, rng
        self.host = f"localhost:{ports['web0']}"
        """The public host name of the service."""

    def address(self, web: str) -> str:
        """Return where a web process listens."""
        return f"http://127.0.0.1:{self._ports[web]}"

    def any_web(self) -> str:
        """Return the name of either web process, at random."""
        return self._rng.choice(WEBS)

    def request(
        self,
        web: str,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        form: Mapping[str, str] | None = None,
    ) -> ServiceResponse:
        """Send one request, with a JSON body or a form."""
        all_headers = {"Host": self.host, "Connection": "close", **(headers or {})}
        data = None
        if form is not None:
            data = urlencode(form).encode()
            all_headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            data = json.dumps(body).encode()
            all_headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[web], timeout=TIMEOUT)
        try:
            connection.request(method, path, data, all_headers)
            return _response(connection.getresponse())
        except (OSError, http.client.HTTPException, ValueError):
            return ServiceResponse(0, None, http.client.HTTPMessage())
        finally:
            connection.close()

    def api(self, key: str, web: str, method: str, path: str, body: Any = None) -> ServiceResponse:
        """Send one request of the internal API, with this API key."""
        return self.request(web, method, path, body, {"Authorization": f"Bearer {key}"})


def _response(answer: http.client.HTTPResponse) -> ServiceResponse:
    text = answer.read().decode("utf-8", "replace")
    is_json = "json" in answer.headers.get("Content-Type", "")
    return ServiceResponse(answer.status, json.loads(text) if is_json and text else text, answer.headers)
