"""Dates and moments as arguments of commands."""

from datetime import UTC, datetime
from typing import Any

import click

from calendar_service.domain.clock import Millis


class Moment(click.ParamType[Millis]):
    """A date (its first moment in UTC), or a moment with an offset; without one it is refused."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Millis:
        """Return the instant in milliseconds."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a date such as 2027-03-01 nor a moment of RFC 3339.", param, ctx)
        if moment.tzinfo is None and len(value) > len("2027-03-01"):
            self.fail(f"{value!r} has no offset from UTC.", param, ctx)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
