"""Other bytes in the place of Google's answer, on the connection itself (F12)."""

import gzip
import time
from base64 import b64encode

from faults.episode import Episode

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_BOMB = gzip.compress(b"\0" * 50_000_000)
_ANSWERS = {
    "half-close": b"",
    "shorter than declared": _OK + b'Content-Length: 4000\r\n\r\n{"id": "x"',
    "longer than declared": _OK + b'Content-Length: 2\r\n\r\n{}{"id": "x"}',
    "length below zero": _OK + b"Content-Length: -5\r\n\r\n{}",
    "length beyond measure": _OK + b"Content-Length: 1000000000000\r\n\r\n{}",
    "two lengths": _OK + b"Content-Length: 2\r\nContent-Length: 400\r\n\r\n{}",
    "broken chunks": _OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "compressed bomb": _OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(_BOMB) + _BOMB,
}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_AT_ONCE = 5


def answer_replaced(episode: Episode) -> int:
    """Google does what was asked, and other bytes come back."""
    return _replace_answers(episode, "instead", _ANSWERS[episode.rng.choice(sorted(_ANSWERS))])


def endless_continue(episode: Episode) -> int:
    """Send `100 Continue` for ever, or once before the answer: a call as a whole must have a deadline."""
    return _replace_answers(episode, episode.rng.choice(("flood", "flood", "before")), _CONTINUE)


def _replace_answers(episode: Episode, mode: str, payload: bytes) -> int:
    """Create sessions while the proxy replaces Google's answers; return how many inserts Google has done."""
    web, sessions = episode.client.any_web(), [episode.new_session() for _ in range(_AT_ONCE)]
    for agent in episode.stable_agents:
        # The access tokens are refreshed first, so that the replaced answer is the insert's.
        episode.backend.send_until_answered("put", agent, episode.new_session())
    since, began = episode.google.call_count(), time.monotonic()
    episode.proxy.set(f"{web}-google", mode, 0.05, payload=b64encode(payload).decode())
    for session in sessions:
        episode.jobs.start(episode.backend.put, episode.stable_agent(), session, web=web)
    episode.jobs.wait()
    episode.proxy.set(f"{web}-google", "pass")
    milliseconds = int((time.monotonic() - began) * 1000)
    episode.measurements.record_maximum("longest call with an exchanged answer, ms", milliseconds)
    titles = [
        call["body"].get("summary", "")
        for call in episode.google.calls()[since:]
        if call["api_method"] == "calendar.events.insert" and isinstance(call.get("body"), dict)
    ]
    inserts = sum(any(f"|{session}|" in title for title in titles) for session in sessions)
    episode.measurements.counters["ambiguous inserts"] += inserts if mode != "before" else 0
    return inserts
