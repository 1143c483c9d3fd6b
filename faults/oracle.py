"""Says what was broken, from outside: Google's books and journal, the driver's journal, a raw dump of the store.

Must import nothing of the service, and must not know which fault was injected.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

DAY = 86_400.0
ERASE_AFTER = 7 * DAY
LATENESS = 600.0
"""Seconds after its term in which an erasure is still on time: one sweep of the worker and its retry."""
RATES = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}
ENDED = {"disconnected", "not_connected", "revoked"}
PARTS = ("facts", "grant", "sessions", "waiting", "due", "letters")
LAWS = (
    "lost", "duplicate", "resurrected", "half_erased", "false_reconnect", "wrong_final", "content_left",
    "unsettled", "foreign_grant", "twin_calendar", "too_many_calls", "early_erasure", "late_erasure",
    "token_alive", "grant_killed", "errand_left", "unnoticed", "durability", "residue", "unanswered", "trail_broken",
)  # fmt: skip


@dataclass(frozen=True)
class Violation:
    """One broken law."""

    law: str
    detail: str


@dataclass
class Evidence:
    """Everything the oracle may look at."""

    lines: list[dict[str, Any]]
    """The driver's journal."""
    calls: list[dict[str, Any]]
    """The local Google's journal."""
    google: dict[str, Any]
    """The local Google's books."""
    store: dict[str, Any]
    """Every key of the store with its value."""
    files: bytes = b""
    """The store's append-only files, joined."""
    settings: dict[str, str] = field(default_factory=dict)
    """What the store says of its durability."""


def judge(evidence: Evidence) -> list[Violation]:
    """Return every violation found."""
    judge_ = Judge(evidence)
    return [violation for law in judge_.laws() for violation in law]


@dataclass
class Life:
    """One agent as the driver's journal tells it."""

    account: str = ""
    ended_at: int = 0
    """The line at which an end was acknowledged; 0 = none since the last consent."""
    whole_since: int = 0
    """From this line on operations count: connected after everything that may have broken the connection."""
    broken_at: int = 0
    revoked_at_google: bool = False
    erased: bool = False
    held: bool = False
    consent_asked: int = 0
    end_asked: float = 0.0
    end_answered: float = 0.0


