"""Other bytes for Google's answer, on the wire itself (F12). Must not judge."""

import gzip
import time
from base64 import b64encode

from faults.act import Act
from faults.kinds import kind

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_BOMB = gzip.compress(b"\0" * 50_000_000)
_INSTEAD = {
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


@kind("F12 answer exchanged")
def answer_exchanged(act: Act) -> int:
    """Google does what was asked, and other bytes come back."""
    return _exchanged(act, "instead", _INSTEAD[act.chance.choice(sorted(_INSTEAD))])


@kind("F12 answer announced for ever")
def announced_for_ever(act: Act) -> int:
    """`100 Continue` over and over: the whole call has a deadline; now and then once, and then the answer."""
    return _exchanged(act, act.chance.choice(("flood", "flood", "before")), _CONTINUE)


def _exchanged(act: Act, mode: str, payload: bytes) -> int:
    web, names = act.driver.some_web(), [act.name() for _ in range(_AT_ONCE)]
    for agent in act.stayers:
        act.driver.surely(
            "put", agent, act.name()
        )  # the tokens are fresh: what is exchanged is the insert's answer
    since, began = len(act.driver.calls()), time.monotonic()
    act.town.link(f"{web}-google", mode, 0.05, payload=b64encode(payload).decode())
    for name in names:
        act.at_once(act.driver.put, act.stayer(), name, web=web)
    act.gather()
    act.town.link(f"{web}-google", "pass")
    longest = "longest call with an exchanged answer, ms"
    act.numbers[longest] = max(act.numbers[longest], int((time.monotonic() - began) * 1000))
    summaries = [
        call["body"].get("summary", "")
        for call in act.driver.calls()[since:]
        if call["api_method"] == "calendar.events.insert" and isinstance(call.get("body"), dict)
    ]
    struck = sum(any(f"|{name}|" in summary for summary in summaries) for name in names)
    act.counted["ambiguous inserts"] += struck if mode != "before" else 0
    return struck
