"""The evidence of each clause: code that fulfils it, measures, and values for which the operator vouches.

The tests of a clause name it themselves; `shown_by.py` lists them. The report shows the sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence of one clause, or of one addition of an operator."""

    does: str
    """What the service does for it, in one sentence."""
    code: tuple[str, ...] = ()
    """The files of this package that do it."""
    observed: tuple[str, ...] = ()
    """The names of measures that every report takes."""
    declared: tuple[str, ...] = ()
    """The places in the operator's profile for which the operator vouches."""
    proposable: tuple[str, ...] = ()
    """The places of further sentences that the operator's policy has to say for it."""


_POLICY: Final = ("policy.date", "policy.url")

EVIDENCE: Final[Mapping[str, Evidence]] = MappingProxyType(
    {
        "PR-1": Evidence(
            "No wider right of the general policy is built in: an administrator sees states and may pause or end; no "
            "key and no command reads a title, a text or a guest; the console's key alone is told, on request, at what "
            "time a session stands in that calendar; nothing else of what Google gives is kept, and nothing of it "
            "leaves for anybody else.",
            ("web/api/dispatch.py", "web/api/connections.py", "web/api/sessions.py", "domain/inventory.py"),
        ),
        "ID-1": Evidence(
            "One profile names the operator on every page; production refuses an address or a policy outside its "
            "domain, and refuses to start while a fact is unset.",
            ("operators/rules.py", "config/production.py"),
            declared=(
                "identity.app_name", "identity.legal_name", "identity.city", "identity.country", "identity.domain",
                "identity.logo", "policy.url",
            ),
        ),
        "SC-1": Evidence(
            "One constant is asked for. An answer with less is refused; one with more is refused and given back, "
            "unless that would end another connection of the account; nothing of either is kept.",
            ("domain/scope.py", "journeys/connection/new_grant.py"),
            ("permission",),
        ),
        "SC-2": Evidence(
            "Connecting makes one calendar under the operator's name for it; connecting again finds that one, also "
            "after its identifier was erased here.",
            ("journeys/connection/dedicated_calendar.py", "store/scripts/set_calendar.lua"),
            ("identity key",),
        ),
        "SC-3": Evidence(
            "Each session is one event there, written once in effect whatever fails in between; no call for an event "
            "names another calendar.",
            ("journeys/sessions/schedule.py", "journeys/sessions/event_writer.py", "google/events.py"),
            ("methods",),
        ),
        "SC-4": Evidence(
            "Only the agent's own page can ask for the calendar's deletion, and the box is not ticked beforehand; no "
            "key, administrator, command or erasure can.",
            ("journeys/connection/disconnect.py", "web/pages/settings.py"),
        ),
        "SC-5": Evidence(
            "Each consent is kept with its permission and the policy's version. Under a newer one nothing is used "
            "until the agent has agreed again; a wider permission without a newer policy does not start.",
            ("domain/consent.py", "journeys/connection/reconsent.py", "store/scripts/require_reconsent.lua"),
            ("consent",),
        ),
        "SC-6": Evidence(
            "Every method is listed with the feature that an agent sees of it; what would fail under narrower "
            "permissions was found by running. The one that is asked for is the smallest single one.",
            ("domain/methods.py", "domain/scope.py"),
            ("methods", "narrower permissions"),
        ),
        "LU-0": Evidence(
            "The sentence stands word for word, with its link, on the home page, on the data page and above the "
            "connect button.",
            ("operators/rules.py",),
        ),
        "LU-1": Evidence(
            "No call to Google can be made without a purpose from a closed list. Watching the calendar to tell the "
            "console of changes is a purpose of its own.",
            ("domain/methods.py", "google/transport.py"),
            ("methods",),
            proposable=("external_changes",),
        ),
        "LU-2": Evidence(
            "The processes speak to Google, their database and the operator's own webhook, and to nobody else. The "
            "organization's console is told which event belongs to which session, and on request its times and "
            "Google's link to it. That the console deletes the events' ids when the connection ends is its duty, and "
            "the operator's word.",
            ("net/connect.py", "google/transport.py", "webhook_sender.py", "web/api/answers.py"),
            declared=_POLICY,
        ),
        "LU-3": Evidence(
            "There is no function by which staff could read an event; pages, commands, logs and numbers hold states "
            "and the console's own names, and no identifier of Google's. The console, a program, is told on request at "
            "what time a session stands in that calendar: no title, no text, and nothing of other calendars.",
            ("log.py", "cli/connections.py", "google/events.py", "web/api/sessions.py"),
        ),
        "LU-4": Evidence(
            "The pages load nothing of anybody else's and set only the cookies they need. The rest is the operator's "
            "word.",
            ("web/guard.py", "web/cookies.py"),
            declared=_POLICY,
        ),
        "LU-5": Evidence(
            "No content is kept once Google has it, and none is handed to anybody but its agent, so there is nothing "
            "to train with. The rest is the operator's word.",
            ("store/scripts/settle_session.lua",),
            declared=_POLICY,
        ),
        "LU-6": Evidence(
            "Each step that changes a connection or a session is written down without names and content, in a chain "
            "that shows what was removed, changed or reordered; its last day rests on the workers too. That people "
            "keep to it is the operator's word.",
            ("journeys/audit/sealing.py", "journeys/audit/verification.py"),
            ("audit_log", "checkpoint"),
            declared=_POLICY,
        ),
        "ST-1": Evidence(
            "Both keys of Google's lie under AES-256-GCM in an envelope that opens at its own place alone; the keys "
            "over it are exchanged while traffic runs.",
            ("crypto/envelope.py", "store/grants.py", "journeys/operations/key_rotation.py"),
            ("sealed",),
        ),
        "ST-2": Evidence(
            "Connections to Google begin with a verified TLS of 1.2 or newer; production refuses plain addresses, and "
            "a database elsewhere without encryption.",
            ("net/connect.py", "config/production.py"),
            ("encryption",),
        ),
        "ST-3": Evidence(
            "Those identifiers and the least bookkeeping are kept; each item stands in the inventory below with its "
            "reason and its end.",
            ("domain/inventory.py",),
            ("inventory",),
        ),
        "ST-4": Evidence(
            "Events of other calendars are not even asked for. A session's own text waits encrypted while Google "
            "cannot be reached, and is gone once it is written, or the session is over; where the agent has to act "
            "first, after 30 days at most.",
            ("google/calendar.py", "store/scripts/settle_session.lua", "journeys/sessions/schedule.py"),
        ),
        "ST-5": Evidence(
            "Keys go when Google confirms, after 7 days at most; identifiers go by a timer, in one step that works "
            "without memory too, and the database's file is rewritten. A legal hold keeps identifiers back, and only "
            "those, until its end. That the console deletes the events' ids it was told is its duty, and the "
            "operator's word.",
            (
                "store/scripts/erase_connection.lua", "store/scripts/mark_revoked.lua",
                "journeys/connection/teardown.py", "journeys/connection/erasure.py",
                "journeys/connection/legal_holds.py",
                "store/file_rewrites.py",
            ),
            ("retention", "erasures", "checkpoint", "durability", "clocks"),
            _POLICY,
        ),
        "ST-6": Evidence(
            "A disconnect leaves the calendar where it is; the pages say so and lead there.",
            ("journeys/connection/disconnect.py",),
        ),
        "RV-1": Evidence(
            "A permission that was removed at Google is noticed without waiting for a session: each is proved alive at "
            "least daily.",
            ("journeys/connection/access.py", "store/scripts/mark_revoked.lua"),
            ("proofs",),
        ),
        "RV-2": Evidence(
            "One page and one confirmation end it; neither a Google that does not answer nor a record that does not "
            "open stands in the way. Google is asked to remove the permission also where the account was never "
            "learned.",
            ("web/pages/settings.py", "store/scripts/disconnect_agent.lua", "journeys/connection/teardown.py"),
        ),
        "RV-3": Evidence(
            "One step takes the key away from everything but the closing step, which may only end what is left at "
            "Google. Where Google never said whose account it is, that step asks for the main calendar's id alone.",
            ("store/scripts/disconnect_agent.lua", "journeys/connection/teardown.py"),
            ("teardowns",),
        ),
        "CO-1": Evidence(
            "The address stands on every page.",
            ("operators/rules.py",),
            declared=(
                "identity.contact", "contacts.phones", "contacts.support", "contacts.postal_address",
                "contacts.answer_days",
            ),
        ),
        "CH-1": Evidence(
            "Nobody can sign up: an agent exists when an organization names one. On a guardian's request two "
            "commands end the connection and erase it. How old agents are is the operator's word.",
            ("journeys/operations/all_connections.py", "cli/connections.py"),
            declared=("promises.minimum_age", "promises.minimum_age_in_eea"),
        ),
        "UP-1": Evidence(
            "A newer version reaches every agent: the page shows what changed, and the console's server is told.",
            ("journeys/connection/reconsent.py",),
            declared=("policy.version", "policy.date"),
        ),
    }
)  # fmt: skip
"""By clause, in the order of the promise."""

