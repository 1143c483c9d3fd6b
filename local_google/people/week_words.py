"""Names of days and months, and the form of a date, in the languages of the pages."""

from datetime import date, timedelta

DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}
MONTHS = {
    "en": "January February March April May June July August September October November December".split(),  # noqa: SIM905
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),  # noqa: SIM905
}

DASH = "\N{EN DASH}"


def long_date(day: date, lang: str) -> str:
    """3 May 2026; 3 de mayo de 2026."""
    month = MONTHS[lang][day.month - 1]
    return f"{day.day} de {month} de {day.year}" if lang == "es" else f"{day.day} {month} {day.year}"


def day_with_name(day: date, lang: str) -> str:
    """Sat, 3 May 2031; sáb, 3 de mayo de 2031."""
    return f"{DAYS[lang][day.weekday()]}, {long_date(day, lang)}"


def days_of_week(monday: date, lang: str) -> str:
    """The first and the last day of a week; a month or year that they share stands once."""
    sunday = monday + timedelta(days=6)
    if monday.month == sunday.month:
        return f"{monday.day}{DASH}{long_date(sunday, lang)}"
    begins = long_date(monday, lang)
    if monday.year == sunday.year:
        begins = begins.removesuffix(str(monday.year)).removesuffix(" de ").strip()
    return f"{begins} {DASH} {long_date(sunday, lang)}"
