"""The export of everything that is stored of an agent; `docs/rights.md` describes it. Must not store or hold a copy.

Tokens are not exported: with them, anybody who finds the file could open the calendar.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from calendar_service.domain.audit import AuditEntry
from calendar_service.domain.clock import DAY, Clock, Millis, rfc3339
from calendar_service.domain.connection import AdminAction, Facts
from calendar_service.domain.consent import ConsentTerms
from calendar_service.domain.names import Agent
from calendar_service.domain.operator import Operator
from calendar_service.domain.session import Content, Record
from calendar_service.journeys.connection.session_summary import SessionSummaries
from calendar_service.store.audit_chain import AuditChainStore
from calendar_service.store.audit_log import EntryKind
from calendar_service.store.sessions import Sessions
from calendar_service.store.slots import Slot, Slots, Teardown
from calendar_service.store.tickets import Browser, Ticket, Tickets

FORMAT: Final = "calendar-service-export"
VERSION: Final = 1

INSTANTS: Final = {
    "grant_connected_at": "connected_at",
    "grant_since": "permission_since",
    "grant_last_refresh_ok_at": "last_proof_of_life",
    "pause_by_agent": "paused_by_you",
    "pause_by_organization": "paused_by_organization",
    "calendar_since": "calendar_since",
    "calendar_lost_at": "calendar_missed_at",
    "channel_renew_at": "notification_channel_renewed_at",
    "consent_required_since": "agreement_needed_since",
    "end_revocation_at": "revocation_at",
    "block_since": "not_served_by_google_since",
    "webhooks_failing_since": "console_not_reached_since",
}
"""Facts that are instants: the name in the export with the name in the database."""

PLAIN: Final = {
    "connection_id": "connection_number",
    "calendar_id": "calendar_id",
    "hold_calendars": "former_calendar_ids",
    "calendar_deletion": "calendar_deletion",
    "channel_id": "notification_channel",
    "channel_resource": "notification_resource",
    "consent_scope": "permission",
    "consent_policy": "policy_version_consented",
    "account_ref": "account_fingerprint",
    "account_former_ref": "former_account_fingerprint",
    "account_moved": "account_changed",
    "account_former_connection": "former_connection_number",
    "account_former_revocation": "former_revocation",
    "locale": "language",
    "calendar_time_zone": "time_zone",
    "end_revocation": "revocation",
    "block_cause": "not_served_by_google_because_of",
    "webhooks_sequence": "notices_to_console",
}
"""Facts that are exported as they are stored, with their names in the export."""


Member = tuple[str, Any]
"""A name and its value, or an iterator of its entries, which are to be taken before the next member."""
_CONTENTS_READ: Final = 100
"""How many sealed contents are read at a time: 5 MB of the longest."""
HISTORY_READ: Final = 50_000
"""How many entries of the shard's audit log are looked through for the agent's own, the newest first."""
_OF_HOLDS: Final = frozenset({EntryKind.HOLD_PLACED, EntryKind.HOLD_RELEASED, EntryKind.HOLD_OVER})


@dataclass(frozen=True)
class PersonalRecords:
    """What is stored of an agent beside the facts of the connection."""

    sessions: Sessions
    session_summaries: SessionSummaries
    tickets: Tickets
    audit_chain: AuditChainStore

    def pages(self, agent: Agent) -> Iterator[Member]:
        """Yield the agent's unused links and open settings pages."""
        links, pages = self.tickets.open_pages(agent)
        yield "unused_links", map(_link, links)
        yield "open_pages", map(_page, pages)

    def of_sessions(self, slot: Slot) -> Iterator[Member]:
        """Yield the agent's sessions by the day of their end, and the content that waits."""
        names: list[str] = []

        def sessions() -> Iterator[dict[str, Any]]:
            for records in self.sessions.in_ranges(slot.agent):
                names.extend(record.session for record in records)
                yield from map(_session, records)

        def waiting() -> Iterator[dict[str, Any]]:
            for first in range(0, len(names), _CONTENTS_READ):
                some = names[first : first + _CONTENTS_READ]
                for name, content in self.session_summaries.contents(slot, some).items():
                    yield _waiting(name, content)

        yield "sessions", sessions()
        yield "waiting", waiting()

    def history(self, agent: Agent, slot: Slot) -> Iterator[Member]:
        """Yield the audit entries of the connections that are still linked to the agent, the newest first.

        Entries of a legal hold are among them only while the hold stands and may be told.
        """
        connections = {slot.facts.connection_id, *(each.connection_id for each in slot.teardowns)} - {""}
        tells_of_holds = bool(slot.facts.hold.disclosed_until(slot.now))
        searched = ""

        def entries() -> Iterator[dict[str, Any]]:
            nonlocal searched
            for entry in islice(self.audit_chain.newest_first(agent) if connections else (), HISTORY_READ):
                searched = entry.at
                kind = entry.facts.get("kind")
                if entry.facts.get("connection") in connections and (tells_of_holds or kind not in _OF_HOLDS):
                    yield _entry(entry)

        yield "history", entries()
        yield "history_searched_back_to", searched or None