class Judge:
    """Reads the evidence once, law by law."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.lives: dict[str, Life] = defaultdict(Life)
        self._along: list[Violation] = []
        self._shared: dict[str, set[str]] = defaultdict(set)
        self._refused = {
            call["path"].rpartition("/")[2]
            for call in evidence.calls
            if (call["api_method"] or "").startswith("calendar.events.")
            and call["status"] in {400, 403}
            and call.get("fault", {}).get("reason") not in RATES
        }
        for line in evidence.lines:
            if line.get("account"):
                self._shared[line["account"]].add(line["agent"])
        for line in evidence.lines:
            self._follow(line)

    def laws(self) -> Iterable[Iterable[Violation]]:
        """Yield the findings of each law."""
        yield self._along
        yield self._sessions()
        yield self._duplicates()
        yield self._slots()
        yield self._grants()
        yield self._windows()
        yield self._foreign()
        yield self._residue()
        always = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
        for name, wanted in always.items():
            if self.evidence.settings and self.evidence.settings.get(name) != wanted:
                yield [Violation("durability", f"{name} is {self.evidence.settings.get(name)}")]

    # --- along the driver's journal ---

    def _follow(self, line: dict[str, Any]) -> None:
        what, agent = line["what"], line.get("agent", "")
        life = self.lives[agent] if agent else Life()
        op = line.get("op", "")
        if what == "ask" and op == "connect":
            life.account = line["account"]
            life.ended_at, life.erased, life.consent_asked = 0, False, line["n"]
        elif what == "ask" and op in {"disconnect", "/disconnect", "/erase"}:
            life.broken_at, life.whole_since = line["n"], 0
            if not life.end_asked:
                life.end_asked = line["at"] + line["offset"]
        elif what == "answer" and op in {"disconnect", "/disconnect"} and line["status"] in {200, 303}:
            if (
                line["ask"] > life.consent_asked
            ):  # else the two were under way together: either order is right
                life.ended_at = line["n"]
                life.end_answered = line["at"] + line["offset"]
                life.erased = life.erased or line.get("receipt", False)
        elif what == "answer" and op in {"put", "cancel"}:
            self._answered(line, life)
        elif what == "state":
            self._shown(line, life)
        elif what == "note":
            self._noted(line, life)

    def _answered(self, line: dict[str, Any], life: Life) -> None:
        yes = 200 <= line["status"] < 300
        if yes and line["op"] == "put" and life.ended_at and line["ask"] > life.ended_at:
            self._add(
                "resurrected", f"{_name(line)} v{line['version']} accepted after the end (line {line['n']})"
            )
        if line["status"] == 500:
            self._add("unanswered", f"{_name(line)} v{line['version']} answered 500 (line {line['n']})")

    def _shown(self, line: dict[str, Any], life: Life) -> None:
        state = line["state"]
        if life.ended_at and state not in ENDED:
            self._add("resurrected", f"{line['agent']} is {state} after its end (line {line['n']})")
        if state in {"revoked", "reconsent_required"} and not life.revoked_at_google:
            self._add("false_reconnect", f"{line['agent']} is {state} (line {line['n']})")
        unnoticed = life.revoked_at_google and life.consent_asked < life.broken_at
        if state == "connected" and not life.ended_at and not life.whole_since and not unnoticed:
            life.whole_since = line["n"]
            life.revoked_at_google, life.end_asked = False, 0.0

    def _noted(self, line: dict[str, Any], life: Life) -> None:
        event = line["event"]
        if event == "revoked_at_google":
            for agent in self._shared.get(life.account, {line["agent"]}):
                other = self.lives[agent]
                other.revoked_at_google, other.broken_at, other.whole_since = True, line["n"], 0
        elif event == "held":
            life.held = True
        elif event == "released":  # what was due by then goes with the next sweep
            life.held, life.end_answered = (
                False,
                max(line["at"] + line["offset"] - ERASE_AFTER, life.end_answered),
            )
        elif event == "broken":
            life.broken_at, life.whole_since = line["n"], 0
        elif event == "slot":
            now = line["at"] + line["offset"]
            if not line["exists"] and now < life.end_asked + ERASE_AFTER and not life.erased:
                self._add(
                    "early_erasure", f"{line['agent']}: {life.end_asked + ERASE_AFTER - now:.0f} s early"
                )
            if line["exists"] and not life.held and now > life.end_answered + ERASE_AFTER + LATENESS:
                self._add(
                    "late_erasure", f"{line['agent']}: {now - life.end_answered - ERASE_AFTER:.0f} s late"
                )
            if not line["exists"]:
                life.erased = True
        elif event == "expected" and line["found"] != line["wanted"]:
            self._add(
                line["law"],
                f"{line['agent']}: {line['found']} instead of {line['wanted']} (line {line['n']})",
            )

    def _add(self, law: str, detail: str) -> None:
        self._along.append(Violation(law, detail))

    # --- sessions ---

    def _sessions(self) -> Iterable[Violation]:
        asks: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        answers: dict[int, dict[str, Any]] = {}
        for line in self.evidence.lines:
            if line.get("op") in {"put", "cancel"}:
                if line["what"] == "ask":
                    asks[line["agent"], line["session"]].append(line)
                else:
                    answers[line["ask"]] = line
        events = self._events_by_session()
        records = self._records()
        for (agent, session), asked in asks.items():
            life = self.lives[agent]
            if not life.whole_since:
                continue
            yield from self._one_session(
                agent, session, [ask for ask in asked if ask["n"] > life.whole_since], answers,
                events.get((agent, session), []), records.get((agent, session)),
            )  # fmt: skip

    def _one_session(
        self,
        agent: str,
        session: str,
        asked: list[dict[str, Any]],
        answers: Mapping[int, dict[str, Any]],
        events: list[dict[str, Any]],
        record: dict[str, Any] | None,
    ) -> Iterable[Violation]:
        if record and record["status"] == "failed" and record["event_id"] in self._refused:
            return  # Google refused this very event for good, and the service says so
        accepted = [ask for ask in asked if _took_effect(answers.get(ask["n"]))]
        if not accepted:
            return
        open_ = [
            ask for ask in asked if answers.get(ask["n"], {"status": 0})["status"] in {0, 500, 502, 503, 504}
        ]
        if all(ask["versioned"] for ask in asked):
            last = max(accepted, key=lambda ask: ask["version"])
            allowed = [last, *(ask for ask in open_ if ask["version"] > last["version"])]
        else:
            last = max(accepted, key=lambda ask: answers[ask["n"]]["revision"] or 0)
            allowed = [last, *open_]
        name = f"{agent}|{session}"
        wanted = {ask["version"] if ask["op"] == "put" else None for ask in allowed}
        found = {int(event["summary"].rpartition("|")[2]) for event in events} or {None}
        if not found & wanted:
            law = "lost" if found == {None} and None not in wanted else "wrong_final"
            yield Violation(
                law, f"{name}: {_show(found)} in Google, accepted {_show(wanted)}, record {_brief(record)}"
            )
            return
        starts = {ask["version"]: ask["start"] for ask in allowed if ask["op"] == "put"}
        for event in events:
            version = int(event["summary"].rpartition("|")[2])
            if version in starts and _seconds(event["start"]) != _seconds({"dateTime": starts[version]}):
                yield Violation("wrong_final", f"{name} v{version} lies at {event['start']}")
        status = record["status"] if record else "unknown"
        good = (
            {"scheduled"}
            if None not in wanted
            else {"cancelled"}
            if wanted == {None}
            else {"scheduled", "cancelled"}
        )
        if status not in good and not (status == "unknown" and wanted == {None}):
            law = "lost" if status in {"failed", "lost", "unknown"} else "unsettled"
            yield Violation(law, f"{name} is {_brief(record)}, accepted {_show(wanted)}")

    def _events_by_session(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for event in self._events():
            agent, session, _ = event["summary"].split("|")
            found[agent, session].append(event)
        return found

    def _events(self) -> Iterable[dict[str, Any]]:
        for calendar in self.evidence.google["calendars"]:
            for event in calendar["events"]:
                if event["status"] != "cancelled" and event.get("summary", "").count("|") == 2:
                    yield event | {"calendar": calendar["id"], "owner": calendar["owner"]}

    def _duplicates(self) -> Iterable[Violation]:
        by_marker: dict[tuple[str, str], list[str]] = defaultdict(list)
        for event in self._events():
            marker = event.get("extendedProperties", {}).get("private", {}).get("csMarker")
            by_marker[event["calendar"], marker or event["summary"].rpartition("|")[0]].append(
                event["summary"]
            )
        for titles in by_marker.values():
            if len(titles) > 1:
                yield Violation("duplicate", f"{len(titles)} events of one session: {sorted(titles)}")
        for (agent, session), events in self._events_by_session().items():
            if len(events) > 1 and len({event["calendar"] for event in events}) == len(events):
                yield Violation("duplicate", f"{agent}|{session} in {len(events)} calendars")
        calendars = Counter(
            (calendar["owner"], calendar.get("description"))
            for calendar in self.evidence.google["calendars"]
            if calendar["id"] != calendar["owner"]
        )
        for (owner, _), count in calendars.items():
            if count > 1:
                yield Violation("twin_calendar", f"{count} calendars of one agent in {owner}")

    # --- the store ---

    def _slots(self) -> Iterable[Violation]:
        slots = self._by_member()
        for member, parts in slots.items():
            agent = member.partition("/")[2]
            facts = parts.get("facts", {})
            if facts and set(facts) == {"connecting"}:
                continue
            if not facts and set(parts) & set(PARTS):
                yield Violation("half_erased", f"{agent} has {sorted(parts)} without facts")
            if facts.get("grant") not in {None, "live"} and "grant" in parts:
                yield Violation("half_erased", f"{agent} is {facts['grant']} and still has its token")
            if facts.get("grant") == "live" and "grant" not in parts:
                yield Violation("lost", f"{agent} is live without a token")
            if facts.get("grant") == "dead" and not self.lives[agent].revoked_at_google:
                yield Violation("false_reconnect", f"{agent} is marked dead")
            if parts.get("errands"):
                yield Violation("errand_left", f"{agent} has {len(parts['errands'])} errands that never end")
            if parts.get("waiting"):
                yield Violation("content_left", f"{agent} has content of {sorted(parts['waiting'])[:3]}")
            for session, text in parts.get("sessions", {}).items():
                record = json.loads(text)
                if record["status"] in {"pending", "waiting"} or record["leased"]:
                    yield Violation("unsettled", f"{agent}|{session} is {_brief(record)}")
        for agent, life in self.lives.items():
            if life.erased and not life.whole_since:
                left = sorted(set(slots.get(f"acme/{agent}", {})) & set(PARTS))
                named = [key for key, value in self.evidence.store.items() if _names(value, f"acme/{agent}")]
                if left or named:
                    yield Violation("half_erased", f"{agent} was erased; left: {left + named}")

    def _by_member(self) -> dict[str, dict[str, Any]]:
        slots: dict[str, dict[str, Any]] = defaultdict(dict)
        for key, value in self.evidence.store.items():
            pieces = key.split(":")
            if len(pieces) == 4 and pieces[1] == "a":
                slots[pieces[2]][pieces[3]] = value
        return slots

    def _records(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {
            (member.partition("/")[2], session): json.loads(text)
            for member, parts in self._by_member().items()
            for session, text in parts.get("sessions", {}).items()
        }

    # --- grants and calls ---

    def _grants(self) -> Iterable[Violation]:
        slots = self._by_member()
        alive: Counter[str] = Counter()
        for token in self.evidence.google["refresh_tokens"]:
            if token["alive"]:
                alive[token["account"]] += 1
        for account, agents in self._shared.items():
            live = [a for a in agents if slots.get(f"acme/{a}", {}).get("facts", {}).get("grant") == "live"]
            excused = any(self.lives[agent].revoked_at_google for agent in agents)
            if live and not alive[account] and not excused:
                yield Violation("grant_killed", f"{account}: live here ({live}), dead at Google")
            if not live and alive[account] and len(agents) == 1:
                yield Violation(
                    "token_alive", f"{account}: ended here, {alive[account]} tokens live at Google"
                )

    def _windows(self) -> Iterable[Violation]:
        for line in self.evidence.lines:
            if line["what"] == "note" and line["event"] == "window":
                calls = self.evidence.calls[line["since"] : line["until"]]
                found = [
                    call
                    for call in calls
                    if (call["api_method"] or "").startswith(line["method"])
                    and line["contains"]
                    in json.dumps([call.get("body", ""), call.get("account"), call["path"]])
                    and (line["grant_type"] or "") in json.dumps(call.get("body", ""))
                ]
                if len(found) > line["at_most"]:
                    yield Violation(
                        "too_many_calls", f"{line['why']}: {len(found)} calls of {line['method']}"
                    )

    def _foreign(self) -> Iterable[Violation]:
        for call in self.evidence.calls:
            body = call.get("body")
            summary = body.get("summary", "") if isinstance(body, dict) else ""
            if isinstance(summary, str) and summary.count("|") == 2 and call.get("account"):
                agent = summary.partition("|")[0]
                if call["account"] != self.lives[agent].account:
                    yield Violation(
                        "foreign_grant", f"{summary} was written with the grant of {call['account']}"
                    )

    def _residue(self) -> Iterable[Violation]:
        if not self.evidence.files:
            return
        for calendar in self.evidence.google["calendars"]:
            agents = self._shared.get(calendar["owner"], set())
            gone = agents and all(self.lives[a].erased and not self.lives[a].whole_since for a in agents)
            if (
                gone
                and calendar["id"] != calendar["owner"]
                and calendar["id"].encode() in self.evidence.files
            ):
                yield Violation(
                    "residue", f"{calendar['owner']}: calendar id in the append-only file after erasure"
                )


def _took_effect(answer: Mapping[str, Any] | None) -> bool:
    if answer is None or not 200 <= answer["status"] < 300:
        return False
    return answer["op"] == "put" or answer["applied"] is True


def _seconds(when: Mapping[str, str]) -> int:
    from datetime import datetime  # noqa: PLC0415 - the one place that reads a time

    return int(datetime.fromisoformat(when["dateTime"]).timestamp())


def _name(line: Mapping[str, Any]) -> str:
    return f"{line['agent']}|{line['session']}"


def _show(versions: set[int | None]) -> str:
    return " or ".join("none" if version is None else f"v{version}" for version in sorted(versions, key=str))


def _brief(record: Mapping[str, Any] | None) -> str:
    if record is None:
        return "unknown"
    names = ("status", "revision", "settled", "reason", "tries", "fence", "leased", "sent", "placed")
    return " ".join(f"{name}={record[name]}" for name in names if name in record)


def _names(value: Any, member: str) -> bool:
    return member in value if isinstance(value, (set, list, dict)) else False
