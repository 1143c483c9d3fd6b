"""Links to the reviewer console, each under the hash of its secret, and how many acts come through each.

Must not know what a reviewer does.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

from calendar_service.domain.clock import Millis
from calendar_service.store import answers, keys
from calendar_service.store.database import Database, ask_time
from calendar_service.store.tickets import digest, new_secret


@dataclass(frozen=True, slots=True)
class Link:
    """One link: the test organization behind it, and when it ends (database time)."""

    organization: str
    ends: Millis


class ReviewerLinks:
    """All links of this service. There are few, so they lie in one hash."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, link: Link) -> str:
        """Store a new link; return its secret, of which only the hash is stored."""
        secret = new_secret()
        self._database.write("HSET", keys.REVIEWER_LINKS, digest(secret), json.dumps(asdict(link)))
        return secret

    def find(self, secret: str) -> Link | None:
        """Return the link of this secret, also one that has ended; None if there is none."""
        name = digest(secret)
        text = self._database.ask(lambda client: client.hget(keys.REVIEWER_LINKS, name))
        return _link(text) if text else None

    def all(self) -> tuple[Mapping[str, Link], Millis]:
        """Return every link by the digest of its secret, and the database's time."""
        links, time = self._database.read([("HGETALL", keys.REVIEWER_LINKS), ask_time(keys.REVIEWER_LINKS)])
        return {name: _link(text) for name, text in links.items()}, self._database.instant(time)

    def move_end(self, name: str, ends: Millis) -> bool:
        """Set when the link of this digest ends; false if it has ended already by the database's clock."""
        answer = self._database.script(
            "reviewer_link_set_end", {"links": keys.REVIEWER_LINKS}, digest=name, ends_at=ends
        )
        return cast(answers.ReviewerLinkSetEnd, answer[0]) == "ok"

    def forget(self, name: str) -> None:
        """Remove a link, by the digest of its secret."""
        self._database.write("HDEL", keys.REVIEWER_LINKS, name)

    def count(self, organization: str) -> int:
        """Count one act behind this organization's link; return how many there were within a minute."""
        return int(
            self._database.script("reviewer_link_count_act", {"acts": keys.reviewer_acts(organization)})[0]
        )


def _link(text: str) -> Link:
    return Link(**json.loads(text))
