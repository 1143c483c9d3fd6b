"""Everything that is kept, with a reason, a clause and an end (law 11, ST-3). Must not know how it is stored.

The sentences are the public data page's English; their translations stand with the other pages' words.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is kept."""

    place: str
    """The kind of key in the store."""
    fields: tuple[str, ...]
    """The names of what lies there; empty where the value is one opaque text."""
    what: str
    why: str
    clause: str
    end: str


_WITH_CONNECTION: Final = "When the connection is erased."
_EVIDENCE: Final = (  # one sentence, as the translations know it
    "Kept as evidence, for 400 days unless the operator sets another term; after the erasure it leads to nobody."
)
_ONCE_TAKEN: Final = "When Google has taken it over; after 30 days of waiting at most."

INVENTORY: Final[tuple[Item, ...]] = (
    Item(
        "grant",
        (),
        "The keys that Google gave us (access and refresh token), encrypted with AES-256.",
        "To write to the calendar.",
        "ST-1",
        "At the disconnect they leave for the closing step below; otherwise when the connection is erased.",
    ),
    Item(
        "errands",
        ("grant", "mark", "started", "tries", "delete_calendar", "calendar_id", "calendar_fate"),
        "After a disconnect: the same keys, encrypted, and the calendar's identifier if it has to be deleted.",
        "To remove the permission at Google, and to delete the calendar if the agent asked for it.",
        "RV-3",
        "When Google confirms; after 7 days at most.",
    ),
    Item(
        "facts",
        (
            "calendar_id",
            "calendar_since",
            "calendar_lost_at",
            "calendar_number",
            "adopted",
            "calendar_fate",
            "calendar_fence",
        ),
        "The identifier of the dedicated calendar, since when it is there, and how many there were.",
        "To write to this calendar and to no other.",
        "ST-3",
        _WITH_CONNECTION,
    ),
    Item(
        "facts",
        ("connection_id", "connecting", "connected_at", "grant", "grant_since", "proof_at", "sequence"),
        "A random number for the connection, its state, and when Google last proved that the permission stands.",
        "To know whether there is a permission, and to notice when it is gone.",
        "RV-1",
        _WITH_CONNECTION,
    ),
    Item(
        "facts",
        ("consent_scope", "consent_policy", "consent_needed"),
        "Which permission was given under which version of the policy.",
        "To ask again before anything wider is used.",
        "SC-5",
        _WITH_CONNECTION,
    ),
    Item(
        "facts",
        ("paused_by_agent", "paused_by_organization"),
        "Since when the agent or the organization paused the connection.",
        "To leave the calendar alone meanwhile.",
        "RV-2",
        _WITH_CONNECTION,
    ),
    Item(
        "facts",
        ("others_act",),
        "What the organization or the operator did last to the connection (paused, resumed, ended), and when.",
        "To tell the agent.",
        "RV-2",
        _WITH_CONNECTION,
    ),
    Item(
        "facts",
        ("account_mark", "former_mark", "moved_account"),
        "A keyed fingerprint of the Google account, from which nobody can tell the account.",
        "To notice when two connections use one account: Google removes the permission for both at once.",
        "RV-3",
        _WITH_CONNECTION,
    ),
    Item(
        "facts",
        ("locale", "time_zone"),
        "Language and, until the calendar is made, time zone.",
        "To name the calendar and to set its time zone.",
        "SC-2",
        _WITH_CONNECTION,
    ),
    Item(
        "facts",
        ("erase_due", "revocation", "revocation_at", "own_term"),
        "When everything is erased, and what Google answered to the removal of the permission.",
        "To erase on time and to say so.",
        "ST-5",
        _WITH_CONNECTION,
    ),
    Item(
        "facts",
        ("hold", "hold_until", "hold_told_from", "held_calendars"),
        "Where a law obliges us to keep what would be erased: who ordered it, who approved it, why, and until when; "
        "and the identifier of a calendar that another one has replaced meanwhile.",
        "To obey that law, and not a day longer.",
        "ST-5",
        "When the hold ends, after 12 months at most.",
    ),
    Item(
        "sessions",
        (
            "status",
            "revision",
            "settled",
            "wanted",
            "event_id",
            "generation",
            "etag",
            "digest",
            "calendar_number",
            "over_day",
            "version",
            "fence",
            "leased",
            "tries",
            "sent",
            "reason",
            "base",
            "placed",
        ),
        "For each session: the identifier of its event, the day on which it ends, and bookkeeping without content.",
        "To move or remove the right event, once.",
        "ST-3",
        "30 days after the day of its end; at the latest when the connection is erased.",
    ),
    Item(
        "waiting",
        (),
        "Title, time, text and place of a session that Google has not taken over yet, encrypted.",
        "To write it as soon as Google answers or the agent has acted.",
        "ST-4",
        _ONCE_TAKEN,
    ),
    Item(
        "facts",
        ("sequence", "letters_trouble", "letters_given_up"),
        "How much the console was told, and since when it did not answer.",
        "So that the console learns what became of a session or a connection.",
        "SC-3",
        _WITH_CONNECTION,
    ),
    Item(
        "letters",
        (),
        "What the console still has to be told: the kind of news and the session's name, without content.",
        "So that the console learns what became of a session or a connection.",
        "SC-3",
        "When the console has it; after 7 days at most, and when the connection is erased.",
    ),
    Item(
        "erased",
        (),
        "That the console has to be told of an erasure, by the connection's random number.",
        "So that the console learns what became of a session or a connection.",
        "ST-5",
        "When the console has it; after 7 days at most.",
    ),
    Item(
        "erased-due",
        (),
        "When the console is told of it next.",
        "So that nothing is forgotten.",
        "ST-5",
        "When the console has it; after 7 days at most.",
    ),
    Item(
        "due",
        (),
        "When which of these has to be looked at again.",
        "So that nothing is forgotten.",
        "ST-5",
        _WITH_CONNECTION,
    ),
    Item(
        "timers",
        (),
        "The agent's name as the console gives it, and when its connection has to be looked at again.",
        "So that nothing is forgotten.",
        "ST-5",
        _WITH_CONNECTION,
    ),
    Item(
        "org",
        (),
        "The names, as the console gives them, of an organization's agents that have a connection.",
        "So that the organization can see the states of its members.",
        "ID-1",
        _WITH_CONNECTION,
    ),
    Item(
        "journal",
        ("at", "entry"),
        "What happened when, by the connection's random number: no name, no content, no identifier of Google's.",
        "To show afterwards that the promise was kept.",
        "LU-6",
        _EVIDENCE,
    ),
    Item(
        "seals",
        ("number", "mac"),
        "To each of these entries a number and a keyed check value.",
        "So that nobody can change or remove an entry unnoticed.",
        "LU-6",
        _EVIDENCE,
    ),
    Item(
        "trail",
        (
            "number",
            "id",
            "mac",
            "seal",
            "base_number",
            "base_id",
            "base_mac",
            "base_checkpoint",
            "proofs",
        ),
        "Where the row of entries begins and ends, and how often Google proved that a permission stands.",
        "So that nobody can change or remove an entry unnoticed.",
        "LU-6",
        "Stays: it concerns nobody.",
    ),
    Item(
        "checkpoints",
        (),
        "Once a day, signed: how much is due, erased, held and overdue, and where all rows of entries end.",
        "To show afterwards that the promise was kept.",
        "ST-5",
        _EVIDENCE,
    ),
    Item(
        "checkpoint-turn",
        (),
        "That one process is making the day's checkpoint.",
        "So that only one makes it.",
        "ST-5",
        "Within ten minutes.",
    ),
    Item(
        "receipts",
        (),
        "Signed receipts of erasures, which name nobody.",
        "To show afterwards that the promise was kept.",
        "LU-6",
        _EVIDENCE,
    ),
    Item(
        "mark",
        (),
        "By the fingerprint of an account: the random numbers of the connections that use it.",
        "To notice when two connections use one account: Google removes the permission for both at once.",
        "RV-3",
        "When the last of these connections has ended.",
    ),
    Item(
        "ticket",
        ("organization", "agent", "locale", "time_zone", "return_url", "expires"),
        "A one-time link from the console, by its fingerprint.",
        "To open the settings page for this agent and for nobody else.",
        "RV-2",
        "When it is used; after 5 minutes at most.",
    ),
    Item(
        "state",
        ("organization", "agent", "browser", "verifier", "expires"),
        "A consent under way, by its fingerprint.",
        "To accept Google's answer only in the browser that asked.",
        "SC-1",
        "When Google answers; after 10 minutes at most.",
    ),
    Item(
        "browser",
        ("organization", "agent", "locale", "time_zone", "return_url", "csrf", "began", "seen", "notice"),
        "An open settings page, by the fingerprint of its cookie.",
        "To know whose settings are shown.",
        "RV-2",
        "30 minutes after its last use; after 8 hours at most.",
    ),
    Item(
        "closed",
        (),
        "That an organization was off-boarded.",
        "So that nobody of it connects again.",
        "RV-3",
        "When the organization is taken up again.",
    ),
    Item(
        "identity-check",
        (),
        "A fingerprint of the service's own identity key.",
        "So that the service never runs with a wrong key.",
        "ST-3",
        "Stays: it concerns nobody.",
    ),
    Item(
        "consent-asked",
        ("scope", "policy"),
        "Which permission is asked, under which version of the policy.",
        "To ask everybody again before anything wider is used.",
        "SC-5",
        "Stays: it concerns nobody.",
    ),
    Item(
        "rewrite-wanted",
        (),
        "That the database's file has to be written anew.",
        "So that what was erased is gone from the file too.",
        "ST-5",
        "Within a day.",
    ),
    Item(
        "flow",
        (),
        "How much is sent to Google, whether it answers, and when permissions ended there, without saying whose.",
        "To ask no more of Google than it allows, and to notice trouble for all at once.",
        "ST-3",
        "Stays: it concerns nobody.",
    ),
    Item(
        "flow:account",
        (),
        "By the fingerprint of an account: how many calls it may still make in this minute.",
        "To ask no more of one account than Google allows.",
        "ST-3",
        "Two minutes after the last call.",
    ),
)
