"""Every key and every lifetime on one page (law 10). Must not read or write anything.

The scripts get both from here by name: `LIFETIME.lease` is `LEASE`, `KEY.facts` what `SlotKeys` calls `facts`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import KEYS_KEPT

# --- Lifetimes, in milliseconds. A guard outlives what it guards; the sum is written out. ---

TICKET = 5 * MINUTE
"""A one-time link from the console to the settings page."""
OAUTH_STATE = 10 * MINUTE
"""From the connect button to the callback."""
BROWSER_IDLE = 30 * MINUTE
BROWSER_ABSOLUTE = 8 * HOUR
"""A browser's session: idle, and at most a working day."""
LEASE = 30 * SECOND
"""One attempt at Google: 5 s for a fresh token + 8 s for each of at most two calls + margin."""
TEARDOWN_MAX = KEYS_KEPT
"""After this the token of a closing errand is destroyed, whatever Google answers (law 6)."""
TEARDOWN_EXPIRY = TEARDOWN_MAX + DAY
"""The database's own expiry of teardowns, should no worker run."""
EXPIRY_BEHIND_ERASURE = DAY
"""So much later than its erasure the database's own expiry takes a slot, should no worker run (law 7)."""
ERASURE_AFTER_REVOCATION = HOUR
"""From a revocation at Google to the erasure at least, unless the retention is shorter (law 7)."""
CLOCK_TOLERANCE = HOUR
"""If worker and database disagree by more, nothing is erased and the operator is alarmed (law 7)."""
CLOCK_RETRY = 10 * MINUTE
"""From a disagreement of the clocks to the next try."""
CALENDAR_DELETION_MAX = HOUR
"""How long a closing errand tries to delete the calendar before it revokes all the same (law 6)."""
WAITING_MAX = 30 * DAY
"""A session that waits for a person's act."""
PUT_OFF_MAX = 2 * DAY
"""No matter of a slot is put off longer, besides ends that were told or promised: a clock that was ahead did that."""
RETRY_EARLIEST = SECOND
"""A session is retried after so long at the earliest: a process whose clock is behind would retry it in a loop."""
PURGE_EVERY = DAY
"""From one purge of old sessions to the next."""
CALENDAR_MADE_BY_WORKER = MINUTE
"""From a connect to the worker's making the calendar: the request that connects makes it first."""
PROBE_EVERY = 19 * HOUR
"""A live grant's proof of life; with the spread of a quarter still at least daily (RV-1)."""
REVIEWER_AFTERMATH = BROWSER_ABSOLUTE + HOUR
"""A reviewer's link that is over is remembered until no browser that it let in can have a session + margin."""
CHANGE_DETECTION_EVERY = 19 * HOUR
"""A calendar that nothing was heard of; with the spread of a quarter still at least daily."""
CHANGE_DETECTION_AFTER = 10 * SECOND
"""From a notification to the look that it causes: as many as come meanwhile cause one."""
LOOK_AT_KNOWN_CALENDAR = MINUTE
"""From a connect to the first change detection in a calendar that was used before: it may have changed meanwhile."""
LOOK_AT_NEW_CALENDAR = DAY
"""The same for a calendar that was just made, or found by its marker."""
CHANNEL_STOP_MAX = MINUTE
"""How long a closing errand tries to stop its channels before it goes on: they also end by themselves."""
OUTBOX_KEPT = 7 * DAY
"""What the backend is to be told waits this long, whether it was tried in vain or given up."""
OUTBOX_LEASE = 30 * SECOND
"""One sending: its deadline of 5 s + margin."""
WEBHOOK_PAUSE_MAX = DAY
"""No delivery in flight or in back-off is due later than this; a time further ahead was set by a wrong clock."""
CHECKPOINT_LEASE = 10 * MINUTE
"""The turn of making a checkpoint: reading a day's entries and everybody's dates + margin."""
ACCOUNT_REF_EXPIRY = 400 * DAY
"""Of an account's mark; renewed for as long as a connection that uses the account stands. It only ends what a
deployment that was abandoned has left."""
ACCOUNT_REF_RENEWED_BELOW = ACCOUNT_REF_EXPIRY // 2
"""So much is left of the expiry when it is renewed."""
JOINED_BEFORE = HOUR
"""From joining an account's mark to the connection that stands: its calls at Google, its waits + margin."""
REVOCATION_ANNOUNCED = HOUR
"""The database's own expiry of an account's mark that only announces a revocation; its deadline is seconds."""
FILE_REWRITE_PAUSE = HOUR
"""Between two attempts at rewriting the files while none is known to be done: each may fill a disk nearly full."""
REVIEWER_ACTS_COUNTED = MINUTE
"""For so long the acts behind one reviewer's link are counted together."""
RATE_RECOVERY = MINUTE
"""After a refusal for the project's rate: from one step of the rate's recovery to the next."""
REFUSAL_BURST = 10 * SECOND
"""Refusals for the project's rate within this time count once."""
ACCOUNT_BUDGET = 2 * MINUTE
"""The rate budget of one account is forgotten so long after its last use: it is full again by then."""
DEATHS_COUNTED = 7 * DAY
"""For so long a permission that ended at Google counts towards a cluster."""
DEATHS_EXPIRY = DEATHS_COUNTED + DAY
"""The database's own expiry of that count."""


