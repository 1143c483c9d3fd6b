"""The forms of texts that several calls have, as their description says them. Checks nothing itself."""

from typing import Annotated, Final

from msgspec import Meta

FAR_DAY: Final = "2099-05-03"
"""The day of examples: it will not be over while anybody reads them."""

Moment = Annotated[str, Meta(description="RFC 3339 in UTC.", extra_json_schema={"format": "date-time"})]
Address = Annotated[str, Meta(extra_json_schema={"format": "uri"})]
