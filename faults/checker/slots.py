"""The laws about the store: each slot is whole or gone, nothing waits for ever, an erasure leaves nothing."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from faults.checker.evidence import EpisodeEvidence, Violation, agent_of, brief
from faults.checker.history import Histories

PARTS = ("facts", "grant", "sessions", "days", "waiting", "due", "outbox")
"""The parts of a slot that an erasure removes."""
DURABLE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


def check_slots(evidence: EpisodeEvidence, histories: Histories) -> Iterator[Violation]:
    """Look at each agent's slot after convergence."""
    for member, parts in evidence.slots.items():
        agent, facts = agent_of(member), parts.get("facts", {})
        if facts and set(facts) == {"consent_pending_state"}:
            continue  # a consent has begun, and there is no connection yet
        if not facts and set(parts) & set(PARTS):
            yield Violation("half_erased", f"{agent} has {sorted(parts)} without facts")
        yield from _check_grant(
            agent, facts.get("grant_state"), parts, revoked=histories.agents[agent].revoked_at_google
        )
        yield from _check_finished(agent, parts)


def _check_grant(
    agent: str, grant: str | None, parts: dict[str, Any], *, revoked: bool
) -> Iterator[Violation]:
    if grant not in {None, "live"} and "grant" in parts:
        yield Violation("half_erased", f"{agent} is {grant} and still has its token")
    if grant == "live" and "grant" not in parts:
        yield Violation("lost", f"{agent} is live without a token")
    if grant == "dead" and not revoked:
        yield Violation("false_reconnect", f"{agent} is marked dead")


def _check_finished(agent: str, parts: dict[str, Any]) -> Iterator[Violation]:
    if parts.get("teardowns"):
        yield Violation("teardown_left", f"{agent} has {len(parts['teardowns'])} teardowns that never end")
    if parts.get("waiting"):
        yield Violation("content_left", f"{agent} has content of {sorted(parts['waiting'])[:3]}")
    for session, text in parts.get("sessions", {}).items():
        record = json.loads(text)
        if record["status"] in {"pending", "waiting"} or record["leased"]:
            yield Violation("unsettled", f"{agent}|{session} is {brief(record)}")


def check_counts(evidence: EpisodeEvidence) -> Iterator[Violation]:
    """Compare what is counted of waiting content, of each agent and of an organization in a shard, with what waits."""
    counted, waits = Counter[str](), Counter[str]()
    for key, value in evidence.store.items():
        shard, _, rest = key.partition(":")
        if rest == "waiting-load":
            counted.update({f"{shard} {name}": int(count) for name, count in value.items()})
        elif rest.startswith("a:") and rest.endswith(":waiting"):
            organization = rest.removeprefix("a:").partition("/")[0]
            waits[f"{shard} {organization}/sessions"] += len(value)
            waits[f"{shard} {organization}/bytes"] += _size(value)
    for member, parts in evidence.slots.items():
        counted[member] = int(parts.get("facts", {}).get("waiting_bytes", 0))
        waits[member] = _size(parts.get("waiting", {}))
    for name in sorted(counted.keys() | waits.keys()):
        if counted[name] != waits[name]:
            yield Violation("miscounted", f"{name}: {counted[name]} are counted, {waits[name]} wait")


def _size(content: dict[str, str]) -> int:
    return sum(map(len, content.values()))


def check_erasures(evidence: EpisodeEvidence, histories: Histories) -> Iterator[Violation]:
    """Look for what is left of agents who were erased: keys, mentions in other keys, the calendar's id in the file."""
    for agent, history in histories.agents.items():
        if history.is_erased_for_good:
            parts = sorted(set(evidence.slot(agent)) & set(PARTS))
            mentions = [key for key, value in evidence.store.items() if _mentions(value, f"acme/{agent}")]
            if parts or mentions:
                yield Violation("half_erased", f"{agent} was erased; left: {parts + mentions}")
    for calendar in evidence.google["calendars"]:
        owner, index = calendar["owner"], calendar["id"]
        agents = histories.agents_of_account.get(owner, set())
        all_erased = agents and all(histories.agents[agent].is_erased_for_good for agent in agents)
        if all_erased and index != owner and index.encode() in evidence.append_only_text:
            yield Violation("residue", f"{owner}: calendar id in the append-only file after erasure")


def check_durability(evidence: EpisodeEvidence) -> Iterator[Violation]:
    """Compare the store's configuration with what durability needs."""
    settings = evidence.durability_settings
    for name, value in DURABLE.items():
        if settings and settings.get(name) != value:
            yield Violation("durability", f"{name} is {settings.get(name)}")


def _mentions(value: Any, member: str) -> bool:
    return member in value if isinstance(value, (set, list, dict)) else False
