"""The local Google in tests: a process on a free port, driven over HTTP only."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import urlencode, urljoin

from local_google.state.clients import RegisteredClient


class _Forms(HTMLParser):
    """The forms of a page: target, fields, buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"action": values.get("action", ""), "fields": [], "boxes": [], "buttons": []})
        elif self.forms and tag == "input" and values.get("type") == "hidden":
            self.forms[-1]["fields"].append((values["name"], values.get("value", "")))
        elif self.forms and tag == "input" and values.get("type") == "checkbox":
            self.forms[-1]["boxes"].append((values["name"], values.get("value", "")))
        elif self.forms and tag == "button":
            self.forms[-1]["buttons"].append((values.get("name", ""), values.get("value", "")))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def fetch(
    url: str,
    data: Mapping[str, str] | Sequence[tuple[str, str]] | bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any, str]:
    """Return status, headers and text. Data are posted, as a form or as bytes. No redirect is followed."""
    body = data if data is None or isinstance(data, bytes) else urlencode(data).encode()
    request = urllib.request.Request(url, body, dict(headers or {}))  # noqa: S310 - loopback
    try:
        with _OPENER.open(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers, answer.read().decode()


class ConsentRefusedError(AssertionError):
    """The consent screens ended on a page instead of at the app."""


class LocalGoogle:
    """A running local Google. Use ``LocalGoogle.start(…)`` as a context manager."""

    at_end: ClassVar[Callable[[list[dict[str, Any]]], object]] = len
    """Given the whole journal of each of them, just before it ends; set by the suite."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self._process = process
        self._since = 0
        self.url = url
        self.auth_uri = f"{url}/o/oauth2/v2/auth"
        self.token_uri = f"{url}/token"
        self.revoke_uri = f"{url}/revoke"
        self.api_endpoint = f"{url}/calendar/v3/"
        self.batch_uri = f"{url}/batch/calendar/v3"

    @classmethod
    def start(
        cls,
        clients: Sequence[RegisteredClient] = (),
        clock_file: Path | None = None,
        data_dir: Path | None = None,
        seed: int = 0,
        port: int = 0,
        trusts: Path | None = None,
    ) -> Self:
        """Start the process and wait for the line that names its URL; `trusts`: whose certificates count."""
        command = [sys.executable, "-m", "local_google", "--port", str(port), "--seed", str(seed)]
        for client in clients:
            redirects = ",".join(client.redirect_uris)
            text = f"{client.client_id}|{client.client_secret}|{client.project}|{redirects}|{client.name}"
            command += ["--client", text]
        if clock_file is not None:
            command += ["--clock", str(clock_file)]
        if data_dir is not None:
            command += ["--data-dir", str(data_dir)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CALENDAR_")}
        if trusts is not None:
            inherited["SSL_CERT_FILE"] = str(trusts)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=inherited)
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.search(r"http://\S+", line)
        if url is None:
            process.kill()
            process.wait()
            raise RuntimeError(f"the local Google did not start: {line!r}")
        return cls(process, url.group())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Send SIGTERM and wait for the end."""
        self._hand_over()
        self._process.terminate()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def kill(self) -> None:
        """Send SIGKILL."""
        self._hand_over()
        self._process.kill()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _hand_over(self) -> None:
        if self._process.poll() is None:
            LocalGoogle.at_end(self.whole_journal())

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def control(self, method: str, name: str, document: Any = None) -> Any:
        """Call a control endpoint."""
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/_control/{name}", data, method=method)  # noqa: S310
        try:
            with _OPENER.open(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(error.read().decode()) from error

    def journal(self, since: int | None = None) -> list[dict[str, Any]]:
        """Return the calls since this object's last reset, or after the given number."""
        start = self._since if since is None else since
        calls: list[dict[str, Any]] = self.control("GET", f"journal?since={start}")["calls"]
        return calls

    def whole_journal(self) -> list[dict[str, Any]]:
        """Return every call since the books began."""
        return self.journal(since=0)

    def state(self) -> dict[str, Any]:
        """Return all books."""
        books: dict[str, Any] = self.control("GET", "state")
        return books

    def reset(self) -> None:
        """Reset to the first state. The journal stays; ``journal()`` shows later calls only."""
        self._since = self.control("POST", "reset")["journal"]

    def fault(self, match: Mapping[str, str] | str, do: Mapping[str, Any], **more: Any) -> None:
        """Add a fault; ``match`` may be a path only."""
        wanted = {"path": match} if isinstance(match, str) else dict(match)
        self.control("POST", "faults", {"match": wanted, "do": dict(do)} | more)

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.control("DELETE", "faults")

    def switch(self, **switches: Any) -> None:
        """Set these switches; the others stay."""
        self.control("POST", "switches", switches)

    def consent(
        self,
        authorization_url: str,
        account: str = "agent-one@example.com",
        *,
        allow: bool = True,
        scopes: Sequence[str] | None = None,
    ) -> str:
        """Go through the screens as a person does; return the callback's URL without visiting it.

        ``scopes`` are the boxes to tick where there are boxes; all of them unless given.
        """
        status, headers, text = fetch(authorization_url)
        for _ in range(4):
            if status in (302, 303):
                return str(headers["Location"])
            if status != 200:
                raise ConsentRefusedError(f"{status}: {text}")
            forms = _Forms()
            forms.feed(text)
            status, headers, text = fetch(
                *self._filled(authorization_url, forms.forms[0], account, allow, scopes)
            )
        raise ConsentRefusedError("the screens do not end")

    @staticmethod
    def _filled(
        base: str,
        form: dict[str, Any],
        account: str,
        allow: bool,  # noqa: FBT001
        scopes: Sequence[str] | None,
    ) -> tuple[str, list[tuple[str, str]]]:
        fields = list(form["fields"])
        if ("account", account) in form["buttons"]:
            fields.append(("account", account))
        elif any(name == "decision" for name, _ in form["buttons"]):
            fields += [box for box in form["boxes"] if scopes is None or box[1] in scopes]
            fields.append(("decision", "allow" if allow else "cancel"))
        else:
            fields += [("account", account), ("add", "1")]
        return urljoin(base, form["action"]), fields
