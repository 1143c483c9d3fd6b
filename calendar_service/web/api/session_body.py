"""A session as the backend describes it, and its conversion to the domain's content."""

from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, Struct, UnsetType

from calendar_service.domain.clock import Millis
from calendar_service.domain.errors import InvalidRequest
from calendar_service.domain.session import By, Content
from calendar_service.web.api.forms import FAR_DAY
from calendar_service.web.api.text import DESCRIPTION_LIMIT, JOIN_URL_LIMIT, block, https_url, line
from calendar_service.web.api.times import instant, zone

_OFFSET = "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_CLOCK = (
    "^(19[7-9][0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]"
    "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.0+)?"
)
_TIME_FORM = {"pattern": f"{_CLOCK}{_OFFSET}?$"}
_INSTANT_FORM = {"pattern": f"{_CLOCK}{_OFFSET}$", "format": "date-time"}

Time = Annotated[
    str,
    Meta(
        description="RFC 3339 with an offset, or local (without one) in `time_zone`. Whole seconds. A local time that "
        "the night has twice is the first of the two; one that it skips is refused.",
        examples=[f"{FAR_DAY}T14:00:00-04:00", f"{FAR_DAY}T14:00:00"],
        extra_json_schema=_TIME_FORM,
    ),
]
End = Annotated[
    str,
    Meta(
        description="As `start`, and after it.",
        examples=[f"{FAR_DAY}T14:45:00-04:00", f"{FAR_DAY}T14:45:00"],
        extra_json_schema=_TIME_FORM,
    ),
]
Instant = Annotated[
    str,
    Meta(
        description="RFC 3339 with an offset; whole seconds.",
        examples=[f"{FAR_DAY}T00:00:00Z"],
        extra_json_schema=_INSTANT_FORM,
    ),
]
Zone = Annotated[
    str,
    Meta(
        description="An IANA time zone: that of local times, and the one in which the event is shown. Without it, or "
        "where Google does not know it yet, the event is shown in the calendar's.",
        examples=["America/Santiago"],
        extra_json_schema={"pattern": "^[A-Za-z][A-Za-z0-9_+/-]*$"},
    ),
]
Version = Annotated[
    int,
    Meta(
        ge=0,
        le=2**53 - 1,
        description="The caller's own count. A lower one, or an equal one with other content, is refused; once given "
        "for a session, it is required.",
    ),
]


class SessionContent(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a session is like: the whole of it, so that an absent member is cleared."""

    start: Time
    end: End
    time_zone: Zone | UnsetType = UNSET
    title: Annotated[
        str,
        Meta(
            max_length=1024,
            description="One line. Without it, or where it shows nothing (spaces, invisible characters), a neutral "
            "title of the operator's.",
        ),
    ] = ""
    description: Annotated[
        str,
        Meta(
            max_length=DESCRIPTION_LIMIT,
            description="Plain text; may have several lines. In the event it follows the join link; a `<` that opens a "
            "tag and an `&` that forms an entity are written as entities. Both together, as written, have at most "
            "8,192 characters. One that shows nothing counts as left out.",
        ),
    ] = ""
    location: Annotated[
        str,
        Meta(
            max_length=1024,
            description="One line. Without it, or where it shows nothing, the event's location is the join link.",
        ),
    ] = ""
    join_url: Annotated[
        str,
        Meta(
            max_length=JOIN_URL_LIMIT,
            description="An absolute https address, without user name.",
            examples=["https://video.example/rooms/17"],
            extra_json_schema={"pattern": "^([Hh][Tt][Tt][Pp][Ss]://[^ ]+)?$"},
        ),
    ] = ""


class SessionBody(SessionContent, kw_only=True, forbid_unknown_fields=True):
    """The whole desired state of a session, and who wants it."""

    by: Annotated[By, Meta(description="Who acted in the console.")]
    version: Version | UnsetType = UNSET


def content(body: SessionContent, place: str = "") -> Content:
    """Return the content, or refuse it; `place` is put before the names of members in a refusal."""
    zone_name = "" if body.time_zone is UNSET else str(body.time_zone)
    local = None if body.time_zone is UNSET else zone(zone_name, f"{place}time_zone")
    names = (f"{place}start", f"{place}end")
    start, end = period(body.start, body.end, names, local, f"{place}time_zone")
    result = Content(
        start=start,
        end=end,
        time_zone=zone_name,
        title=line(body.title, f"{place}title"),
        description=block(body.description, f"{place}description"),
        location=line(body.location, f"{place}location"),
        join_url=https_url(body.join_url, f"{place}join_url") if body.join_url else "",
    )
    length = len(result.event_description)
    if length > DESCRIPTION_LIMIT:
        raise InvalidRequest(
            f"`{place}description` and the join link have {length} characters together, as they are written into the "
            f"event; at most {DESCRIPTION_LIMIT} are taken.",
            field=f"{place}description",
        )
    return result


def period(
    start: str, end: str, names: tuple[str, str], local: ZoneInfo | None = None, zone_field: str = ""
) -> tuple[Millis, Millis]:
    """Return both instants; refuse them unless the second is after the first."""
    begins, ends = instant(start, names[0], local, zone_field), instant(end, names[1], local, zone_field)
    if ends <= begins:
        raise InvalidRequest(f"`{names[1]}` has to lie after `{names[0]}`.", field=names[1])
    return begins, ends
