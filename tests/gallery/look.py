"""What every page has to be, whatever it says: WCAG 2.2 AA, narrow, zoomed, still, by keyboard, light, ours alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT

from tests.gallery.guest import Guest

Scheme = Literal["light", "dark"]
CRITERIA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
"""The tags of axe's rules that stand for WCAG 2.2, levels A and AA."""
HEAVIEST = 60_000
"""Bytes of a page with all that belongs to it, headers included."""
MOST = 6
"""Requests of a page, itself included."""
WIDE, NARROW = 1280, 320
_PARTS_OF_DATES = 20
"""Stops of the Tab key within fields for day and time."""


@dataclass(frozen=True)
class Weight:
    """What a page costs whoever opens it for the first time."""

    size: int
    """Bytes on the wire, headers included."""
    requests: int
    painted: float
    """Milliseconds until something is seen (first contentful paint)."""


def faults(guest: Guest, *schemes: Scheme) -> Iterator[str]:
    """Yield whatever is wrong with the page that the guest sees, by axe in these schemes; leaves it wide."""
    page = guest.page
    yield from _head(guest)
    yield from _light_and_ours(guest)
    page.evaluate(AXE_SCRIPT)  # by the browser's protocol: the page's own policy stays in force
    for scheme in schemes:
        # Without motion, so that no colour is looked at on its way to another.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        yield from _axe(guest, scheme)
    yield from (f"moves, though motion is unwanted: {moving}" for moving in page.evaluate(_MOVING))
    yield from _fits(guest)
    yield from (f"the browser complains: {text}" for text in guest.complaints)


def _head(guest: Guest) -> Iterator[str]:
    seen = guest.page.evaluate(_HEAD)
    if seen["language"] != guest.language:
        yield f"is in {seen['language']}"
    if seen["headings"] != 1:
        yield f"has {seen['headings']} headings of the first order"
    if seen["scripts"]:
        yield "asks for a script"


def _light_and_ours(guest: Guest) -> Iterator[str]:
    weight = weigh(guest)
    if weight.size > HEAVIEST or weight.requests > MOST:
        yield f"weighs {weight.size} bytes in {weight.requests} requests"
    for request in guest.requests:
        if not request.url.startswith((guest.stage.url, guest.stage.google.url, "data:")):
            yield f"asks elsewhere: {request.url}"
        if request.failure not in {None, "net::ERR_ABORTED"}:  # the icon of a page that was left at once
            yield f"does not get {request.url}: {request.failure}"


def weigh(guest: Guest) -> Weight:
    """Return what the page shown now weighs."""
    fetched = [each for each in guest.requests if not each.url.startswith("data:") and not each.failure]
    sizes = [request.sizes() for request in fetched]
    size = sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes)
    return Weight(size, len(sizes), guest.page.evaluate(_PAINTED))


def _axe(guest: Guest, scheme: Scheme) -> Iterator[str]:
    for violation in guest.page.evaluate(_AXE, {"resultTypes": ["violations"], "runOnly": CRITERIA}):
        for node in violation["nodes"]:
            yield f"{scheme}: {violation['id']} at {node['target'][0]}: {node['failureSummary']}"


def _fits(guest: Guest) -> Iterator[str]:
    """Look at 320 pixels (also 400 % of 1280), at 640 (200 %), and with letters twice as large (1.4.4, 1.4.10)."""
    page = guest.page
    for width in (NARROW, WIDE // 2):
        page.set_viewport_size({"width": width, "height": 800})
        yield from (f"at {width} px is {wide} wide" for wide in page.evaluate(_TOO_WIDE))
    page.set_viewport_size({"width": WIDE, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    yield from (f"with large letters is {wide} wide" for wide in page.evaluate(_TOO_WIDE))
    page.evaluate("document.documentElement.style.fontSize = ''")


def unreachable(guest: Guest) -> Iterator[str]:
    """Press Tab through the page; yield what cannot be reached, and what does not show that it is."""
    wanted = set(guest.page.evaluate(_ACTIONS))
    for _ in range(2 * len(wanted) + _PARTS_OF_DATES):
        if not wanted:
            return
        guest.page.keyboard.press("Tab")
        at, name, shown = guest.page.evaluate(_FOCUSED)
        if at in wanted and not shown:
            yield f"does not show that it has the focus: {name}"
        wanted.discard(at)
    yield from (f"not reached by keyboard: {left}" for left in sorted(wanted))


_AXE = "options => axe.run(options).then(found => found.violations)"
_HEAD = """() => ({
    language: document.documentElement.lang,
    headings: document.querySelectorAll('h1').length,
    scripts: document.querySelectorAll('script, [onclick], [onload], [onsubmit], a[href^="javascript:"]').length,
})"""
_PAINTED = """() => new Promise(told => new PerformanceObserver(list => {
    const first = list.getEntriesByName('first-contentful-paint')[0];
    if (first) told(first.startTime);
}).observe({type: 'paint', buffered: true}))"""
_TOO_WIDE = """() => [document.documentElement.scrollWidth].filter(wide => wide > innerWidth)"""
_MOVING = """() => [...document.querySelectorAll('*')].filter(each => {
    const style = getComputedStyle(each);
    return style.animationName !== 'none' || !/^(0s(, )?)+$/.test(style.transitionDuration);
}).map(each => each.outerHTML.slice(0, 80))"""
_ACTIONS = """() => {
    const all = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
    const open = [...document.querySelectorAll(all)].filter(each => each.checkVisibility() && !each.disabled);
    const kept = new Set();
    open.forEach((each, number) => {
        // One of a group of choices is reached by Tab, the others by the arrows.
        if (each.type === 'radio' && !each.checked) return;
        each.dataset.action = number + ' ' + (each.textContent.trim() || each.name || each.id).slice(0, 60);
        kept.add(each.dataset.action);
    });
    document.activeElement.blur();
    return [...kept];
}"""
_FOCUSED = """() => {
    const at = document.activeElement, style = getComputedStyle(at);
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    return [at.dataset.action ?? '', at.outerHTML.slice(0, 80), ring];
}"""
