"""The languages of pages and report: sentences, and times as readers of each language write them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from io import BytesIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_datetime, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.units import format_unit

from calendar_service.domain.clock import DAY, HOUR, MINUTE, SECOND, Millis, as_datetime

TEMPLATES = "calendar_service_templates"

NAMES = {"en": "English", "es": "Español"}
"""The languages of the pages, each with its own name for itself."""

_DAY = {"en": "d MMMM y", "es": "d 'de' MMMM 'de' y"}
_TIME = "HH:mm"
_UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"))


@cache
def catalogue(code: str) -> NullTranslations:
    """Return the translations of this language, read once per process; a sentence without one stays English."""
    if code == "en":
        return NullTranslations()
    with resources.files(TEMPLATES).joinpath(f"{code}.po").open("rb") as file:
        sentences = read_po(file, locale=code, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, sentences)
    compiled.seek(0)
    return GNUTranslations(compiled)


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the pages."""

    code: str

    def say(self, sentence: str) -> str:
        """Return a sentence in this language."""
        return catalogue(self.code).gettext(sentence)

    def day(self, instant: Millis, zone: str) -> str:
        """Return the day: `3 May 2026`."""
        return self._format(_DAY[self.code], instant, zone)

    def written_date(self, iso: str) -> str:
        """Return a date of ISO 8601, such as a profile has, in words: `7 September 2024`; empty if it is empty."""
        return format_date(date.fromisoformat(iso), _DAY[self.code], locale=self.code) if iso else ""

    def moment(self, instant: Millis, zone: str) -> str:
        """Return day, time and place: `3 May 2026, 14:00, Santiago`."""
        return f"{self._format(f'{_DAY[self.code]}, {_TIME}', instant, zone)}, {self.place(zone)}"

    def duration(self, length: Millis) -> str:
        """Return a duration in the largest unit of which it is a whole number: `23 days`."""
        size, unit = next((size, unit) for size, unit in _UNITS if length % size == 0 or size == SECOND)
        return format_unit(length // size, f"duration-{unit}", locale=self.code)

    def second(self, instant: Millis, zone: str) -> str:
        """Return the time to the second: `14:00:05`."""
        return self._format(f"{_TIME}:ss", instant, zone)

    def country(self, code: str) -> str:
        """Return the country's name by its ISO 3166-1 alpha-2 code: `Norway` for `NO`."""
        return str(Locale(self.code).territories[code])

    def place(self, zone: str) -> str:
        """Return the city of the zone, as readers name it."""
        resolved = _zone(zone)
        if resolved.key == "UTC":
            return "UTC"
        city = get_timezone_location(resolved, locale=Locale(self.code), return_city=True)
        return city.rpartition("/")[2]

    def _format(self, pattern: str, instant: Millis, zone: str) -> str:
        return format_datetime(as_datetime(instant), pattern, tzinfo=_zone(zone), locale=self.code)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (
        ZoneInfoNotFoundError,
        ValueError,
        OSError,
    ):  # an unknown name, or one that is a folder or path on this machine
        return ZoneInfo("UTC")


def preferred(languages: Sequence[str], tags: Iterable[str]) -> Language:
    """Return the language of the first BCP 47 tag in which the operator's pages exist, else the operator's default.

    `languages` are the operator's, the default first.
    """
    offered = [code for code in languages if code in NAMES] or ["en"]
    primaries = (tag.replace("_", "-").split("-", 1)[0].lower() for tag in tags)
    return Language(next((code for code in primaries if code in offered), offered[0]))