@dataclass(frozen=True)
class Export:
    """Builds an agent's export from the store."""

    slots: Slots
    records: PersonalRecords
    operator: Operator
    terms: ConsentTerms
    clock: Clock

    def members(self, agent: Agent) -> Iterator[Member]:
        """Yield the agent's export, read as it is taken; only the agent's own browser session may get it."""
        slot = self.slots.read(agent)
        yield "format", FORMAT
        yield "version", VERSION
        yield "operator", self.operator.identity.who
        yield "organization", agent.organization
        yield "agent", agent.agent
        yield "exported_at", rfc3339(self.clock.now())
        yield "connection", _connection(slot.facts, self.terms, slot.now)
        yield from self.records.of_sessions(slot)
        yield "closing", map(_closing, slot.teardowns)
        yield from self.records.history(agent, slot)
        yield from self.records.pages(agent)


def _connection(facts: Facts, terms: ConsentTerms, now: Millis) -> dict[str, Any]:
    by_name = facts.by_name()
    if facts.hold.is_silent(now):
        by_name["hold_calendars"] = ""
    act = AdminAction.of_text(facts.last_admin_action)
    return {
        "state": facts.state(terms).value,
        **{exported: _moment(by_name[name]) for name, exported in INSTANTS.items()},
        **{exported: by_name[name] or None for name, exported in PLAIN.items()},
        "newer_policy_in_force": facts.policy_outdated(terms) or None,
        "notification_channels_to_stop": list(facts.channel.to_stop) or None,
        "last_act_of_others": {"act": act.kind, "by": act.actor, "at": rfc3339(act.at)} if act else None,
        "own_term_in_days": facts.end.agent_retention / DAY or None,
        "erased_on": _moment(facts.hold.disclosed_erasure(facts.end.erase_due, now)),
        "kept_by_law_since": _moment(facts.hold.disclosed_since(now)),
        "kept_by_law_until": _moment(facts.hold.disclosed_until(now)),
        "keys": "kept encrypted, not exported" if facts.is_live else "none",
    }


def _session(record: Record) -> dict[str, Any]:
    return {
        "session": record.session,
        "status": record.status.value,
        "reason": record.reason or None,
        "event_id": record.copy.id if record.copy.exists else None,
        "ends_on": rfc3339(record.end_day * DAY)[:10],
        "changes": record.revision,
        "version": record.version,
    }


def _waiting(session: str, content: Content) -> dict[str, Any]:
    return {
        "session": session,
        "start": rfc3339(content.start),
        "end": rfc3339(content.end),
        "time_zone": content.time_zone,
        "title": content.title or None,
        "description": content.description or None,
        "location": content.location or None,
        "join_url": content.join_url or None,
    }


def _closing(teardown: Teardown) -> dict[str, Any]:
    return {
        "connection_number": teardown.connection_id,
        "began_at": rfc3339(teardown.started),
        "tries": teardown.tries,
        "calendar_to_be_deleted": teardown.calendar_id or None,
        "notification_channels_to_stop": list(teardown.channels) or None,
        "keys": "kept encrypted until Google confirms, not exported" if teardown.grant else "none",
    }


def _entry(entry: AuditEntry) -> dict[str, Any]:
    facts = {name: value for name, value in entry.facts.items() if name not in {"kind", "actor"}}
    return {"at": entry.at, "what": entry.facts["kind"], "by": entry.facts["actor"], "facts": facts}


def _link(ticket: Ticket) -> dict[str, Any]:
    return {
        "expires_at": rfc3339(ticket.expires),
        "language": ticket.locale or None,
        "time_zone": ticket.time_zone or None,
        "return_address": ticket.return_url or None,
    }


def _page(browser: Browser) -> dict[str, Any]:
    return {
        "opened_at": rfc3339(browser.began),
        "last_used_at": rfc3339(browser.seen),
        "language": browser.locale or None,
        "time_zone": browser.time_zone or None,
        "return_address": browser.return_url or None,
    }


def _moment(at: Millis) -> str | None:
    return rfc3339(at) if at else None
