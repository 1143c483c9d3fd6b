"""Every key and every lifetime on one page (law 10). Must not read or write anything.

Scripts get both from here by name: `LIFETIME.lease` is `LEASE`, `KEY.facts` is the key that `SlotKeys` calls `facts`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import KEYS_KEPT

# --- Lifetimes, in milliseconds. Each outlives what it guards; the sum is written out. ---

TICKET = 5 * MINUTE
"""A one-time link from the console to the settings page."""
OAUTH_STATE = 10 * MINUTE
"""From the connect button to the callback."""
BROWSER_IDLE = 30 * MINUTE
BROWSER_ABSOLUTE = 8 * HOUR
"""A browser's session: idle, and at most a working day."""
LEASE = 30 * SECOND
"""One attempt at Google: 5 s for a fresh token + 8 s for each of at most two calls + margin."""
LATE_WRITE = 5 * MINUTE
"""After it, Google no longer carries out a write that nobody waits for: our assumption, no page of Google says it."""
TEARDOWN_MAX = KEYS_KEPT
"""After this the token of a teardown is destroyed, whatever Google answers (law 6)."""
TEARDOWN_EXPIRY = TEARDOWN_MAX + DAY
"""The database's own expiry of teardowns, should no worker run."""
EXPIRY_BEHIND_ERASURE = DAY
"""From the time of an erasure to the database's own expiry of the slot, should no worker run (law 7)."""
ERASURE_AFTER_REVOCATION = HOUR
"""The shortest time from a recorded revocation at Google to the erasure, unless the retention is shorter (law 7)."""
CLOCK_TOLERANCE = HOUR
"""If worker and database disagree by more, nothing is erased and the operator is alarmed (law 7)."""
CLOCK_RETRY = 10 * MINUTE
"""How soon an expiry is tried again after the clocks of process and database differed."""
CALENDAR_DELETION_MAX = HOUR
"""How long a teardown tries to delete the calendar before it revokes all the same (law 6)."""
WAITING_MAX = 30 * DAY
"""How long a session waits for a person's act before it fails."""
PUT_OFF_MAX = 2 * DAY
"""No timer may be further ahead, except deadlines promised to someone. One that is was set by a wrong clock."""
RETRY_EARLIEST = SECOND
"""The shortest wait before a session is retried: a process whose clock is behind would otherwise loop."""
PURGE_EVERY = DAY
"""From one purge of old sessions to the next."""
CALENDAR_MADE_BY_WORKER = MINUTE
"""How long the worker waits after a connect before it makes the calendar: the request that connects tries first."""
PROBE_EVERY = 19 * HOUR
"""From one proof that a grant is alive to the next; with the spread of a quarter still at least daily (RV-1)."""
REVIEWER_AFTERMATH = BROWSER_ABSOLUTE + HOUR
"""How long an expired reviewer's link is kept: until every browser session it started has expired too + margin."""
CHANGE_DETECTION_EVERY = 19 * HOUR
"""From one change detection to the next if nothing notifies; with the spread of a quarter still at least daily."""
CHANGE_DETECTION_AFTER = 10 * SECOND
"""From a notification to the change detection that it causes: those that come meanwhile cause no second one."""
LOOK_AT_KNOWN_CALENDAR = MINUTE
"""From a connect to the first change detection in a calendar that was used before: it may have changed meanwhile."""
LOOK_AT_NEW_CALENDAR = DAY
"""The same for a calendar that was just made, or found by its marker."""
CHANNEL_STOP_MAX = MINUTE
"""How long a teardown tries to stop its channels before it goes on: they also end by themselves."""
OUTBOX_KEPT = 7 * DAY
"""How long a webhook event stays in the outbox if it is not delivered, given up or not."""
OUTBOX_LEASE = 30 * SECOND
"""One delivery: its deadline of 5 s + margin."""
WEBHOOK_PAUSE_MAX = DAY
"""No delivery in flight or in back-off is due later than this; a time further ahead was set by a wrong clock."""
CHECKPOINT_LEASE = 10 * MINUTE
"""The making of one checkpoint: reading a day's entries and every connection's dates + margin."""
ACCOUNT_REF_EXPIRY = 400 * DAY
"""The database's own expiry of an account's reference set. It is renewed while a connection of the account stands, so
it only removes what an abandoned deployment has left."""
ACCOUNT_REF_RENEWED_BELOW = ACCOUNT_REF_EXPIRY // 2
"""The expiry is renewed when less than this is left of it."""
JOINED_BEFORE = HOUR
"""From joining an account's reference set until the connection stands: its calls at Google, its waits + margin."""
REVOCATION_ANNOUNCED = HOUR
"""The database's own expiry of a reference set that only announces a revocation, whose deadline is 10 s."""
FILE_REWRITE_PAUSE = HOUR
"""Time between two attempts at rewriting the files. An attempt may fill a nearly full disk, so not more often."""
REVIEWER_ACTS_COUNTED = MINUTE
"""The window in which the acts behind one reviewer's link are counted."""
RATE_RECOVERY = MINUTE
"""After Google refused for the project's rate: from one step of the rate's recovery to the next."""
ACCOUNT_PAUSE = 10 * SECOND
"""How long an account waits whose call Google refused for its rate."""
REFUSAL_BURST = 10 * SECOND
"""Refusals for the project's rate within this time count once."""
ACCOUNT_BUDGET = 2 * MINUTE
"""The database's own expiry of one account's rate budget after its last use: it is full again by then."""
DEATHS_COUNTED = 7 * DAY
"""How long a permission that ended at Google counts towards a suspected cluster of revocations."""
TOTALS_KEPT = HOUR
"""How long a count of all is kept: one that is older says nothing any more."""
DEATHS_EXPIRY = DEATHS_COUNTED + DAY
"""The database's own expiry of that count."""


