"""The state of one local Google, built once by the server and passed to every handler."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from local_google.state.books import FIRST_ACCOUNTS, Books
from local_google.state.clients import RegisteredClient
from local_google.state.clock import GoogleClock
from local_google.state.faults import FaultBook
from local_google.state.journal import Journal
from local_google.state.records import Account, Calendar, ListEntry
from local_google.state.switches import Switches

Ring = Callable[[str, str], None]


def _silent(collection: str, state: str) -> None:
    """The default before the server listens: nobody is notified."""
    del collection, state


@dataclass
class Context:
    """One running Google. ``ring(collection, state)`` notifies the channels of a changed collection."""

    clock: GoogleClock
    books: Books
    faults: FaultBook
    journal: Journal
    clients: Mapping[str, RegisteredClient]
    url: str = "http://localhost"
    switches: Switches = field(default_factory=Switches)
    ring: Ring = _silent
    recent_calls: dict[str, list[float]] = field(default_factory=dict)
    late_revocations: list[tuple[float, str, str]] = field(default_factory=list)

    def now(self) -> float:
        """The present, in seconds since 1970."""
        return self.clock.now()

    def known(self, email: str | None) -> Account | None:
        """The account with this address, unless it does not exist or was deleted."""
        if email is None or email in self.switches.deleted_accounts:
            return None
        return self.books.accounts.get(email)

    def add_account(self, account: Account) -> None:
        """Add an account with its primary calendar and that calendar's entry in its list."""
        now, email = self.now(), account.email
        self.books.save("account", email, account)
        calendar = Calendar(
            email, email, email, account.time_zone, self.books.next_etag(now), now, primary=True
        )
        self.books.save("calendar", email, calendar)
        settings = {
            "selected": True,
            "defaultReminders": [{"method": "popup", "minutes": 10}],
            "colorId": "14",
        }
        entry = ListEntry(email, email, self.books.next_etag(now), settings)
        entry.change = self.books.next_change()
        self.books.save("entry", f"{email} {email}", entry)

    def begin(self) -> None:
        """Add the first accounts if there are none."""
        if not self.books.accounts:
            for account in FIRST_ACCOUNTS:
                self.add_account(account)

    def reset(self) -> None:
        """Return to the first state: two accounts, no grants, no faults, all switches off. The journal stays."""
        self.books.clear()
        self.faults.clear()
        self.switches = Switches()
        self.recent_calls.clear()
        self.late_revocations.clear()
        self.begin()


def by_id(clients: Sequence[RegisteredClient]) -> dict[str, RegisteredClient]:
    """The clients by their ids."""
    return {client.client_id: client for client in clients}
