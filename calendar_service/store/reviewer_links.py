"""Links to the reviewer console, by the hash of their secret, and how much is done through each.

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
    """One link: the test organization behind it, and when it is over."""

    organization: str
    ends: Millis


class ReviewerLinks:
    """All links of this service; there are few."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, link: Link) -> str:
        """Keep a new link and return its secret, which is kept nowhere."""
        secret = new_secret()
        self._database.write("HSET", keys.REVIEWER_LINKS, digest(secret), json.dumps(asdict(link)))
        return secret

    def find(self, secret: str) -> Link | None:
        """Return the link of this secret, over or not; None if there is none."""
        name = digest(secret)
        text = self._database.ask(lambda client: client.hget(keys.REVIEWER_LINKS, name))
        return _link(text) if text else None

    def all(self) -> tuple[Mapping[str, Link], Millis]:
        """Return every link by the digest of its secret, and the database's time."""
        found, time = self._database.read([("HGETALL", keys.REVIEWER_LINKS), ask_time(keys.REVIEWER_LINKS)])
        return {name: _link(text) for name, text in found.items()}, self._database.instant(time)

    def move_end(self, name: str, ends: Millis) -> bool:
        """Let the link end at another time; false if it is over."""
        answer = self._database.script(
            "reviewer_link_set_end", {"links": keys.REVIEWER_LINKS}, digest=name, ends_at=ends
        )
        return cast(answers.ReviewerLinkSetEnd, answer[0]) == "ok"

    def forget(self, name: str) -> None:
        """Drop a link, by the digest of its secret."""
        self._database.write("HDEL", keys.REVIEWER_LINKS, name)

    def count(self, organization: str) -> int:
        """Count one act behind this organization's link; return how many there were within a minute."""
        return int(
            self._database.script("reviewer_link_count_act", {"acts": keys.reviewer_acts(organization)})[0]
        )


def _link(text: str) -> Link:
    return Link(**json.loads(text))