SHARDS = 256
"""The number of shards, for ever: an agent never moves to another one."""


def slot(shard: int, rest: str) -> str:
    """Return a key of this shard; the braces keep all keys of a shard on one server of a cluster."""
    return f"{{s{shard}}}:{rest}"


def slot_part(shard: int, member: str, name: str) -> str:
    """Return the key of one part of an agent's slot; `name` is one of `SLOT_PARTS`."""
    return slot(shard, f"a:{member}:{name}")


SLOT_PARTS = ("facts", "grant", "sessions", "days", "waiting", "due", "teardowns", "outbox")


@dataclass(frozen=True, slots=True)
class SlotKeys:
    """The keys of one agent's slot. Only `Database` makes them: a name alone does not lead to a shard (law 10)."""

    organization: str
    member: str
    """The agent as an entry of timers and indexes: formed once, because every command on the slot needs it."""
    shard: int

    def part(self, name: str) -> str:
        """Return the key of this part of the slot; one of `SLOT_PARTS`."""
        return slot_part(self.shard, self.member, name)

    def declared(self) -> dict[str, str]:
        """Return the keys that every script of a slot declares, in their order, by the names that scripts use."""
        own = self.part("")
        return {
            **{name: own + name for name in SLOT_PARTS},
            **_of_shard(self.shard),
            "index": index(self.shard, self.organization),
        }


@cache
def _of_shard(shard: int) -> dict[str, str]:
    """Return those of a slot's declared keys that all agents of a shard share."""
    return {
        "timers": timers(shard),
        "erasure_deadlines": erasure_deadlines(shard),
        "audit_log": audit_log(shard),
        "receipts": receipts(shard),
        "erased": erased(shard),
        "erased_due": erased_due(shard),
        "audit_chain": audit_chain(shard),
        "channels": channels(shard),
        "waiting_load": waiting_load(shard),
    }


ShardOf = Callable[[Agent], int]
"""Turns an agent into the number of its shard, 0 to 255, for ever."""


def any_part(name: str) -> str:
    """Return the pattern that matches this part of every agent's slot."""
    return f"{{s*}}:a:*:{name}"


def timers(shard: int) -> str:
    """Each agent with the time at which its slot is due next (database time)."""
    return slot(shard, "timers")


def erasure_deadlines(shard: int) -> str:
    """Each agent with the instant (database time) by which its erasure, or a teardown's token, has to be gone."""
    return slot(shard, "erasure-deadlines")


def index(shard: int, organization: str) -> str:
    """The members of an organization in this shard."""
    return slot(shard, f"org:{organization}")


def audit_log(shard: int) -> str:
    """The stream of audit entries: what happened, without content and without identifiers of Google."""
    return slot(shard, "audit-log")


