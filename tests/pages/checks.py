"""Checks of every page: WCAG 2.2 AA, narrow, zoomed, no motion, by keyboard, small, nothing of a third party."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT

from tests.pages.visitor import PageVisitor

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
    """The bytes of a page for a first visit."""

    size: int
    """Bytes on the wire, headers included."""
    requests: int
    painted: float
    """Milliseconds until something is seen (first contentful paint)."""


def faults(visitor: PageVisitor, *schemes: Scheme) -> Iterator[str]:
    """Yield every fault of the shown page, by axe in these colour schemes; leaves the window wide."""
    page = visitor.page
    yield from _head(visitor)
    yield from _light_and_ours(visitor)
    page.evaluate(AXE_SCRIPT)  # by the browser's protocol: the page's own policy stays in force
    for scheme in schemes:
        # Without motion, so that no colour is looked at on its way to another.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        yield from _axe(visitor, scheme)
    yield from (f"moves, though motion is unwanted: {moving}" for moving in page.evaluate(_MOVING))
    yield from _fits(visitor)
    yield from (f"the browser complains: {text}" for text in visitor.complaints)


def _head(visitor: PageVisitor) -> Iterator[str]:
    seen = visitor.page.evaluate(_HEAD)
    if seen["language"] != visitor.language:
        yield f"is in {seen['language']}"
    if seen["headings"] != 1:
        yield f"has {seen['headings']} headings of the first order"
    if seen["scripts"]:
        yield "asks for a script"


def _light_and_ours(visitor: PageVisitor) -> Iterator[str]:
    weight = weigh(visitor)
    if weight.size > HEAVIEST or weight.requests > MOST:
        yield f"weighs {weight.size} bytes in {weight.requests} requests"
    for request in visitor.requests:
        if not request.url.startswith((visitor.fixture.url, visitor.fixture.google.url, "data:")):
            yield f"asks elsewhere: {request.url}"
        if request.failure not in {None, "net::ERR_ABORTED"}:  # the icon of a page that was left at once
            yield f"does not get {request.url}: {request.failure}"


def weigh(visitor: PageVisitor) -> Weight:
    """Return the weight of the shown page."""
    fetched = [each for each in visitor.requests if not each.url.startswith("data:") and not each.failure]
    sizes = [request.sizes() for request in fetched]
    size = sum(each["responseBodySize"] + each["responseHeadersSize"] for each in sizes)
    return Weight(size, len(sizes), visitor.page.evaluate(_PAINTED))


def _axe(visitor: PageVisitor, scheme: Scheme) -> Iterator[str]:
    for violation in visitor.page.evaluate(_AXE, {"resultTypes": ["violations"], "runOnly": CRITERIA}):
        for node in violation["nodes"]:
            yield f"{scheme}: {violation['id']} at {node['target'][0]}: {node['failureSummary']}"


def _fits(visitor: PageVisitor) -> Iterator[str]:
    """Look at 320 pixels (also 400 % of 1280), at 640 (200 %), and with letters twice as large (1.4.4, 1.4.10)."""
    page = visitor.page
    for width in (NARROW, WIDE // 2):
        page.set_viewport_size({"width": width, "height": 800})
        yield from (f"at {width} px is {wide} wide" for wide in page.evaluate(_TOO_WIDE))
    page.set_viewport_size({"width": WIDE, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    yield from (f"with large letters is {wide} wide" for wide in page.evaluate(_TOO_WIDE))
    page.evaluate("document.documentElement.style.fontSize = ''")


def unreachable(visitor: PageVisitor) -> Iterator[str]:
    """Press Tab through the page; yield what cannot be reached, and what does not show that it is."""
    wanted = set(visitor.page.evaluate(_ACTIONS))
    for _ in range(2 * len(wanted) + _PARTS_OF_DATES):
        if not wanted:
            return
        visitor.page.keyboard.press("Tab")
        at, name, shown = visitor.page.evaluate(_FOCUSED)
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