SHARDS = 256
"""The number of shards for ever: an agent's place never moves."""


def slot(shard: int, rest: str) -> str:
    """Return a key of this shard; the braces keep a shard together in a cluster."""
    return f"{{s{shard}}}:{rest}"


SLOT_PARTS = ("facts", "grant", "sessions", "waiting", "due", "teardowns", "outbox")


@dataclass(frozen=True, slots=True)
class SlotKeys:
    """The keys of one agent's slot. Only the database makes them: a name alone does not lead to a shard (law 10)."""

    agent: Agent
    shard: int

    def part(self, name: str) -> str:
        """Return one key of the agent's own."""
        return slot(self.shard, f"a:{self.agent.member}:{name}")

    def declared(self) -> dict[str, str]:
        """Return the keys that every script of a slot declares, in their order, by the names that scripts use."""
        return {
            **{name: self.part(name) for name in SLOT_PARTS},
            "timers": timers(self.shard),
            "index": index(self.shard, self.agent.organization),
            "audit_log": audit_log(self.shard),
            "receipts": receipts(self.shard),
            "erased": erased(self.shard),
            "erased_due": erased_due(self.shard),
            "audit_chain": audit_chain(self.shard),
            "channels": channels(self.shard),
        }


ShardOf = Callable[[Agent], int]
"""Turns an agent into the number of its shard, 0 to 255, for ever."""


def any_part(name: str) -> str:
    """Return the pattern of one key of every agent's slot."""
    return f"{{s*}}:a:*:{name}"


def timers(shard: int) -> str:
    """One entry per agent: when its slot next wants attention."""
    return slot(shard, "timers")


def index(shard: int, organization: str) -> str:
    """The members of an organisation in this shard."""
    return slot(shard, f"org:{organization}")


def audit_log(shard: int) -> str:
    """The stream of what happened, without content and without identifiers of Google."""
    return slot(shard, "audit-log")


def audit_macs(shard: int) -> str:
    """The MACs of the journal's entries, each under its entry's id."""
    return slot(shard, "audit-macs")


def audit_chain(shard: int) -> str:
    """Where this shard's chain of MACs begins and ends; and how many proofs of life were counted."""
    return slot(shard, "audit-chain")


def receipts(shard: int) -> str:
    """Signed receipts of erasures, by number."""
    return slot(shard, "receipts")


def erased(shard: int) -> str:
    """Every `connection.erased` that the backend is to be told, as connection and sequence, since when."""
    return slot(shard, "erased")


def erased_due(shard: int) -> str:
    """When each of these is sent next."""
    return slot(shard, "erased-due")


def copied(key: str) -> str:
    """What is written beside a key, on the same server, so that replicas can be waited for."""
    tag = key[key.index("{") + 1 : key.index("}")] if key.startswith("{") else key
    return f"{{{tag}}}:copied"


def channels(shard: int) -> str:
    """Whose calendar a notification of Google's is about, by the channel's id."""
    return slot(shard, "channels")


def all_shards() -> range:
    """Return the numbers of all shards."""
    return range(SHARDS)


# --- Outside the slots: what belongs to no connection. ---


def ticket(digest: str) -> str:
    """A one-time link, by the hash of its secret."""
    return f"ticket:{digest}"


def oauth_state(digest: str) -> str:
    """A consent under way, by the hash of its state."""
    return f"state:{digest}"


def browser(digest: str) -> str:
    """A browser's session, by the hash of its cookie."""
    return f"browser:{digest}"


def account_ref(account_ref: str) -> str:
    """Which connections use one Google account, by a keyed hash of it."""
    return f"account-ref:{account_ref}"


def checkpoint_turn(number: int) -> str:
    """Set while one worker makes the checkpoint of this number."""
    return f"checkpoint-turn:{number}"


def closed(organization: str) -> str:
    """Set while an organisation is off-boarded."""
    return f"closed:{organization}"


REVIEWER_LINKS = "reviewer-links"
"""The links to the reviewer console, by the hashes of their secrets."""


def reviewer_acts(organization: str) -> str:
    """How much was done through one reviewer's link in this minute."""
    return f"reviewer-acts:{organization}"


IDENTITY_CHECK = "identity-check"
"""Tells another identity key over existing data from the right one."""
CONSENT_ASKED = "consent-asked"
"""The permission and the policy's version for which agents are asked, or were told that they will be (SC-5)."""
REWRITE = "rewrite"
"""That something was erased, since when, until every append-only file is known to be rewritten (law 7)."""
CHECKPOINTS = "checkpoints"
"""Signed checkpoints over all chains, by number."""
THROTTLE = "throttle"
"""What all replicas share about calls at Google: breaker, refusals, rate budget, usual load. Concerns nobody."""
THROTTLE_DEATHS = "throttle:deaths"
"""When permissions ended at Google in the last week, and whether at seven days of age. Names nobody."""


def throttle_account(account_ref: str) -> str:
    """The rate budget of one Google account, by its keyed hash; gone two minutes after its last use."""
    return f"throttle:account:{account_ref}"
