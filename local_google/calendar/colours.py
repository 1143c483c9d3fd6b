"""Calendar v3 ``colors``, and the colours of calendars and events.

Source: Google's reference of Colors. The numbers of colours are [R].
"""

from collections.abc import Mapping
from typing import Any

from local_google import errors
from local_google.calendar.call import MethodCall

EVENT = "a4bdfc 7ae7bf dbadff ff887c fbd75b ffb878 46d6db e1e1e1 5484ed 51b749 dc2127".split()  # noqa: SIM905
CALENDAR = str.split(
    "ac725e d06b64 f83a22 fa573c ff7537 ffad46 42d692 16a765 7bd148 b3dc6c fbe983 fad165 92e1c0 9fe1e7 9fc6e7 "
    "4986e7 9a9cff b99aff c2c2c2 cabdbf cca6ac f691b2 cd74e6 a47ae2"
)


def _palette(colours: list[str]) -> dict[str, dict[str, str]]:
    return {
        str(number): {"background": f"#{colour}", "foreground": "#1d1d1d"}
        for number, colour in enumerate(colours, 1)
    }


EVENT_COLOURS, CALENDAR_COLOURS = _palette(EVENT), _palette(CALENDAR)


def colors(call: MethodCall) -> dict[str, Any]:
    """The palette."""
    del call
    head = {"kind": "calendar#colors", "updated": "2012-02-14T00:00:00.000Z"}
    return head | {"calendar": CALENDAR_COLOURS, "event": EVENT_COLOURS}


def demand(body: Mapping[str, Any], palette: Mapping[str, Any]) -> None:
    """Refuse a ``colorId`` that the palette does not have; an empty one clears the colour."""
    if body.get("colorId") and body["colorId"] not in palette:
        raise errors.invalid("Invalid Value")


def shown(settings: Mapping[str, Any]) -> dict[str, str]:
    """[I] The colours of a calendar in a list: those given as RGB, else those of its ``colorId``."""
    number = settings.get("colorId") or "1"
    colour = CALENDAR_COLOURS[number]
    return {
        "colorId": number,
        "backgroundColor": settings.get("backgroundColor") or colour["background"],
        "foregroundColor": settings.get("foregroundColor") or colour["foreground"],
    }