def audit_macs(shard: int) -> str:
    """The MACs of the audit entries, each under its entry's id."""
    return slot(shard, "audit-macs")


def audit_batches(shard: int) -> str:
    """The stream of compacted audit entries: each batch under the id of its last entry."""
    return slot(shard, "audit-batches")


def audit_chain(shard: int) -> str:
    """Where this shard's chain of MACs begins and ends, and how many proofs of life were counted."""
    return slot(shard, "audit-chain")


def receipts(shard: int) -> str:
    """Signed receipts of erasures, by number."""
    return slot(shard, "receipts")


def erased(shard: int) -> str:
    """Every undelivered `connection.erased`, as connection, sequence and number of untold events, by its time."""
    return slot(shard, "erased")


def erased_due(shard: int) -> str:
    """The same events with the time at which each is sent next."""
    return slot(shard, "erased-due")


def copied(key: str) -> str:
    """A key on the same server as this one, written only so that replicas can be waited for."""
    tag = key[key.index("{") + 1 : key.index("}")] if key.startswith("{") else key
    return f"{{{tag}}}:copied"


def waiting_load(shard: int) -> str:
    """How many sessions of each organization wait in this shard, and how many bytes."""
    return slot(shard, "waiting-load")


def channels(shard: int) -> str:
    """The agent whose calendar a channel watches, by the channel's id."""
    return slot(shard, "channels")


def all_shards() -> range:
    """Return the numbers of all shards."""
    return range(SHARDS)


# --- Keys outside the slots: of things that belong to no connection. ---


def ticket(digest: str) -> str:
    """A one-time link, by the hash of its secret."""
    return f"ticket:{digest}"


def oauth_state(digest: str) -> str:
    """A consent that was begun and not answered, by the hash of its state."""
    return f"state:{digest}"


def browser(digest: str) -> str:
    """A browser's session, by the hash of its cookie."""
    return f"browser:{digest}"


def open_pages(member: str) -> str:
    """The keys of an agent's unused links and open settings pages, each with the time of its expiry."""
    return f"open-pages:{member}"


def account_ref(account_ref: str) -> str:
    """Which connections use one Google account, by a keyed hash of it."""
    return f"account-ref:{account_ref}"


def checkpoint_turn(number: int) -> str:
    """Set while one worker makes the checkpoint of this number."""
    return f"checkpoint-turn:{number}"


def closed(organization: str) -> str:
    """Set while an organization is off-boarded."""
    return f"closed:{organization}"


REVIEWER_LINKS = "reviewer-links"
"""The links to the reviewer console, by the hashes of their secrets."""


def reviewer_acts(organization: str) -> str:
    """How many acts came through one reviewer's link in this minute."""
    return f"reviewer-acts:{organization}"


def call_tokens(limit: str, caller: str) -> str:
    """How many calls one caller may still make, by a keyed hash of the caller; expires when it would be full again."""
    return f"call-tokens:{limit}:{caller}"


FORMAT = "4"
"""The format of keys, fields and records. It is raised where what is stored changes its name or form."""
CHECK_VALUES = "check-values"
"""The format of the records, and check values of identity key and Google client: another service is refused."""
SEAL_SAMPLES = "seal-samples"
"""By the id of each key that seals: when one was last left by it, and a value that says nothing, sealed by it."""
CONSENT_ASKED = "consent-asked"
"""The newest permission and policy version about which backends were notified (SC-5)."""
TOTALS = "totals"
"""How many connections, sessions and webhook events there are in each state, as a worker counted them last."""
REWRITE = "rewrite"
"""The request for a rewrite of the append-only files, until every server has completed one (law 7)."""
CHECKPOINTS = "{checkpoints}:checkpoints"
"""The signed notes of the checkpoints over all chains, by number."""
CHECKPOINT_DETAILS = "{checkpoints}:checkpoint-details"
"""By a checkpoint's number, the details whose hash its note states."""
THROTTLE = "throttle"
"""What all replicas share about calls at Google: breaker, refusals, rate budget, usual load. Concerns nobody."""
THROTTLE_DEATHS = "throttle:deaths"
"""When permissions ended at Google in the last week, and whether at seven days of age. Names nobody."""


def throttle_account(account_ref: str) -> str:
    """The rate budget of one Google account, by its keyed hash; expires two minutes after its last use."""
    return f"throttle:account:{account_ref}"
