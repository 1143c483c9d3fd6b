"""What the organization's administrator does over the internal API: pause, resume, disconnect."""

import time

from faults.cluster import ADMIN_KEY
from faults.driver.backend import agent_path
from faults.driver.client import ServiceClient, ServiceResponse
from faults.driver.journal import DriverJournal


class AdministratorDriver:
    """Sends the administrator's requests."""

    def __init__(self, client: ServiceClient, journal: DriverJournal) -> None:
        self._client, self._journal = client, journal

    def pause(self, agent: str) -> ServiceResponse:
        """Pause the connection."""
        return self._send(self._client.any_web(), "POST", f"{agent_path(agent)}/connection/pause")

    def resume(self, agent: str) -> ServiceResponse:
        """Lift the administrator's pause."""
        return self._send(self._client.any_web(), "POST", f"{agent_path(agent)}/connection/resume")

    def disconnect(self, agent: str, web: str | None = None, *, erase: bool = False) -> ServiceResponse:
        """Disconnect, once; `erase` asks for the erasure at once."""
        web = web or self._client.any_web()
        fields = {"op": "disconnect", "agent": agent, "web": web, "erase": erase}
        request = self._journal.write("request", **fields)
        path = f"{agent_path(agent)}/connection" + ("?erase=now" if erase else "")
        response = self._send(web, "DELETE", path)
        self._journal.write(
            "response", request=request, **fields, status=response.status, state=response.field("state"),
            receipt=bool(response.field("receipt")), code=response.field("code"),
        )  # fmt: skip
        return response

    def disconnect_until_acknowledged(self, agent: str, *, erase: bool = False) -> None:
        """Repeat a disconnect until the service acknowledges it, at most 40 times."""
        for _ in range(40):
            if self.disconnect(agent, erase=erase).status in {200, 409}:
                return
            time.sleep(0.1)

    def _send(self, web: str, method: str, path: str) -> ServiceResponse:
        return self._client.api(ADMIN_KEY, web, method, path)