ADDED: Final[Mapping[str, Evidence]] = MappingProxyType(
    {
        "administrators": Evidence(
            "An administrator's key shows states, pauses and ends; it opens no event and no calendar.",
            ("web/api/connections.py",),
        ),
        "no-transfer": Evidence(
            "A connection belongs to one agent; no call hands it to another.",
            ("web/api/connections.py",),
        ),
        "access": Evidence(
            "The settings page hands out what is kept of the agent, as a file.",
            ("journeys/connection/export.py",),
        ),
        "correction": Evidence(
            "A session that is changed in the console is written to the calendar.",
            ("journeys/sessions/schedule.py",),
        ),
        "deletion": Evidence(
            "The settings page ends the connection and erases what is kept, at once if the agent wishes.",
            ("journeys/connection/disconnect.py", "journeys/connection/erasure.py"),
        ),
        "portability": Evidence(
            "The file is JSON whose every member is described.",
            ("journeys/connection/export.py",),
        ),
        "restriction": Evidence(
            "The settings page pauses the connection; nothing is written meanwhile.",
            ("store/scripts/set_pause.lua",),
        ),
        "withdrawal": Evidence(
            "Disconnecting takes the consent back: here, and at Google unless another connection uses the account.",
            ("journeys/connection/disconnect.py", "journeys/connection/teardown.py"),
        ),
        "cookies": Evidence(
            "The pages set only the cookies they need.",
            ("web/cookies.py",),
        ),
        "customer-keys": Evidence(
            "A key of the internal API speaks for one organization. Only its hash is kept, so a customer may bring its "
            "own.",
            ("config/keys.py", "web/api/keys.py"),
        ),
        "legal-matters": Evidence(
            "A legal hold has an end; then the next sweep erases.",
            ("journeys/connection/legal_holds.py",),
        ),
        "account-closure": Evidence(
            "Closing an organization ends every member's connection; what is kept of them follows by its timer.",
            ("journeys/operations/organizations.py",),
        ),
        "own-term": Evidence(
            "The settings page offers shorter terms until the erasure; the one chosen counts at the end.",
            ("journeys/connection/retention.py", "store/scripts/set_retention.lua"),
        ),
        "backup-latency": Evidence(
            "The days of the back-ups are part of the sum that has to keep the deadline.",
            ("domain/operator.py",),
        ),
    }
)
"""By addition, for those that this service fulfils. For the others the operator vouches."""
